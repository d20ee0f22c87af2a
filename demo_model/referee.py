"""An independent judge of the demo model's images: colour segmentation, connected components, shape by template, relations by centroids.

It shares nothing with the reward model (no network, no training) and is never used as a reward: it measures.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .grammar import COLOURS, SHAPES, parse
from .scenes import coverage, holds

MIN_AREA = 0.010
MIN_OVERLAP = 0.72
COLOUR_RADIUS = 0.34


@dataclass(frozen=True)
class SeenObject:
    """A component of one colour; centroid as fractions of the image side, `overlap` is the IoU with the shape's template."""

    shape: str
    colour: str
    x: float
    y: float
    overlap: float


@dataclass(frozen=True)
class Verdict:
    correct: bool
    reason: str


def _colour_labels(image: np.ndarray) -> np.ndarray:
    """(H,W,3) -> (H,W) indices into COLOURS, -1 where the pixel is background or no palette colour."""
    palette = np.array(list(COLOURS.values()), dtype=np.float32)
    distances = np.linalg.norm(image[:, :, None, :] - palette, axis=-1)
    nearest = distances.argmin(axis=-1)
    to_grey = np.linalg.norm(image - image.mean(axis=-1, keepdims=True), axis=-1)
    own_saturation = np.linalg.norm(palette - palette.mean(axis=-1, keepdims=True), axis=-1)[nearest]
    coloured = (distances.min(axis=-1) < COLOUR_RADIUS) & (to_grey > 0.5 * own_saturation)
    return np.where(coloured, nearest, -1)


def _best_shape(mask: np.ndarray) -> tuple[str, float]:
    """The shape whose template, moved to the mask's centroid and scaled to its area, overlaps best: (name, IoU)."""
    rows, columns = np.nonzero(mask)
    area = len(rows)
    grid_y, grid_x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    best = ("", 0.0)
    for shape in SHAPES:
        unit = np.linspace(-1.5, 1.5, 301)
        inside = coverage(shape, unit[None, :], unit[:, None], 1.0)
        radius = np.sqrt(area / (inside.mean() * 9.0))
        offset = (unit[:, None] * inside).sum() / inside.sum() * radius
        template = coverage(shape, grid_x - columns.mean(), grid_y - (rows.mean() - offset), radius)
        overlap = (mask & template).sum() / (mask | template).sum()
        if overlap > best[1]:
            best = (shape, float(overlap))
    return best


def find_objects(image: np.ndarray) -> list[SeenObject]:
    """The objects in an image (H,W,3) float in [0,1]: every component of one palette colour over one per cent of the area."""
    labels = _colour_labels(np.asarray(image, dtype=np.float32))
    found = []
    for index, colour in enumerate(COLOURS):
        components, count = ndimage.label(labels == index)
        for component in range(1, count + 1):
            mask = components == component
            if mask.mean() < MIN_AREA:
                continue
            y, x = ndimage.center_of_mass(mask)
            shape, overlap = _best_shape(mask)
            found.append(SeenObject(shape, colour, (x + 0.5) / mask.shape[1], (y + 0.5) / mask.shape[0], overlap))
    return found


def _describe(objects: list[SeenObject]) -> str:
    return ", ".join(f"{o.colour} {o.shape if o.overlap >= MIN_OVERLAP else 'blob'}" for o in objects) or "nothing"


def judge(image: np.ndarray, prompt: str) -> Verdict:
    """Whether the image (H,W,3) float in [0,1] shows exactly what the prompt says; `reason` is one phrase. ValueError for an unknown prompt."""
    wanted = parse(prompt)
    seen = find_objects(image)
    if len(seen) != len(wanted.objects):
        return Verdict(False, f"{len(seen)} objects instead of {len(wanted.objects)}: {_describe(seen)}")
    if any(o.overlap < MIN_OVERLAP for o in seen):
        return Verdict(False, f"no clear shape: {_describe(seen)}")
    orders = (seen, seen[::-1]) if len(seen) == 2 else (seen,)
    matches = [
        order
        for order in orders
        if all(s.shape == w.shape and w.colour in (None, s.colour) for s, w in zip(order, wanted.objects, strict=True))
    ]
    if not matches:
        return Verdict(False, f"wrong objects: {_describe(seen)}")
    if wanted.relation and not any(holds(wanted.relation, (a.x, a.y), (b.x, b.y)) for a, b in matches):
        return Verdict(False, f"not {wanted.relation}: {_describe(seen)}")
    return Verdict(True, "as asked")
