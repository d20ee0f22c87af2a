"""Before the comparison: what each method takes on this server, and so how many pictures best of N may draw."""

from __future__ import annotations

from .cell import Cells
from .equal_seconds import count_for
from .methods import BEST_OF, GUIDED, LARGEST_REPEAT, PICTURES, VANILLA
from .server_run import Finished

_FIRST_SEED = 2**40  # beyond every prompt's own, so that nothing counted comes out of the server's cache


class Uncounted:
    """Runs that are not counted, each with a seed that no other has."""

    def __init__(self, cells: Cells, text: str):
        self.cells, self.text, self.seed = cells, text, _FIRST_SEED

    def run(self, method: str, *, count: int = 1, wanted: int = 1) -> Finished:
        self.seed += 1
        return self.cells.server.run(self.cells.drawing(method, self.text, self.seed, count=count, wanted=wanted).graph)


def calibrated(uncounted: Uncounted) -> dict[str, int]:
    """How many pictures are wanted of a prompt and seed, and how many best of N draws in LiDAR's time."""
    print(f"Measuring the seconds of each method on {uncounted.text!r} ...", flush=True)
    plain = uncounted.run(VANILLA)
    wanted = len(plain.outputs[PICTURES]["images"])

    def seconds_of(method: str, **size: int) -> float:
        took = min(uncounted.run(method, **size).seconds for _ in range(2))  # what else runs there only adds
        print(f"  {method}{_named(size)}: {took:.2f} s", flush=True)
        return took

    target = seconds_of(GUIDED)
    best_of = count_for(
        target,
        lambda count: seconds_of(BEST_OF, count=count, wanted=wanted),
        guess=round(wanted * target / max(plain.seconds, 1e-3)),
        least=wanted,
        most=LARGEST_REPEAT * wanted,
    )
    return {"images": wanted, "best_of": best_of}


def _named(size: dict[str, int]) -> str:
    return f" = {size['count']}" if size else ""
