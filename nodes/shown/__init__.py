"""What people see: pictures and tables. Plain functions, no host."""
