"""What to choose for a given time: the best of N, drafts or continuing, by how well early scores were seen to foretell."""

from typing import NamedTuple

from ...lidar_core import Costs, Plan, best_of_n, continue_best, expected_gain, finish_best
from .rank_correlation import Correlation, normal_correlation

BUDGETS = (2.0, 4.0, 8.0, 16.0)


class Early(NamedTuple):
    """One way to judge before finishing. share: of the final steps that are done; None: by drafts."""

    share: float | None
    correlation: Correlation


class Choice(NamedTuple):
    """share: as of Early; 1: all are finished, the best of N. low, high: gain of this plan at the ends of rho's interval."""

    share: float | None
    plan: Plan
    low: float
    high: float


def choices(budget: float, wanted: int, ways: list[Early], costs: Costs) -> list[Choice]:
    """Return what `budget` times the time of `wanted` plain pictures allows: the best of N first, then each way in turn.

    Gains are those of lidar_core's expected_gain. A way for which the time is too short is left out.
    """
    time = budget * wanted
    plain = best_of_n(time, wanted=wanted)
    found = [Choice(1.0, plain, plain.gain, plain.gain)]
    for share, correlation in ways:
        rho = normal_correlation(correlation.rho)
        if share is None:
            plan = finish_best(time, rho, costs, wanted=wanted)
        else:
            plan = continue_best(time, rho, costs, share=share, wanted=wanted)
        if plan is not None:
            ends = (normal_correlation(end) for end in (correlation.low, correlation.high))
            low, high = (expected_gain(end, plan.drafts, plan.finished, wanted) for end in ends)
            found.append(Choice(share, plan, low, high))
    return found


def best(found: list[Choice]) -> Choice:
    """Return the choice of the largest expected gain; the best of N among equals."""
    return max(found, key=lambda choice: choice.plan.gain)


def continuing(found: list[Choice]) -> Choice | None:
    """Return the best of those that continue; None where there is none."""
    return max((each for each in found if each.share not in (None, 1.0)), key=lambda each: each.plan.gain, default=None)


def drafting(found: list[Choice]) -> Choice | None:
    """Return the choice of drafts; None where the time is too short for any."""
    return next((each for each in found if each.share is None), None)
