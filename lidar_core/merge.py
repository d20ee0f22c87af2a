"""Several LookaheadSets as one, whatever their order: parts of a seed's rows, or lookaheads of several seeds."""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from .combination import combine
from .lookahead_set import LookaheadSet
from .one_line import shown
from .origin import Origin

_SAME = 0.01


def merge(sets: Mapping[str, LookaheadSet], apart: Collection[str] = ()) -> LookaheadSet:
    """Return all lookaheads of the sets, by seed and row; those that are there more than once are kept once.

    sets: by the name that people know them by. The same lookahead: of one origin, and the latents less than 1 % apart,
    for computers differ in the last digits. Rewards that are combined from scores are combined again over all.
    apart: keys of metadata that may differ, and are left out. ValueError, one line, where sets differ in shape, judges,
    reward or metadata, or where rewards are neither scores nor a combination of them, so that those of different sets
    cannot be compared.
    """
    (first_name, first), *others = sets.items()
    for name, other in others:
        _require_alike(first_name, first, name, other, apart)
    alike: dict[Origin, list[tuple[LookaheadSet, int]]] = {}
    for each in sets.values():
        for index, origin in enumerate(each.origins):
            alike.setdefault(origin, []).append((each, index))
    kept = []
    for origin in sorted(alike, key=lambda origin: (origin.seed is None, origin.seed or 0, origin)):
        kept += _once(alike[origin])
    scores = {name: torch.stack([each.scores[name][index] for each, index in kept]) for name in first.scores}
    rewards = combine(first.combination, scores) if first.combination else scores.get(first.reward_name)
    if rewards is None:
        raise ValueError(
            f"the rewards {shown(first.reward_name)} were made for the lookaheads of one set and cannot be compared with "
            "those of another, wanted the judges' own: merge first, and pick then"
        )
    pictured = all(each.pictures for each in sets.values())
    return LookaheadSet(
        torch.stack([each.latents[index] for each, index in kept]),
        rewards,
        first.reward_name,
        {key: value for key, value in first.metadata.items() if key not in apart},
        tuple(each.origins[index] for each, index in kept),
        scores,
        first.combination,
        tuple(each.pictures[index] for each, index in kept) if pictured else (),
    )


def _once(places: list[tuple[LookaheadSet, int]]) -> list[tuple[LookaheadSet, int]]:
    """Of the lookaheads of one origin those that differ, in an order that follows from their contents."""
    if len(places) == 1:
        return places
    by_content = {_content(each, index): (each, index) for each, index in places}
    kept: list[tuple[LookaheadSet, int]] = []
    for content in sorted(by_content):
        each, index = by_content[content]
        if not any(_near(each.latents[index], other.latents[place]) for other, place in kept):
            kept.append((each, index))
    return kept


def _content(each: LookaheadSet, index: int) -> tuple[bytes, ...]:
    scores = [values[index].numpy().tobytes() for values in each.scores.values()]
    return each.latents[index].numpy().tobytes(), *scores, each.pictures[index] if each.pictures else b""


def _near(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).norm() <= _SAME * torch.maximum(one.norm(), other.norm()))


def _require_alike(
    first_name: str, first: LookaheadSet, name: str, other: LookaheadSet, apart: Collection[str]
) -> None:
    pairs = {
        "the size of the latents": [tuple(each.latents.shape[1:]) for each in (first, other)],
        "the reward": [each.reward_name for each in (first, other)],
        "the judges": [", ".join(each.scores) for each in (first, other)],
        "the weights of the judges": [each.combination for each in (first, other)],
    }
    for key in sorted({*first.metadata, *other.metadata} - set(apart)):
        pairs[f"the {key}"] = [each.metadata.get(key, "") for each in (first, other)]
    for kind, (one, another) in pairs.items():
        if one != another:
            one, another = (shown(value if isinstance(value, str) else str(value)) for value in (one, another))
            raise ValueError(
                f"{first_name} and {name} differ in {kind}, {one} and {another}, wanted sets that are alike"
            )
