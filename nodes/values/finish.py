"""How many images are finished for those that are wanted, where the best of them are kept by their final score."""


def finish_count(finish: int, *, wanted: int, count: int, lookahead: float, image: float) -> int:
    """Return how many images are finished so that `wanted` of them are kept: `wanted` at least, `count` at most.

    finish: what is asked for; 0: as many as `count` lookaheads cost, so that half of the time goes into choosing a start and
    half into finishing. lookahead, image: what one costs, in evaluations of the network.
    That half is best where a lookahead's score correlates with its image's by .4 to .6 (a Gaussian model of both scores; 6 steps
    reach .3 to .5 on SDXL and FLUX by the scores of arXiv 2511.22242). Where they cost less than an image each is finished once.
    """
    return max(wanted, min(finish or int(count * lookahead / image), count))


def evaluations(steps: float, cfg: float) -> float:
    """Return how often the network works on an image in so many steps: twice a step, but once with a cfg of 1."""
    return steps * (1 if cfg == 1 else 2)


def cut_step(share: float, steps: int) -> int:
    """Return after how many of `steps` a run is cut, the share rounded: one at least, and one step is left. ValueError for one step."""
    if steps < 2:
        raise ValueError("a run of 1 step has no place to be cut at: set steps to 2 or more, 10 to be of use")
    return min(max(round(share * steps), 1), steps - 1)
