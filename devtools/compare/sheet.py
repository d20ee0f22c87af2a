"""Contact sheets: a row for each prompt, a column for each method, the rewards beneath, in the order of the prompts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from .figures import Cell
from .methods import METHODS

PROMPTS_A_SHEET = 6
_SHOWN = 4  # pictures a method and prompt, the first seed's first
_THUMB, _GAP, _MARGIN, _HEAD, _TITLE, _CAPTION = 224, 8, 32, 56, 40, 28
_PAPER, _INK, _SOFT, _BEST = (255, 255, 255), (24, 24, 27), (82, 82, 91), (21, 128, 61)


def contact_sheet(cells: Sequence[Sequence[Cell]], reward: str, folder: Path, names: dict[str, str]) -> Image.Image:
    """cells: of each prompt, its seeds; names: what the columns are called; folder: where the rows' pictures lie."""
    shown = [[_pictures(seeds, method, reward)[:_SHOWN] for method in METHODS] for seeds in cells]
    across = max(len(pictures) for columns in shown for pictures in columns)
    column, line = across * (_THUMB + _GAP) + 3 * _GAP, _TITLE + _THUMB + _CAPTION + 2 * _GAP
    width = 2 * _MARGIN + len(METHODS) * column
    sheet = Image.new("RGB", (width, _HEAD + len(cells) * line + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, method in enumerate(METHODS):
        draw.text((_MARGIN + number * column, 18), names[method], font=_font(22), fill=_INK)
    for row, (seeds, columns) in enumerate(zip(cells, shown, strict=True)):
        top = _HEAD + row * line
        draw.text(
            (_MARGIN, top + 10), _fit(seeds[0][METHODS[0]]["prompt"], width - 2 * _MARGIN), font=_font(18), fill=_SOFT
        )
        for number, pictures in enumerate(columns):
            for place, (path, score) in enumerate(pictures):
                left = _MARGIN + number * column + place * (_THUMB + _GAP)
                sheet.paste(_thumbnail(folder / path), (left, top + _TITLE))
                rivals = [other[place][1] for other in columns if place < len(other)]
                colour = _BEST if score == max(rivals) else _INK
                draw.text((left, top + _TITLE + _THUMB + 4), f"{score:.4g}", font=_font(18), fill=colour)
    return sheet


def _pictures(seeds: Sequence[Cell], method: str, reward: str) -> list[tuple[str, float]]:
    """(path, score), first pictures of all seeds before second ones."""
    groups = [list(zip(cell[method]["pictures"], cell[method]["rewards"][reward], strict=True)) for cell in seeds]
    return [group[place] for place in range(max(map(len, groups))) for group in groups if place < len(group)]


def _thumbnail(path: Path) -> Image.Image:
    square = Image.new("RGB", (_THUMB, _THUMB), _PAPER)
    with Image.open(path) as picture:
        scale = _THUMB / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        square.paste(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS))
    return square


def _fit(text: str, width: float) -> str:
    """The text on one line, or a beginning that fits, with an ellipsis."""
    font, text = _font(18), " ".join(text.split())
    fits = len(text)
    while fits and font.getlength(text[:fits] + "\u2026") > width:
        fits = int(0.95 * fits)
    return text if font.getlength(text) <= width else text[:fits] + "\u2026"


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
