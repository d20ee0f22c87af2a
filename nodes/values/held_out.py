"""Whether a reward was hacked: it rises from one batch of images to another while rewards that did not guide fall."""

from typing import NamedTuple

from torch import Tensor


class Change(NamedTuple):
    """How the mean of a reward changed, in its own unit. standard_error: of `change`; 0 if one image cannot tell."""

    before: float
    after: float
    change: float
    standard_error: float

    @property
    def rises(self) -> bool:
        """Up by more than its standard error."""
        return self.change > self.standard_error

    @property
    def falls(self) -> bool:
        """Down by more than its standard error."""
        return self.change < -self.standard_error


def change(before: Tensor, after: Tensor) -> Change:
    """Compare the scores of two batches, (m,) and (n,); image by image where m = n, as batches of the same seeds."""
    if len(before) == len(after):
        variance = _variance_of_mean(after - before)
    else:
        variance = _variance_of_mean(before) + _variance_of_mean(after)
    first, second = float(before.mean()), float(after.mean())
    return Change(first, second, second - first, variance**0.5)


def hacked(guided: Change, held_out: dict[str, Change]) -> list[str]:
    """Return the held-out rewards that fall while the guided one rises, if there are two or more; else [].

    So do gradient guided images in table 2 of the LiDAR paper (arXiv 2602.03211): ImageReward up, CLIP and HPS down.
    """
    fallen = [name for name, each in held_out.items() if each.falls]
    return fallen if guided.rises and len(fallen) >= 2 else []


def hacking_warning(changes: dict[str, Change], names: list[str]) -> str:
    """Return a line that names what fell, "" if nothing is hacked; names: the guiding reward, then those held out."""
    guided, *held_out = names
    fallen = hacked(changes[guided], {name: changes[name] for name in held_out})
    return f"looks like reward hacking: {guided} rises while {', '.join(fallen)} fall" if fallen else ""


def _variance_of_mean(values: Tensor) -> float:
    return float(values.double().var(correction=1)) / len(values) if len(values) > 1 else 0.0
