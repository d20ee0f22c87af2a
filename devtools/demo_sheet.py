"""The demo's comparison picture: without LiDAR, the lookaheads, with LiDAR, told to someone who has read nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from .demo_report import DemoReport, JudgedImage, mean_reward, verdicts

_PAPER, _INK, _SOFT, _LINE = (255, 255, 255), (24, 24, 27), (82, 82, 91), (212, 212, 216)
_RIGHT, _WRONG, _PLAIN = (21, 128, 61), (185, 28, 28), (82, 82, 91)
_COLUMN, _GAP, _MARGIN = 488, 56, 48


def comparison_sheet(report: DemoReport) -> Image.Image:
    """Three columns, left to right as the method goes, under a heading that says what is compared."""
    columns = (
        (
            "1  Ordinary sampling",
            f"The model alone, {report.settings['steps']} steps, {len(report.vanilla)} images.",
            report.vanilla,
            2,
        ),
        (
            "2  Look ahead",
            f"{len(report.lookaheads)} quick, rough tries, scored and ranked, best first.",
            report.lookaheads,
            4,
        ),
        (
            "3  Ordinary sampling, steered by LiDAR",
            "Same model, started from the best tries and steered.",
            report.guided,
            2,
        ),
    )
    top, heights = 196, []
    width = 2 * _MARGIN + 3 * _COLUMN + 2 * _GAP
    for _, _, images, across in columns:
        heights.append(math.ceil(len(images) / across) * (_cell(across) + _caption(across)))
    height = top + 84 + max(heights) + 20 + 120
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    heading = _fit(f"Asked for: \u201c{report.prompt}\u201d", _font(40), width - 2 * _MARGIN)
    draw.text((_MARGIN, 34), heading, font=_font(40), fill=_INK)
    for line, text in enumerate(_introduction(report)):
        draw.text((_MARGIN, 96 + 30 * line), text, font=_font(22), fill=_SOFT)
    for index, (title, explanation, images, across) in enumerate(columns):
        left = _MARGIN + index * (_COLUMN + _GAP)
        draw.text((left, top), title, font=_font(27), fill=_INK)
        draw.text((left, top + 40), explanation, font=_font(17), fill=_SOFT)
        _draw_images(sheet, draw, images, left, top + 76, across)
        _draw_result(draw, left, height - 106, images)
        if images is report.guided:
            _draw_arrow(draw, left - _GAP // 2, top + 76 + _cell(2) // 2)
    return sheet


def _introduction(report: DemoReport) -> tuple[str, str]:
    judged = all(image.correct is not None for image in report.guided)
    return (
        f"The number under each image is its reward from {report.reward_name}, a small network that compares picture and "
        "words; higher is better.",
        "The frame is the verdict of a referee that measures the shapes: green for just what was asked, red for anything "
        "else. LiDAR never sees it."
        if judged
        else "The frames are grey: the referee knows the demo model's own words only and cannot judge this prompt.",
    )


def _draw_images(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, images: Sequence[JudgedImage], left: int, top: int, across: int
) -> None:
    cell, caption = _cell(across), _caption(across)
    frame = 6 if across == 2 else 4
    for index, image in enumerate(images):
        x = left + (index % across) * (cell + _spacing(across))
        y = top + (index // across) * (cell + caption)
        colour = _PLAIN if image.correct is None else _RIGHT if image.correct else _WRONG
        draw.rectangle((x, y, x + cell - 1, y + cell - 1), fill=colour)
        inner = cell - 2 * frame
        sheet.paste(
            image.picture.convert("RGB").resize((inner, inner), Image.Resampling.BICUBIC), (x + frame, y + frame)
        )
        size = 20 if across == 2 else 16
        draw.text((x, y + cell + 5), f"{image.reward:.3f}", font=_font(size), fill=_INK)
        if image.correct is not None:
            score_width = _font(size).getlength(f"{image.reward:.3f}  ")
            verdict = image.reason if across == 2 else "right" if image.correct else "wrong"
            if _font(15).getlength(verdict) > cell - score_width:
                verdict = verdict.partition(":")[0]
            verdict = _fit(verdict, _font(15), cell - score_width)
            draw.text((x + score_width, y + cell + size * 0.45), verdict, font=_font(15), fill=colour)


def _draw_result(draw: ImageDraw.ImageDraw, left: int, top: int, images: Sequence[JudgedImage]) -> None:
    draw.line((left, top, left + _COLUMN, top), fill=_LINE, width=2)
    draw.text((left, top + 12), f"mean reward {mean_reward(images):.3f}", font=_font(24), fill=_INK)
    judged = verdicts(images)
    text = "referee: " + (judged if judged == "not judged" else f"{judged} right")
    draw.text((left, top + 46), text, font=_font(24), fill=_INK)


def _draw_arrow(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    draw.line((x - 16, y, x + 10, y), fill=_SOFT, width=4)
    draw.polygon(((x + 18, y), (x + 4, y - 10), (x + 4, y + 10)), fill=_SOFT)


def _cell(across: int) -> int:
    return (_COLUMN - (across - 1) * _spacing(across)) // across


def _spacing(across: int) -> int:
    return 16 if across == 2 else 10


def _caption(across: int) -> int:
    return 42 if across == 2 else 32


def _fit(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text, or its longest beginning that fits, with an ellipsis."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "\u2026") > width:
        text = text[:-1]
    return text.rstrip() + "\u2026"


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
