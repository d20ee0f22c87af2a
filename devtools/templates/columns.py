"""Where the nodes of a template stand: in columns that are seen whole at 60 % and more on a screen of 1280 x 720.

The page opens a template so that all nodes fill three quarters of the window: 1590 x 890 pixels at most then.
"""

from __future__ import annotations

GAP = 50  # between two nodes of a column: the lower one's title, and 20 pixels
HEIGHT = 800  # of a column when it is opened, so that the page's buttons do not hide the frames' titles
BOTTOM = 1560  # of the frames: what a run shows makes nodes higher, those at the end of a column

# Heights that suffice in both renderers; of loaders also for the mark of a file that is not there
CHECKPOINT, DIFFUSION_MODEL, LORA, CLIP, VAE, SAMPLING_SHIFT = 130, 110, 110, 150, 85, 80
DEMO_MODEL, REWARD, COMBINE, LATENT, NUMBER, CODE, KSAMPLER = 140, 225, 130, 120, 90, 60, 270
FOLDED = 0  # to its title
PICTURES = 310
WORDS = 105  # of a text encoder whose text is short
LIDAR = 620  # of LiDAR KSampler before it has run


def stack(x: int, width: int, *heights: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """(place, size) of the nodes of one column from the top."""
    places, y = [], 0
    for height in heights:
        places.append(((x, y), (width, height)))
        y += height + GAP
    if y - GAP > HEIGHT:
        raise ValueError(f"the column at {x} is {y - GAP} pixels high, {HEIGHT} are seen")
    return places
