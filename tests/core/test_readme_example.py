"""The example of README's section "Use lidar_core alone", run as it stands there."""

import re
import runpy
from pathlib import Path

import pytest
import torch

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture(scope="module")
def example_names(tmp_path_factory):
    section = README.read_text(encoding="utf-8").split("## Use lidar_core alone\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```python\n(.*?)^```", section, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1, f"the section holds {len(blocks)} Python blocks, wanted one"
    script = tmp_path_factory.mktemp("readme") / "example.py"
    script.write_text(blocks[0], encoding="utf-8")
    return runpy.run_path(str(script))


def test_example_raises_the_mean_reward(example_names, record_figure):
    reward = example_names["reward"]
    vanilla, steered = (reward(example_names[name]).mean().item() for name in ("vanilla", "steered"))
    record_figure("README example: mean reward without and with guidance", f"{vanilla:.2f} -> {steered:.2f}")
    assert steered > vanilla + 1.5


def test_mean_reward_is_that_of_the_tilted_law(example_names):
    """Each mode has probability 1/3, tilted by exp(lambda r / deviation of the lookahead rewards)."""
    rewards = example_names["reward"](example_names["modes"])
    tilted = torch.softmax(1.5 * rewards / example_names["lookaheads"].rewards.std(correction=0), dim=0)
    assert example_names["reward"](example_names["steered"]).mean().item() == pytest.approx(
        (tilted * rewards).sum().item(), abs=0.3
    )


def test_steered_samples_stay_on_the_modes_of_the_model(example_names):
    modes, spread = example_names["modes"], example_names["spread"]
    distance = (example_names["steered"][:, None] - modes).norm(dim=2).amin(dim=1)
    assert (distance < 4 * spread).float().mean() > 0.97


def test_the_lookaheads_themselves_do_not_explain_the_gain(example_names):
    lookahead_mean = example_names["lookaheads"].rewards.mean()
    assert example_names["reward"](example_names["steered"]).mean() > lookahead_mean + 1.5
