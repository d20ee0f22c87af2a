"""The demo's comparison picture: without LiDAR, with LiDAR, and the lookaheads, told to someone who has read nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from .demo_report import HELD_OUT, DemoReport, JudgedImage, mean_reward, verdicts

_PAPER, _INK, _SOFT, _LINE = (255, 255, 255), (24, 24, 27), (82, 82, 91), (212, 212, 216)
_RIGHT, _WRONG, _PLAIN = (21, 128, 61), (185, 28, 28), (82, 82, 91)
_WIDTH, _MARGIN, _TOP, _TITLE, _BETWEEN = 1672, 48, 176, 62, 30


class _Grid(NamedTuple):
    across: int
    spacing: int
    frame: int
    caption: int
    """Height of what stands below each picture."""

    @property
    def cell(self) -> int:
        return (_WIDTH - 2 * _MARGIN - (self.across - 1) * self.spacing) // self.across

    def height(self, count: int) -> int:
        return math.ceil(count / self.across) * (self.cell + self.caption)


_PICTURES = _Grid(across=8, spacing=16, frame=7, caption=62)
_LOOKAHEADS = _Grid(across=16, spacing=10, frame=4, caption=30)


def comparison_sheet(report: DemoReport) -> Image.Image:
    """Three rows under a heading that says what is compared, and below them what was measured over many prompts."""
    rows = (
        ("Without LiDAR", f"Ordinary sampling, {report.settings['steps']} steps.", report.vanilla, _PICTURES),
        ("With LiDAR", "Same model, seed and steps, from the noise of the best lookaheads.", report.guided, _PICTURES),
        ("Lookaheads", "Quick trial images, which a reward model ranks: best first.", report.lookaheads, _LOOKAHEADS),
    )
    footer = _footer(report)
    height = (
        _TOP + sum(_TITLE + grid.height(len(images)) + _BETWEEN for *_, images, grid in rows) + 34 * len(footer) + 40
    )
    sheet = Image.new("RGB", (_WIDTH, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    heading = _fit(f"Asked for: \u201c{report.prompt}\u201d", _font(40), _WIDTH - 2 * _MARGIN)
    draw.text((_MARGIN, 34), heading, font=_font(40), fill=_INK)
    for line, text in enumerate(_introduction(report)):
        draw.text((_MARGIN, 96 + 30 * line), text, font=_font(22), fill=_SOFT)
    y = _TOP
    for title, explanation, images, grid in rows:
        _draw_title(draw, y, title, explanation, images)
        _draw_images(sheet, draw, images, y + _TITLE, grid)
        y += _TITLE + grid.height(len(images)) + _BETWEEN
    draw.line((_MARGIN, y, _WIDTH - _MARGIN, y), fill=_LINE, width=2)
    for line, text in enumerate(footer):
        draw.text((_MARGIN, y + 20 + 34 * line), text, font=_font(24), fill=_INK)
    return sheet


def _introduction(report: DemoReport) -> tuple[str, str]:
    judged = all(image.correct is not None for image in report.guided)
    return (
        "Green is just what was asked, red anything else: the verdict of a referee that measures the shapes. LiDAR never sees it."
        if judged
        else "The frames are grey: the referee knows the demo model's own words only and cannot judge this prompt.",
        f"The numbers are rewards of {report.reward_name}, a small network that compares picture and words. They guide LiDAR.",
    )


def _footer(report: DemoReport) -> tuple[str, str]:
    return (
        f"Above: one prompt, one seed ({report.settings['seed']}). Measured over {HELD_OUT.prompts} prompts that the model was "
        f"not trained on, {HELD_OUT.images} pictures each:",
        f"{HELD_OUT.vanilla:.0%} right without LiDAR, {HELD_OUT.guided:.0%} with it, in {HELD_OUT.times:.1f} times the time.",
    )


def _draw_title(
    draw: ImageDraw.ImageDraw, top: int, title: str, explanation: str, images: Sequence[JudgedImage]
) -> None:
    judged = verdicts(images)
    result = f"{title}: " + (judged if judged == "not judged" else f"{judged} right")
    draw.text((_MARGIN, top), result, font=_font(34), fill=_INK)
    right = f"{explanation} Mean reward {mean_reward(images):.3f}."
    left = _MARGIN + _font(34).getlength(result) + 24
    right = _fit(right, _font(20), _WIDTH - _MARGIN - left)
    draw.text((left, top + 14), right, font=_font(20), fill=_SOFT)


def _draw_images(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, images: Sequence[JudgedImage], top: int, grid: _Grid
) -> None:
    large = grid is _PICTURES
    for index, image in enumerate(images):
        x = _MARGIN + (index % grid.across) * (grid.cell + grid.spacing)
        y = top + (index // grid.across) * (grid.cell + grid.caption)
        colour = _PLAIN if image.correct is None else _RIGHT if image.correct else _WRONG
        draw.rectangle((x, y, x + grid.cell - 1, y + grid.cell - 1), fill=colour)
        inner = grid.cell - 2 * grid.frame
        picture = image.picture.convert("RGB").resize((inner, inner), Image.Resampling.BICUBIC)
        sheet.paste(picture, (x + grid.frame, y + grid.frame))
        font = _font(18 if large else 15)
        draw.text((x, y + grid.cell + 5), f"{image.reward:.3f}", font=font, fill=_SOFT)
        if large and image.correct is not None:
            verdict = image.reason if font.getlength(image.reason) <= grid.cell else image.reason.partition(":")[0]
            draw.text((x, y + grid.cell + 28), _fit(verdict, font, grid.cell), font=font, fill=colour)


def _fit(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text, or its longest beginning that fits, with an ellipsis."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "\u2026") > width:
        text = text[:-1]
    return text.rstrip() + "\u2026"


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
