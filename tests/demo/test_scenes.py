"""Drawing: geometry against closed forms, captions against the prompts' meaning."""

import math

import numpy as np
import pytest

from demo_model.grammar import COLOURS, PROMPTS
from demo_model.scenes import Scene, SceneObject, captions, draw_scene, holds, render

AREAS = {
    "circle": math.pi,
    "square": (2 * 0.84) ** 2,
    "triangle": 1.72**2 / 1.75,
    "cross": 4 * 0.32 * 2 - (2 * 0.32) ** 2,
}


@pytest.mark.parametrize("shape", AREAS)
def test_a_drawn_shape_has_its_area_and_colour(shape):
    radius, size = 0.3, 256
    image = render(Scene((SceneObject(shape, "orange", 0.4, 0.55, radius),), grey=0.5), size)
    coverage = (image[..., 0] - 0.5) / (COLOURS["orange"][0] - 0.5)
    assert coverage.mean() == pytest.approx(AREAS[shape] * radius**2, rel=0.02)
    assert image[round(0.5 * size), round(0.4 * size)] == pytest.approx(COLOURS["orange"], abs=1e-6)


def test_objects_keep_apart_and_inside_the_image():
    rng = np.random.default_rng(0)
    for _ in range(100):
        objects = draw_scene(PROMPTS["three red circles"], rng).objects
        for i, a in enumerate(objects):
            assert a.radius <= min(a.x, a.y, 1 - a.x, 1 - a.y)
            assert all(math.dist((a.x, a.y), (b.x, b.y)) > a.radius + b.radius for b in objects[:i])


def test_the_own_prompt_is_always_among_the_captions_and_its_opposite_never():
    rng = np.random.default_rng(1)
    opposites = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
    for text in list(PROMPTS)[::7]:
        prompt = PROMPTS[text]
        true = set(captions(draw_scene(prompt, rng)))
        assert text in true
        if prompt.relation:
            assert text.replace(prompt.relation, opposites[prompt.relation]) not in true


def test_relations_read_y_downwards():
    assert holds("above", (0.5, 0.2), (0.6, 0.8)) and not holds("below", (0.5, 0.2), (0.6, 0.8))
    assert holds("left of", (0.1, 0.4), (0.7, 0.3)) and not holds("above", (0.1, 0.4), (0.7, 0.3))
