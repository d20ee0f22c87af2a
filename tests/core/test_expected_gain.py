"""The Gaussian rule against tables of order statistics, direct simulation and hand-made cases."""

import math

import pytest
import torch

from lidar_core.expected_gain import Costs, best_of_n, continue_best, expected_gain, finish_best

# E max of N independent standard normals (Harter 1961, Biometrika 48, table 1)
LARGEST_OF = {1: 0.0, 2: 0.56419, 3: 0.84628, 4: 1.02938, 8: 1.42360, 16: 1.76599, 32: 2.06967, 64: 2.34373}
ONE_STEP_DRAFTS, SIX_STEP_DRAFTS = Costs(draft=1, judge=1, final=20), Costs(draft=6, judge=1, final=20)


@pytest.mark.parametrize(("count", "expected"), LARGEST_OF.items())
def test_without_drafts_the_gain_is_the_largest_of_n_normals(count, expected):
    assert expected_gain(0.37, count, count) == pytest.approx(expected, abs=2e-5)
    plan = best_of_n(count + 0.4)
    assert (plan.finished, plan.pictures) == (count, count) and plan.gain == pytest.approx(expected, abs=2e-5)


def test_best_two_of_three_wanted_are_half_the_largest_of_three():
    # Normal scores of three: a, 0, -a
    assert expected_gain(0.0, 3, 3, wanted=2) == pytest.approx(LARGEST_OF[3] / 2, abs=2e-5)
    assert expected_gain(0.0, 3, 3, wanted=3) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("finished", [1, 3, 5])
def test_drafts_that_tell_all_give_the_best_of_them_and_drafts_that_tell_nothing_that_of_the_finished(finished):
    assert expected_gain(1.0, 8, finished) == pytest.approx(LARGEST_OF[8], abs=2e-4)
    assert expected_gain(0.0, 8, finished) == pytest.approx(expected_gain(0.0, finished, finished), abs=1e-6)


@pytest.mark.parametrize("rho", [-0.6, 0.25, 0.9])
def test_one_finished_draft_gains_rho_times_the_largest(rho):
    assert expected_gain(rho, 16, 1) == pytest.approx(rho * LARGEST_OF[16], abs=2e-5)


@pytest.mark.parametrize(("rho", "drafts", "finished", "wanted"), [(0.5, 21, 2, 1), (0.7, 12, 5, 3), (-0.4, 9, 3, 2)])
def test_simulated_choosing_gains_the_same(rho, drafts, finished, wanted):
    draws = 40_000
    generator = torch.Generator().manual_seed(3)
    early = torch.randn(draws, drafts, generator=generator)
    final = rho * early + math.sqrt(1 - rho**2) * torch.randn(draws, drafts, generator=generator)
    kept = final.gather(1, early.topk(finished, dim=1).indices).topk(wanted, dim=1).values.mean(dim=1)
    error = float(kept.std()) / math.sqrt(draws)
    assert expected_gain(rho, drafts, finished, wanted) == pytest.approx(float(kept.mean()), abs=4 * error)


def test_the_published_example_of_one_step_drafts():
    """rho .5 in the time of 8 pictures: 42 drafts, 4 finished, 1.79 against 1.42; of 4: 21 and 2, 1.33 against 1.02."""
    eight, four = (finish_best(budget, 0.5, ONE_STEP_DRAFTS) for budget in (8, 4))
    assert (eight.drafts, eight.finished, eight.pictures) == (42, 4, pytest.approx(8.0))
    assert (four.drafts, four.finished, four.pictures) == (21, 2, pytest.approx(4.0))
    assert eight.gain == pytest.approx(1.79, abs=0.02) and four.gain == pytest.approx(1.33, abs=0.01)


@pytest.mark.parametrize(("budget", "break_even"), [(4, 0.55), (8, 0.46), (16, 0.40)])
def test_six_step_drafts_pay_from_the_known_rho_on(budget, break_even):
    without = best_of_n(budget).gain
    assert finish_best(budget, break_even - 0.02, SIX_STEP_DRAFTS).gain < without
    assert finish_best(budget, break_even + 0.02, SIX_STEP_DRAFTS).gain > without


def test_continuing_takes_no_step_twice():
    costs = Costs(draft=99, judge=1, final=20)
    plan = continue_best(8, 0.7, costs, share=0.5)
    assert plan.pictures == pytest.approx((plan.drafts * (10 + 1) + plan.finished * (10 + 1)) / 21)
    assert 7 < plan.pictures <= 8 + 1e-6
    # The same numbers by drafts of ten steps, finished anew, take longer
    assert finish_best(8, 0.7, Costs(10, 1, 20)).gain < plan.gain


def test_the_unit_of_the_times_does_not_matter():
    seconds = Costs(*(0.037 * each for each in SIX_STEP_DRAFTS))
    assert finish_best(4, 0.8, seconds) == pytest.approx(finish_best(4, 0.8, SIX_STEP_DRAFTS))


def test_too_little_time_gives_no_plan():
    assert best_of_n(1.9, wanted=2) is None
    assert finish_best(1.2, 0.5, SIX_STEP_DRAFTS) is None
    assert continue_best(1.0, 0.5, SIX_STEP_DRAFTS, share=0.4) is None
    assert finish_best(2.0, 0.5, ONE_STEP_DRAFTS, wanted=2) is None


@pytest.mark.parametrize(("rho", "numbers"), [(1.01, (4, 2, 1)), (0.5, (4, 5, 1)), (0.5, (4, 2, 3)), (0.5, (4, 2, 0))])
def test_impossible_numbers_are_refused(rho, numbers):
    with pytest.raises(ValueError, match="rho is 1.01|each must be 1 or more"):
        expected_gain(rho, *numbers)
