"""LiDAR for ComfyUI: lookahead sample rewards steer an image model at test time (arXiv 2602.03211)."""

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():
    # Imported here and not above: pytest imports this file when it collects from the repository root.
    from .nodes import LiDARExtension

    return LiDARExtension()
