"""What `dev.py` is made of: an environment, a host, a server, a client and the demo run. The pack itself never imports it."""
