"""A run of the bench that is stopped goes on where it was, and rows of other settings count for nothing."""

import json
from functools import partial

import pytest
import torch

pytestmark = pytest.mark.host


def test_a_stopped_run_goes_on_with_what_is_missing(bench, tmp_path):
    from demo_model.grammar import PROMPTS

    arms, demo_bench, rows = bench("arms"), bench("demo_bench"), tmp_path / "rows.0"
    prompt, drawn = PROMPTS["a red circle left of a blue square"], []

    def counted(world, task, **settings):
        drawn.append(settings)
        return arms.best_of_n(world, task, **settings)

    two_steps, three_steps = (partial(counted, steps=steps, sizes={4: 2}) for steps in (2, 3))
    with torch.inference_mode():
        world = bench("world").World()
        demo_bench.run(world, {"a": two_steps}, 7, prompt, rows)
        complete = rows.read_text()
        rows.write_text(complete + '\n[{"prompt": "a red cir')  # stopped while it wrote
        demo_bench.run(world, {"a": two_steps, "b": three_steps}, 7, prompt, rows)
    assert [each["steps"] for each in drawn] == [2, 3]
    found = demo_bench.read(rows, {"a": two_steps, "b": three_steps})
    assert [row["arm"] for row in found] == ["a", "b"]
    assert [found[0]] == json.loads(complete) and found[0]["cost"]["evaluations"] == 4
    assert demo_bench.read(rows, {"a": three_steps}) == []  # measured with other settings
    assert demo_bench.read(tmp_path / "rows.1", {"a": two_steps}) == []
