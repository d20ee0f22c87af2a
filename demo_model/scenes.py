"""Scenes of coloured shapes on grey: placed at random as a prompt asks, and drawn with smooth edges."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .grammar import COLOURS, COUNT_WORDS, PLURALS, RELATIONS, SHAPES, ObjectSpec, Prompt

IMAGE_SIZE = 64
RADIUS_RANGE = (0.13, 0.20)
GREY_RANGE = (0.44, 0.56)
MARGIN = 0.03
RELATION_MARGIN = 0.08
SUPERSAMPLING = 3
RELATION_AXES = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1)}


@dataclass(frozen=True)
class SceneObject:
    """A drawn object; centre and radius as fractions of the image side, y downwards."""

    shape: str
    colour: str
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Scene:
    objects: tuple[SceneObject, ...]
    grey: float


def holds(relation: str, first: tuple[float, float], second: tuple[float, float], *, margin: float = 0.0) -> bool:
    """Whether the first centre (x, y) lies so, seen from the second: more that way, by the margin, than to either side."""
    right, down = RELATION_AXES[relation]
    dx, dy = first[0] - second[0], first[1] - second[1]
    return right * dx + down * dy > abs(down * dx + right * dy) + margin


def _placed(names: list[tuple[str, str]], rng: np.random.Generator) -> tuple[SceneObject, ...]:
    while True:
        objects: list[SceneObject] = []
        for shape, colour in names:
            radius = rng.uniform(*RADIUS_RANGE)
            x, y = rng.uniform(radius + 0.02, 0.98 - radius, size=2)
            if any(np.hypot(x - o.x, y - o.y) < radius + o.radius + MARGIN for o in objects):
                break
            objects.append(SceneObject(shape, colour, float(x), float(y), float(radius)))
        else:
            return tuple(objects)


def draw_scene(prompt: Prompt, rng: np.random.Generator) -> Scene:
    """A random scene that the prompt describes exactly; colours that it leaves open are drawn at random."""
    while True:
        names = [(o.shape, o.colour or str(rng.choice(list(COLOURS)))) for o in prompt.objects]
        objects = _placed(names, rng)
        if prompt.relation is None or holds(prompt.relation, *((o.x, o.y) for o in objects), margin=RELATION_MARGIN):
            return Scene(objects, float(rng.uniform(*GREY_RANGE)))


def captions(scene: Scene) -> Iterator[str]:
    """The texts of all prompts of the grammar that describe this scene exactly, position only where it is clear."""
    objects = scene.objects
    if len(objects) == 1:
        yield ObjectSpec(objects[0].shape).phrase()
        yield ObjectSpec(objects[0].shape, objects[0].colour).phrase()
        return
    shapes, colours = {o.shape for o in objects}, {o.colour for o in objects}
    if len(shapes) == 1:
        counted = [COUNT_WORDS[len(objects)], PLURALS[objects[0].shape]]
        yield " ".join(counted)
        if len(colours) == 1:
            yield f"{counted[0]} {objects[0].colour} {counted[1]}"
        return
    if len(objects) != 2:
        return
    for a, b in (objects, objects[::-1]):
        joints = ["and"] + [r for r in RELATIONS if holds(r, (a.x, a.y), (b.x, b.y))]
        for joint in joints:
            yield f"{ObjectSpec(a.shape).phrase()} {joint} {ObjectSpec(b.shape).phrase()}"
            if a.colour != b.colour:
                yield f"{ObjectSpec(a.shape, a.colour).phrase()} {joint} {ObjectSpec(b.shape, b.colour).phrase()}"


def coverage(shape: str, dx: np.ndarray, dy: np.ndarray, radius: float) -> np.ndarray:
    """Whether points at (dx, dy) from the centre, y downwards, are inside the shape of this radius (arrays of one shape -> bool)."""
    if shape == "circle":
        return dx**2 + dy**2 <= radius**2
    if shape == "square":
        return np.maximum(abs(dx), abs(dy)) <= 0.84 * radius
    if shape == "triangle":
        return (dy <= 0.72 * radius) & (abs(dx) * 1.75 <= dy + radius)
    if shape == "cross":
        thin, long = np.minimum(abs(dx), abs(dy)), np.maximum(abs(dx), abs(dy))
        return (thin <= 0.32 * radius) & (long <= radius)
    raise ValueError(f"unknown shape {shape!r}, wanted one of {', '.join(SHAPES)}")


def render(scene: Scene, size: int = IMAGE_SIZE) -> np.ndarray:
    """The scene as an image (size, size, 3), float32 in [0, 1], edges smoothed by supersampling."""
    fine = size * SUPERSAMPLING
    image = np.full((size, size, 3), scene.grey, dtype=np.float32)
    ticks = (np.arange(fine) + 0.5) / fine
    for o in scene.objects:
        inside = coverage(o.shape, ticks[None, :] - o.x, ticks[:, None] - o.y, o.radius)
        alpha = inside.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING).mean(axis=(1, 3), dtype=np.float32)[..., None]
        image += alpha * (np.asarray(COLOURS[o.colour], dtype=np.float32) - image)
    return image
