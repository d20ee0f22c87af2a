"""A reward that is a weighted sum of standardised others, as data: so that more lookaheads can be summed up again."""

import math
from collections.abc import Collection, Mapping

from torch import Tensor

from .one_line import shown
from .reward_scale import standardise

Combination = tuple[tuple["str | Combination", float], ...]
"""(name of a score or again a combination, weight) for each member."""

_MOST = 64  # members, those of its members included


def combine(members: Combination, scores: Mapping[str, Tensor]) -> Tensor:
    """Return the weighted sum, (n,), of the members' scores, (n,) each by name: each is standardised over the n first."""
    return sum(
        weight * standardise(scores[member] if isinstance(member, str) else combine(member, scores))
        for member, weight in members
    )


def checked_combination(members: object, names: Collection[str]) -> Combination:
    """Return members as a Combination of the scores with these names; () stays (). ValueError in one line otherwise."""
    count = 0

    def check(each: object) -> Combination:
        nonlocal count
        if not isinstance(each, (list, tuple)) or not each:
            raise ValueError(f"a combination of rewards has {shown(each)}, wanted pairs of a name and a weight")
        pairs = []
        for pair in each:
            count += 1
            if count > _MOST or not isinstance(pair, (list, tuple)) or len(pair) != 2:
                raise ValueError(
                    f"a combination of rewards is no list of at most {_MOST} pairs, wanted names with weights"
                )
            member, weight = pair
            if type(weight) not in (int, float) or not math.isfinite(weight):
                raise ValueError(f"a weight of a combination is {shown(weight)}, wanted a finite number")
            if isinstance(member, str) and member not in names:
                raise ValueError(f"a combination names the score {shown(member)}, wanted one that is there")
            pairs.append((member if isinstance(member, str) else check(member), float(weight)))
        return tuple(pairs)

    return () if isinstance(members, (list, tuple)) and not members else check(members)
