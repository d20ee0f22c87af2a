"""What dev.py is made of: environment, host, server, client, demo. The pack itself never imports it."""
