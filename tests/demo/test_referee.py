"""The referee against true drawings, whose content is known, and against drawings of something else."""

import numpy as np

from demo_model.grammar import KINDS, PROMPTS
from demo_model.referee import judge
from demo_model.scenes import Scene, SceneObject, captions, draw_scene, render


def _sharpened_noise(image, rng):
    return np.clip(image + rng.normal(scale=0.03, size=image.shape), 0, 1).astype(np.float32)


def test_it_is_right_on_true_renders_of_every_kind(record_figure):
    rng = np.random.default_rng(3)
    right = {}
    for kind in KINDS:
        prompts = [p for p in PROMPTS.values() if p.kind == kind]
        chosen = [prompts[i] for i in rng.integers(len(prompts), size=150)]
        verdicts = [judge(_sharpened_noise(render(draw_scene(p, rng)), rng), p.text).correct for p in chosen]
        right[kind] = float(np.mean(verdicts))
        assert right[kind] >= 0.98, kind
    record_figure(
        "referee right on 900 true renders with noise .03 (wanted 0.99)", f"{np.mean(list(right.values())):.4f}"
    )
    assert np.mean(list(right.values())) >= 0.99


def test_it_rejects_what_the_prompt_does_not_say(record_figure):
    rng = np.random.default_rng(4)
    prompts, wrong, tried = list(PROMPTS.values()), 0, 0
    while tried < 300:
        shown, asked = (prompts[i] for i in rng.integers(len(prompts), size=2))
        scene = draw_scene(shown, rng)
        if asked.text in set(captions(scene)):
            continue
        tried += 1
        wrong += judge(render(scene), asked.text).correct
    record_figure("referee accepts of 300 renders of another prompt (wanted 0)", wrong)
    assert wrong == 0


def test_the_reason_names_what_is_wrong():
    red_circle = SceneObject("circle", "red", 0.3, 0.3, 0.16)
    blue_square = SceneObject("square", "blue", 0.7, 0.7, 0.16)
    both = render(Scene((red_circle, blue_square), 0.5))
    assert judge(both, "a red circle and a blue square").reason == "as asked"
    assert judge(both, "a red square and a blue circle").reason.startswith("wrong objects: red circle, blue square")
    assert judge(both, "three circles").reason.startswith("2 objects instead of 3")
    assert judge(both, "a red circle below a blue square").reason.startswith("not below")
    assert judge(np.full((64, 64, 3), 0.5), "a circle").reason == "0 objects instead of 1: nothing"
