"""What choosing among drafts is worth in a given time, if draft and final scores of a prompt are jointly normal.

One number tells how good drafts are: rho, the correlation of a draft's score with the finished picture's of the same
noise, within a prompt. Gains are in within-prompt standard deviations of the final score, over one picture of any seed.

best of N            finish N pictures, keep the best
finish the best      draw n drafts, finish the m best of them, keep the best by the final score
continue the best    run n pictures for a share of their steps, go on with the m best, keep the best by the final score

Given the (m+1)-th best draft t, the m best are independent normals above t (David and Nagaraja, Order Statistics, 2.5),
so the m final scores are too, each with survival P(f > y | d > t); two integrals remain.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

_Y = torch.linspace(-9, 9, 361, dtype=torch.float64)  # of a final score


class Costs(NamedTuple):
    """Times in one unit, whichever: draft: of sampling one; judge: one decode and score; final: of sampling one picture."""

    draft: float
    judge: float
    final: float

    @property
    def finished(self) -> float:
        """The time of one finished and scored picture."""
        return self.final + self.judge


class Plan(NamedTuple):
    """drafts: how many candidates are scored early; finished: how many of them are finished; gain: expected; pictures: the time
    that it takes, in finished pictures."""

    drafts: int
    finished: int
    gain: float
    pictures: float


def expected_gain(rho: float, drafts: int, finished: int, wanted: int = 1) -> float:
    """Return the expected mean final score of those kept: the best `wanted` of the `finished` best of `drafts`.

    In standard deviations of the final score, 0 for pictures that nobody chose. ValueError unless
    1 <= wanted <= finished <= drafts and -1 <= rho <= 1.
    """
    if not 1 <= wanted <= finished <= drafts:
        raise ValueError(
            f"wanted {wanted}, finished {finished}, drafts {drafts}: each must be 1 or more, none above the next"
        )
    if not -1 <= rho <= 1:
        raise ValueError(f"rho is {rho:g}, wanted a correlation from -1 to 1")
    if finished == drafts:
        return float(_mean_of_best(torch.special.ndtr(-_Y), finished, wanted))
    threshold, weight = _next_best(drafts, finished)
    above = torch.special.ndtr(-threshold)[:, None]
    survival = _both_above(threshold[:, None], _Y[None], rho) / above
    return float(weight @ _mean_of_best(survival.clamp(0, 1), finished, wanted))


def best_of_n(budget: float, *, wanted: int = 1) -> Plan | None:
    """Return best of N for the time of `budget` finished pictures; None where it does not suffice."""
    count = math.floor(budget + 1e-9)
    return Plan(count, count, expected_gain(0.0, count, count, wanted), float(count)) if count >= wanted else None


def finish_best(budget: float, rho: float, costs: Costs, *, wanted: int = 1) -> Plan | None:
    """Return the best number of drafts and of finished ones for the time of `budget` finished pictures; None if it is too short."""
    return _best_plan(budget, rho, costs.draft + costs.judge, costs.finished, costs.finished, wanted)


def continue_best(budget: float, rho: float, costs: Costs, *, share: float, wanted: int = 1) -> Plan | None:
    """Return the best number of candidates and of finished ones, where candidates run `share` of the final's steps.

    rho: of the score at that share. costs.draft does not count. None where the budget is too short.
    """
    candidate = share * costs.final + costs.judge
    return _best_plan(budget, rho, candidate, (1 - share) * costs.final + costs.judge, costs.finished, wanted)


def _best_plan(budget, rho, candidate: float, finish: float, picture: float, wanted: int) -> Plan | None:
    time = budget * picture * (1 + 1e-9)
    best = None
    for finished in range(wanted, math.floor(time / finish) + 1):
        drafts = math.floor((time - finished * finish) / candidate)
        if drafts < finished:
            break
        gain = expected_gain(rho, drafts, finished, wanted)
        if best is None or gain > best.gain:
            best = Plan(drafts, finished, gain, (drafts * candidate + finished * finish) / picture)
    return best


def _next_best(drafts: int, finished: int) -> tuple[Tensor, Tensor]:
    """Places and weights for the mean over the score of the best draft that is not finished."""

    def log_density(t: Tensor) -> Tensor:
        above, below = torch.special.log_ndtr(-t), torch.special.log_ndtr(t)
        return finished * above + (drafts - finished - 1) * below - t.square() / 2

    everywhere = torch.linspace(-9, 9, 9001, dtype=torch.float64)
    density = log_density(everywhere)
    inside = everywhere[density > density.max() - 35]
    places = torch.linspace(float(inside[0]), float(inside[-1]), 64, dtype=torch.float64)
    return places, torch.softmax(log_density(places), dim=0)


def _both_above(t: Tensor, y: Tensor, rho: float) -> Tensor:
    """P(d > t, f > y) of two standard normals: an integral over the angle, 0 to asin rho (Drezner and Wesolowsky 1990)."""
    nodes, weights = _gauss_legendre(40)
    half = math.asin(rho) / 2
    total = torch.special.ndtr(-t) * torch.special.ndtr(-y)
    for node, weight in zip(nodes, weights, strict=True):
        angle = half * (1 + node)
        exponent = (t.square() + y.square() - 2 * t * y * math.sin(angle)) / (2 * math.cos(angle) ** 2)
        total = total + weight * half / (2 * math.pi) * torch.exp(-exponent)
    return total


def _gauss_legendre(count: int) -> tuple[list[float], list[float]]:
    """Nodes and weights on [-1, 1], as eigenvalues of the Jacobi matrix (Golub and Welsch 1969)."""
    k = torch.arange(1, count, dtype=torch.float64)
    beside = torch.diag(k / (4 * k.square() - 1).sqrt(), 1)
    nodes, vectors = torch.linalg.eigh(beside + beside.T)
    return nodes.tolist(), (2 * vectors[0].square()).tolist()


def _mean_of_best(survival: Tensor, count: int, wanted: int) -> Tensor:
    """Mean of the best `wanted` of `count` independent scores; survival (..., y): P(score > y) at _Y."""
    # Of B scores above y, min(wanted, B) are kept: the mean is -9 plus the integral of their expected share
    short = torch.zeros_like(survival)
    for j in range(wanted):
        ways = math.lgamma(count + 1) - math.lgamma(j + 1) - math.lgamma(count - j + 1)
        exactly_j = (
            ways
            + torch.xlogy(survival.new_tensor(j), survival)
            + torch.xlogy(survival.new_tensor(count - j), 1 - survival)
        )
        short += (1 - j / wanted) * exactly_j.exp()
    return float(_Y[0]) + torch.trapezoid(1 - short, _Y, dim=-1)
