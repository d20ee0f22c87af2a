import pytest
import torch

from lidar_core import standardise


def test_rewards_are_counted_in_deviations_from_their_mean():
    # Mean 3, deviations -2 -2 0 4, population variance 6.
    expected = torch.tensor([-2.0, -2.0, 0.0, 4.0], dtype=torch.float64) / 6**0.5
    torch.testing.assert_close(standardise(torch.tensor([1.0, 1.0, 3.0, 7.0])).double(), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("scale", "offset"), [(1e-30, 0.0), (1e30, 0.0), (0.02, 0.25), (1.0, -3000.0), (4.0, 2.0**20)])
def test_unit_and_offset_of_the_reward_do_not_matter(scale, offset):
    raw = torch.tensor([0.5, 2.0, -1.25, 0.75, -3.0]) * scale + offset
    exact = raw.double()
    expected = (exact - exact.mean()) / exact.std(correction=0)
    torch.testing.assert_close(standardise(raw).double(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rewards", [[0.1], [0.1, 0.1, 0.1], [-1e6] * 7])
def test_equal_rewards_become_zeros(rewards):
    assert standardise(torch.tensor(rewards)).tolist() == [0] * len(rewards)


def test_half_precision_comes_back_in_half_precision():
    scaled = standardise(torch.tensor([1.0, 1.0, 3.0, 7.0], dtype=torch.float16))
    assert scaled.dtype == torch.float16
    assert scaled[3].item() == pytest.approx(4 / 6**0.5, rel=1e-3)


@pytest.mark.parametrize("rewards", [torch.zeros(0), torch.zeros(2, 1), torch.tensor(1.0), torch.tensor([1, 2])])
def test_anything_but_a_row_of_floats_is_refused(rewards):
    with pytest.raises(ValueError, match=r"wanted floats \(n,\) with n at least 1"):
        standardise(rewards)
