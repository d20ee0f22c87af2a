"""What was measured of drafts, and what to choose, as text."""

from collections.abc import Mapping

from ...lidar_core import expected_gain
from ..values.draft_advice import Choice, best, continuing, drafting
from ..values.draft_measures import DraftMeasures
from ..values.seed_share import LOW
from .score_table import aligned


def way_name(share: float | None) -> str:
    """Return the name of a way to judge early; share: of the final steps that are done, None for drafts."""
    return "draft" if share is None else f"{share:.0%} of the steps"


def draft_report(
    measures: DraftMeasures, table: Mapping[float, list[Choice]], budget: float, wanted: int, config: str
) -> tuple[str, str]:
    """Return (a few lines for the node, the whole report).

    table: time in plain pictures -> choices. wanted: images that are kept. config: a summary of the config for the budget.
    """
    costs, chosen = measures.costs, best(table[budget])
    rhos = [[f"rho of a {way_name(None)}", measures.ways[0].correlation.text()]]
    rhos += [[f"rho at {way_name(way.share)}", way.correlation.text()] for way in measures.ways[1:]]
    share = f"seed's share of the picture {measures.seed_share:.2f}"
    alike = f"; below {LOW:g} pictures look alike, and there is little to choose from" * (measures.seed_share < LOW)
    seconds = (
        f"seconds a picture: draft {costs.draft:.3g}, final {costs.final:.3g}, decode {measures.decode:.3g}, "
        f"score {costs.judge - measures.decode:.3g}"
    )
    choose = f"in {budget:g} times the time of {_plain(wanted)}: {_advice(chosen)}"
    seen = float((measures.final.max() - measures.final.mean()) / measures.final.std())
    normal = expected_gain(0.0, len(measures.final), len(measures.final))
    unsure = _unsure(chosen, table[budget][0])
    brief = "\n".join(
        [choose + unsure, f"rho of a draft {measures.ways[0].correlation.text()}", share + alike, seconds]
    )
    head = ["time", "best of N", "drafts", "continuing", "choose"]
    rows = [
        [f"{time:g}", *(_cell(choice) for choice in (found[0], drafting(found), continuing(found))), _name(best(found))]
        for time, found in table.items()
    ]
    report = "\n".join(
        [
            f"Choose {choose}{unsure}",
            "",
            f"{len(measures.final)} pictures of one prompt, judged by {measures.reward}",
            "",
            "How well an early score foretells the finished picture's (Spearman, 95 % interval)",
            aligned(rhos),
            "",
            seconds,
            share + " (0: all look alike, 1: nothing in common)" + alike,
            "",
            f"Expected gain in standard deviations of the final score, {_plain(wanted)} wanted, interval of rho in brackets",
            aligned([head, *rows]),
            f"time: so many times as long as {_plain(wanted)}. n: candidates. finish: how many of the best are finished.",
            f"The best of these {len(measures.final)} is {seen:+.2f} above their mean; of normal scores it would be {normal:+.2f}. Where it is",
            "much less, scores have a ceiling: then read the order of the choices, and less gain than the table says.",
            "",
            "lookahead_config, as chosen:",
            config,
            "What guidance adds is not in these figures. Other prompts have other rho: measure two or three.",
        ]
    )
    return brief, report


def _plain(wanted: int) -> str:
    return "one picture" if wanted == 1 else f"{wanted} pictures"


def _name(choice: Choice) -> str:
    if choice.share == 1:
        return "best of N"
    return "drafts" if choice.share is None else "continuing"


def _advice(choice: Choice) -> str:
    plan = choice.plan
    if choice.share == 1:
        return f"the best of {plan.drafts}, {_gain(choice)}"
    early = "drafts" if choice.share is None else f"candidates to {way_name(choice.share)}"
    return f"{plan.drafts} {early}, finish {plan.finished}, {_gain(choice)}"


def _unsure(choice: Choice, plain: Choice) -> str:
    return (
        "; not certain, by the interval of rho more pictures may gain as much" if choice.low < plain.plan.gain else ""
    )


def _cell(choice: Choice | None) -> str:
    if choice is None:
        return "too short"
    plan = choice.plan
    at = "" if choice.share in (None, 1.0) else f" at {choice.share:.0%}"
    return f"n {plan.drafts}{at}" + f", finish {plan.finished}" * (choice.share != 1) + f": {_gain(choice)}"


def _gain(choice: Choice) -> str:
    interval = "" if choice.share == 1 else f" [{choice.low:+.2f}, {choice.high:+.2f}]"
    return f"{choice.plan.gain:+.2f}{interval}"
