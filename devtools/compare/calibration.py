"""Before the comparison: what each method takes on this server, and so how many pictures best of N may draw."""

from __future__ import annotations

from .cell import Cells
from .equal_seconds import count_for
from .methods import BEST_OF, GUIDED, LARGEST_REPEAT, PICTURES, VANILLA
from .server_run import Finished

_FIRST_SEED = 2**40  # beyond every prompt's own, so that nothing counted comes out of the server's cache
_PAIRS = 2


class Uncounted:
    """Runs that are not counted, each with a seed that no other has."""

    def __init__(self, cells: Cells, text: str):
        self.cells, self.text, self.seed = cells, text, _FIRST_SEED

    def run(self, method: str, *, count: int = 1, wanted: int = 1) -> Finished:
        self.seed += 1
        return self.cells.server.run(self.cells.drawing(method, self.text, self.seed, count=count, wanted=wanted).graph)


def calibrated(uncounted: Uncounted) -> dict[str, int]:
    """How many pictures are wanted of a prompt and seed, and how many best of N draws in LiDAR's time.

    LiDAR is timed anew beside each number that is tried: a machine that slows down meanwhile slows both.
    """
    print(f"Measuring the seconds of each method on {uncounted.text!r} ...", flush=True)
    plain = uncounted.run(VANILLA)
    wanted = len(plain.outputs[PICTURES]["images"])

    def share_of(count: int) -> float:
        pairs = [
            (uncounted.run(BEST_OF, count=count, wanted=wanted).seconds, uncounted.run(GUIDED).seconds)
            for _ in range(_PAIRS)
        ]
        best_of, lidar = map(min, zip(*pairs, strict=True))  # what else runs on the machine only adds
        print(f"  best of {count}: {best_of:.2f} s, LiDAR: {lidar:.2f} s", flush=True)
        return best_of / lidar

    guess = round(wanted * uncounted.run(GUIDED).seconds / max(plain.seconds, 1e-3))
    return {
        "images": wanted,
        "best_of": count_for(1.0, share_of, guess=guess, least=wanted, most=LARGEST_REPEAT * wanted),
    }
