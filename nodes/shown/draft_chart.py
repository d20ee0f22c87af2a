"""What was measured of drafts as a picture: early against finished scores, and the expected gain over the time."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..values.draft_advice import Choice, continuing, drafting
from ..values.draft_measures import DraftMeasures
from .draft_report import way_name

_WIDTH, _HEIGHT, _MARGIN = 1280, 860, 24
_PAPER, _INK, _GREY, _GRID = (255, 255, 255), (24, 24, 27), (113, 113, 122), (228, 228, 231)
_DOT = (37, 99, 235)
_LINES = {"best of N": (82, 82, 91), "drafts": (37, 99, 235), "continuing": (217, 119, 6)}


def draft_chart(measures: DraftMeasures, table: Mapping[float, list[Choice]]) -> Tensor:
    """Return an IMAGE (1, 860, 1280, 3). Above a panel for each way to judge early, below the gain of each choice over the time.

    table: time in plain pictures -> choices.
    """
    canvas = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(canvas)
    side = (_WIDTH - _MARGIN) // len(measures.ways) - _MARGIN
    top, bottom = 84, 84 + min(side, 290)
    _text(
        draw,
        (_MARGIN, 30),
        f"Does an early score foretell the finished one? {len(measures.final)} pictures, {measures.reward}",
        24,
    )
    for number, way in enumerate(measures.ways):
        left = _MARGIN + number * (side + _MARGIN)
        _text(draw, (left, top - 18), f"{way_name(way.share)}: rho {way.correlation.text()}", 17)
        _scatter(draw, (left, top, left + side, bottom), measures.early[way.share], measures.final)
    _text(draw, (_MARGIN, bottom + 20), "across: early score    up: finished score", 16, _GREY)
    costs = measures.costs
    _text(draw, (_MARGIN, bottom + 66), "Expected gain for the time, in standard deviations of the score", 24)
    box = (_MARGIN + 50, bottom + 100, _WIDTH - 330, _HEIGHT - 66)
    _gains(draw, box, table)
    _text(draw, ((box[0] + box[2]) // 2, _HEIGHT - 18), "time in plain pictures", 16, _GREY, anchor="mm")
    told = [
        "seconds a picture",
        f"draft {costs.draft:.3g}",
        f"final {costs.final:.3g}",
        f"decode {measures.decode:.3g}",
        f"score {costs.judge - measures.decode:.3g}",
        "",
        f"seed's share {measures.seed_share:.2f}",
        "(0: all look alike)",
    ]
    for number, line in enumerate(told):
        _text(draw, (_WIDTH - 290, bottom + 220 + 26 * number), line, 18, _GREY)
    return torch.from_numpy(np.asarray(canvas).copy()).float()[None] / 255


def _scatter(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], across: Tensor, up: Tensor) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, outline=_GRID, width=2)
    for x, y in zip(_places(across, left + 14, right - 14), _places(up, bottom - 14, top + 14), strict=True):
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), outline=_PAPER, fill=_DOT)


def _places(values: Tensor, first: float, last: float) -> list[float]:
    low, high = values.aminmax()
    share = (values - low) / (high - low) if high > low else torch.full_like(values, 0.5)
    return (first + share * (last - first)).tolist()


def _gains(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], table: Mapping[float, list[Choice]]) -> None:
    left, top, right, bottom = box
    lines: dict[str, list[tuple[int, Choice]]] = {name: [] for name in _LINES}
    for place, found in enumerate(table.values()):
        for name, choice in zip(_LINES, (found[0], drafting(found), continuing(found)), strict=True):
            if choice is not None:
                lines[name].append((place, choice))
    highest = max(choice.high for line in lines.values() for _, choice in line)
    lowest = min(0.0, *(choice.low for line in lines.values() for _, choice in line))
    step = next(each for each in (0.25, 0.5, 1.0, 2.0) if (highest - lowest) / each <= 6)
    first, last = np.floor(lowest / step), np.ceil(highest / step + 1e-6)

    def x(place: float) -> float:
        return left + (place + 0.5) / len(table) * (right - left)

    def y(gain: float) -> float:
        return bottom - (gain / step - first) / (last - first) * (bottom - top)

    for tick in range(int(first), int(last) + 1):
        draw.line((left, y(tick * step), right, y(tick * step)), fill=_GRID, width=2)
        _text(draw, (left - 10, y(tick * step)), f"{tick * step:g}", 17, _GREY, anchor="rm")
    for place, time in enumerate(table):
        _text(draw, (x(place), bottom + 18), f"{time:g}", 17, _GREY, anchor="mm")
    for number, (name, line) in enumerate(lines.items()):
        colour, aside = _LINES[name], 14 * (number - 1)
        points = [(x(place) + aside, y(choice.plan.gain)) for place, choice in line]
        draw.line(points, fill=colour, width=3)
        for (at, middle), (_, choice) in zip(points, line, strict=True):
            draw.line((at, y(choice.low), at, y(choice.high)), fill=colour, width=2)
            draw.ellipse((at - 6, middle - 6, at + 6, middle + 6), fill=colour, outline=_PAPER)
        key = top + 10 + 28 * number
        draw.ellipse((right + 34, key - 6, right + 46, key + 6), fill=colour)
        _text(draw, (right + 56, key), name, 18)


def _text(
    draw: ImageDraw.ImageDraw, place: Sequence[float], text: str, size: int, colour=_INK, anchor: str = "lm"
) -> None:
    draw.text(place, text, font=ImageFont.load_default(size), fill=colour, anchor=anchor)
