"""Numbers from anywhere become the rewards of the lookaheads."""

import pytest
import torch

LATENTS = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(3))
NUMBERS = [0.5, -1.0, 7.25, 2.0]


@pytest.fixture
def reward(node_classes):
    def run(values, name="judge"):
        return node_classes["LiDARRewardsFromValues"].execute([{"samples": LATENTS}], values, [name]).result[0]

    return run


@pytest.mark.parametrize(
    "values",
    [
        NUMBERS,
        [NUMBERS],
        [torch.tensor(NUMBERS)],
        ["0.5, -1, 7.25, 2"],
        ["[0.5, -1.0,\n 7.25; 2e0]"],
        ["0.5", "-1", "7.25", "2"],
        [0.5, "-1", [7.25, 2]],
    ],
)
def test_lists_tensors_and_text_are_read_alike(reward, values):
    scored = reward(values)
    assert scored.rewards.tolist() == NUMBERS
    assert torch.equal(scored.latents, LATENTS)
    assert scored.reward_name == "judge"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 2.0], "values has 2 numbers for 4 lookaheads: give one for each"),
        ([1.0], "values has 1 number for 4 lookaheads"),
        ([""], "values has 0 numbers for 4 lookaheads"),
        (["1, 2, x, 4"], "values has 'x', which is no finite number"),
        ([[1.0, 2.0, None, 4.0]], "values has NoneType, wanted numbers"),
        ([1.0, 2.0, float("nan"), 4.0], "rewards are not finite or .* at lookahead no. 3, "),
    ],
)
def test_wrong_values_are_told_in_one_line(reward, values, message):
    with pytest.raises(ValueError, match=f"^LiDAR Rewards From Values: {message}") as raised:
        reward(values)
    assert "\n" not in str(raised.value)
