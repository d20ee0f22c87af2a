"""Draws the pack's icon and banner for ComfyUI's registry, docs/icon.png (400 x 400) and docs/banner.png (21:9):

python3 dev.py python -m devtools.icon_and_banner

A grid of trial images in the demo model's shapes and colours; the best one stands out.
"""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from .environment import REPOSITORY

BACKGROUND, TILE, BEST = (24, 26, 31), (44, 48, 57), (255, 196, 61)
COLOURS = {"red": (226, 74, 62), "green": (92, 184, 92), "blue": (74, 134, 232), "yellow": (240, 200, 70)}
GRID = (
    (("circle", "blue"), ("square", "red"), ("triangle", "yellow")),
    (("square", "green"), ("circle", "red"), ("circle", "green")),
    (("triangle", "red"), ("triangle", "blue"), ("square", "blue")),
)
BEST_AT = (1, 1)
FINER = 4  # drawn so much larger, and made smaller for smooth edges


def main() -> None:
    icon = _canvas(400, 400)
    _grid(icon, 22, 22, 356)
    _save(icon, "icon.png")
    banner = _canvas(1260, 540)
    _grid(banner, 770, 50, 440)
    draw = ImageDraw.Draw(banner)
    for text, size, top, colour in (
        ("LiDAR", 150, 120, (255, 255, 255)),
        ("for ComfyUI", 64, 275, (205, 210, 220)),
        ("Many begin. A judge chooses.", 38, 375, BEST),
        ("The best are finished.", 38, 422, BEST),
    ):
        draw.text((70 * FINER, top * FINER), text, colour, ImageFont.load_default(size * FINER))
    _save(banner, "banner.png")


def _canvas(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width * FINER, height * FINER), BACKGROUND)


def _grid(image: Image.Image, left: int, top: int, side: int) -> None:
    """The three rows of tiles in a square of this side; all but the best are dimmed."""
    draw, gap = ImageDraw.Draw(image), side // 22
    tile = (side - 2 * gap) / 3
    for row, shapes in enumerate(GRID):
        for column, (shape, colour) in enumerate(shapes):
            x, y = (left + column * (tile + gap)) * FINER, (top + row * (tile + gap)) * FINER
            box, best = (x, y, x + tile * FINER, y + tile * FINER), (row, column) == BEST_AT
            draw.rounded_rectangle(
                box, tile * FINER / 8, TILE, BEST if best else None, int(tile * FINER / 14) if best else 0
            )
            paint = (
                COLOURS[colour]
                if best
                else tuple((3 * part + 5 * dark) // 8 for part, dark in zip(COLOURS[colour], TILE, strict=True))
            )
            _shape(draw, shape, box, tile * FINER * (0.2 if best else 0.27), paint)


def _shape(
    draw: ImageDraw.ImageDraw, shape: str, box: tuple[float, ...], margin: float, paint: tuple[int, ...]
) -> None:
    left, top, right, bottom = box[0] + margin, box[1] + margin, box[2] - margin, box[3] - margin
    if shape == "circle":
        draw.ellipse((left, top, right, bottom), paint)
    elif shape == "square":
        draw.rectangle((left, top, right, bottom), paint)
    else:
        draw.polygon(((left, bottom), (right, bottom), ((left + right) / 2, top)), paint)


def _save(image: Image.Image, name: str) -> None:
    smaller = image.resize((image.width // FINER, image.height // FINER), Image.Resampling.LANCZOS)
    smaller.save(REPOSITORY / "docs" / name, optimize=True)


if __name__ == "__main__":
    main()
