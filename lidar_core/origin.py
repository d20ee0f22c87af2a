"""Origin: where one lookahead came from, so that it can be drawn again and told from others."""

from dataclasses import dataclass

from .one_line import shown

LARGEST_SEED = 2**64 - 1
LARGEST_ROW = 2**31 - 1


@dataclass(frozen=True, order=True)
class Origin:
    """row: the place of its noise among those of its seed, as ComfyUI's batch_index counts. seed: None if unknown.

    model, sampler: what drew it, for people; empty if unknown. Raises TypeError for other types and ValueError for a row
    or seed out of range, in one line.
    """

    row: int
    seed: int | None = None
    model: str = ""
    sampler: str = ""

    def __post_init__(self):
        for name, largest in (("row", LARGEST_ROW), ("seed", LARGEST_SEED)):
            value = getattr(self, name)
            if name == "seed" and value is None:
                continue
            if type(value) is not int:
                raise TypeError(f"{name} of a lookahead is {shown(value)}, wanted a whole number")
            if not 0 <= value <= largest:
                raise ValueError(f"{name} of a lookahead is out of range, wanted a whole number from 0 to {largest}")
        for name in ("model", "sampler"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name} of a lookahead is {shown(getattr(self, name))}, wanted a text")
