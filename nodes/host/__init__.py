"""Every touch of ComfyUI's insides, and nothing else: what breaks when the host changes is in here."""
