"""The measurements of exact_worlds.py as Markdown."""

from collections.abc import Callable, Iterable

from .estimators import ESTIMATORS
from .mixtures import REWARDS, World

Row = dict
INTRODUCTION = """\
Mixtures of 8 modes about 3 apart in a plane, in D dimensions, with spread 0.25 per number and a reward constant on each mode; lambda = 0.7. \
Other worlds say what differs. *paper*: the difference of the \
weighted means times s. *blend*: s of the way from the denoised prediction to the tilted mean. *d=256*: temperature D / 256. *early*: only \
above noise level 0.8, about a quarter of the distance between modes; the preset recommended ends earlier, at 3.3 on SDXL's noise levels."""
MOVES = """\
Move of the denoised prediction, **bias / standard deviation** over lookahead sets, both relative to the exact move's norm (root mean \
squares over noisy states). The gradient of the expected future reward is alpha / sigma^2 times the move, so these are its figures too. \
A bias below an eighth of the deviation is within its own error. ESS: effective sample size of w, then of w_r, at temperature 1 [and at d=256]."""
SAMPLES = """\
Total variation of the samples' modes to the tilted law: **mean of single lookahead sets (sets pooled)**. *exact* is the tilted law's own \
denoiser: what solver and counting leave."""
INSIDE = """\
Within modes: **total variation of single sets / standard deviation over the true one / distance to the nearest lookahead over that of true \
samples / share of the mean reward's exact gain**. 1 is right for the last three; a distance of 0 means copies of lookaheads."""
STARTS = """\
Start from the noise of the 4 best of n six-step lookaheads, all sets pooled. TV to the tilted law, to the closed-form law of the best 4 of \
n, and to the nearest tilted law of any lambda; share of the best mode (tilted: {best:.2f}); how often the final sample keeps its draft's mode; \
standard deviation about the mode's centre over the true one."""


def table(found: dict) -> str:
    """Return the measurements as Markdown; found: what exact_worlds.measure returns."""
    moves = [row for row in found["moves"] if row["exact_norm"] > 0.01]
    plain, varied = _split(moves)
    samples, varied_samples = _split(found["samples"])
    many = [row for row in plain if row["sigma"] == 2]
    typical = [row for row in plain if row["count"] == 50]
    other = [row for row in varied if row["sigma"] in (0.25, 2)]
    parts = [
        INTRODUCTION,
        f"Exact lookaheads, n = 50. {MOVES}",
        _moves(typical, ("dimension", "sigma")),
        "The same at sigma = 2 over n.",
        _moves(many, ("dimension", "count")),
        "The same, n = 50, in other worlds.",
        _moves(other, (_world, "dimension", "sigma")),
        SAMPLES,
        _grid(samples, ("dimension", "count"), lambda row: f"{row['tv']:.2f} ({row['tv_pooled']:.2f})"),
        INSIDE,
        _grid([row for row in samples if row["count"] == 50], ("dimension",), _inside),
        "The same in other worlds, n = 50.",
        _grid(varied_samples, (_world, "dimension"), _inside),
        STARTS.format(best=World(2).tilted.weights[REWARDS.argmax()].item()),
        _starts(found["starts"]),
        f"{found['seconds']:.0f} s of processor time on one thread.",
    ]
    return "\n\n".join(parts) + "\n"


def _split(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    plain = [row for row in rows if not _world(row)]
    return plain, [row for row in rows if _world(row)]


def _world(row: Row) -> str:
    """What is out of the ordinary about a row's world; "" if nothing is."""
    words = {
        "6-step lookaheads": row["lookaheads"] != "exact",
        "linear reward": row["linear"],
        "spread 0.25 sqrt(2/D)": not row["drowned"],
        f"lambda = {row['strength']:g}": row["strength"] != 0.7,
    }
    return ", ".join(word for word, applies in words.items() if applies)


def _inside(row: Row) -> str:
    return " / ".join(f"{row[name]:.2f}" for name in ("tv", "spread", "nearest", "reward_gain"))


def _moves(rows: list[Row], keys: Iterable) -> str:
    return _grid(rows, keys, lambda row: f"{row['bias']:.2f} / {row['deviation']:.2f}", _about_move)


def _about_move(rows: list[Row]) -> dict[str, str]:
    sizes = [f"{row['ess']:.1f}, {row['tilted_ess']:.1f}" for row in rows]
    tempered = next((f" [{size}]" for row, size in zip(rows, sizes, strict=True) if "d=256" in row["estimator"]), "")
    return {"norm": f"{rows[0]['exact_norm']:.2f}", "ESS": sizes[0] + tempered}


def _grid(rows: list[Row], keys: Iterable, cell: Callable[[Row], str], about=lambda rows: {}) -> str:
    """One line per value of `keys`, one column per estimator; about(rows of a line) -> further columns."""
    present = {row["estimator"] for row in rows}
    columns = [name for name in ("unguided", "exact", *ESTIMATORS) if name in present]
    lines: dict[tuple, list[Row]] = {}
    for row in rows:
        lines.setdefault(tuple(key(row) if callable(key) else row[key] for key in keys), []).append(row)
    names = [{"dimension": "D", "count": "n"}.get(key, "world" if callable(key) else key) for key in keys]
    further = list(about(next(iter(lines.values()))))
    body = []
    for line, found in lines.items():
        cells = {row["estimator"]: cell(row) for row in found}
        body.append([f"{value}" for value in line] + list(about(found).values()) + [cells.get(c, "") for c in columns])
    return _markdown([*names, *further, *columns], body)


def _starts(rows: list[Row]) -> str:
    head = [
        "D",
        "n",
        "then",
        "TV tilted",
        "TV best 4 of n",
        "TV nearest (its lambda)",
        "best mode",
        "same mode",
        "spread",
    ]
    body = [
        [
            f"{row['dimension']}", f"{row['count']}", row["estimator"], f"{row['tv']:.2f}", f"{row['tv_best_of']:.2f}",
            f"{row['tv_closest']:.2f} ({row['closest_strength']:.1f})", f"{row['best_mode']:.2f}",
            f"{row['same_mode']:.2f}", f"{row['spread']:.2f}",
        ]
        for row in rows
    ]  # fmt: skip
    return _markdown(head, body)


def _markdown(head: list[str], body: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
