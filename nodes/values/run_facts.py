"""What a run tells in the end: lines on the node, and the same as facts on its contact sheet."""

FROM_OTHER_NOISE = "more images, from other noise"
_COST = "model evaluations"
_ON_THE_SHEET = ("sigma ", "best lookahead ", "set ")  # such lines stand elsewhere on it


def cost(evaluations: int, of_lookaheads: int) -> str:
    """Return what a run took in all, as words: its own evaluations and those of its lookaheads, 0 where these are not known."""
    share = f", {of_lookaheads} of them for the lookaheads" if of_lookaheads else ""
    return f"{evaluations + of_lookaheads} {_COST}{share}"


def run_facts(report: str) -> list[tuple[str, str]]:
    """Return (what, how much) pairs of what a run told: ("guided", "6 of 20 steps, sigma 14.6 to 2.1"), and ("", line) of other lines."""
    lines, facts = [line for line in report.split("\n") if line], []
    sigma = "".join(f", {line}" for line in lines if line.startswith("sigma "))
    for line in lines:
        what, _, took = line.partition(": ")
        if _COST in took:
            facts += [("", what), ("", took)]
        elif line.startswith("guided "):
            facts.append(("guided", line.removeprefix("guided ") + sigma))
        elif not line.startswith(_ON_THE_SHEET):
            facts.append(("", line))
    return facts
