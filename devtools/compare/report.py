"""The report: the answer in words, tables, pictures and how it was measured, as Markdown beside the rows."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .figures import Cell, Estimate, differences, estimate, foretold, mean_reward, spread, whole_cells
from .methods import BEST_OF, GUIDED, METHODS, VANILLA
from .prompts_file import Prompt
from .rows_file import Row
from .sheet import PROMPTS_A_SHEET, contact_sheet

_PAIRS = ((GUIDED, BEST_OF), (GUIDED, VANILLA), (BEST_OF, VANILLA))
_EMBEDDED = 5  # sheets shown in the page; the others are linked
_FEW = 20  # below it a bootstrap interval over prompts is too narrow to decide by


def write_report(head: Mapping[str, Any], rows: Sequence[Row], prompts: Sequence[Prompt], folder: Path) -> str:
    """Writes report.md and the sheets for what every method has drawn of these prompts; returns the answer's lines."""
    texts = [prompt.text for prompt in prompts]
    cells = [cell for cell in whole_cells(rows) if cell[GUIDED]["prompt"] in set(texts)]
    names = {VANILLA: "one picture (KSampler)", BEST_OF: f"best of {head['best_of']}", GUIDED: GUIDED}
    if head["images"] > 1:
        names |= {VANILLA: "KSampler", BEST_OF: f"best {head['images']} of {head['best_of']}"}
    answer = _answer(head, cells, names)
    sheets = _write_sheets(head, cells, texts, folder, names)
    parts = [
        f"# LiDAR compared on {head['workflow_name']}",
        answer,
        "## What each method gave",
        _means(head, cells, names),
        "## Differences",
        f"Of the mean reward, prompt by prompt; in brackets the 95 % bootstrap interval over {_prompts(cells)} prompts.",
        _differences(head, cells, names),
        *_by_tag(head, cells, names, prompts),
        "## Pictures",
        "In the order of the prompts, the first seed first; green is the best of its place.",
        *(f"![Contact sheet]({name})" for name in sheets[:_EMBEDDED]),
        *([" ".join(f"[{name}]({name})" for name in sheets[_EMBEDDED:])] if sheets[_EMBEDDED:] else []),
        "## How it was measured",
        _method(head, names),
    ]
    (folder / "report.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return answer


def _answer(head: Mapping[str, Any], cells: Sequence[Cell], names: Mapping[str, str]) -> str:
    took = {method: statistics.median(cell[method]["seconds"] for cell in cells) for method in METHODS}
    share = statistics.median(cell[BEST_OF]["seconds"] / cell[GUIDED]["seconds"] for cell in cells)
    lines = [
        f"**{GUIDED} against {names[BEST_OF]}, which took {share:.2f} times its seconds** ({GUIDED} {took[GUIDED]:.2f} s, "
        f"{names[BEST_OF]} {took[BEST_OF]:.2f} s):",
        "",
    ]
    for name in head["rewards"]:
        gains = differences(cells, name, GUIDED, BEST_OF)
        found = estimate(gains)
        ahead = sum(gain > 0 for gain in gains)
        role = "guides" if name == head["rewards"][0] else "held out"
        verdict = _verdict(found, len(gains))
        lines.append(f"- {name} ({role}): **{verdict}**, {_signed(found)}; ahead for {ahead} of {len(gains)} prompts.")
    lines += _in_spreads(head, cells, names) + _drafts(head, cells)
    if share < 0.97:
        lines.append(
            f"- So {names[BEST_OF]} had less time: its figures are too low for equal seconds. Measure again in a new folder, with "
            "nothing else running."
        )
    return "\n".join(lines)


def _verdict(found: Estimate, prompts: int) -> str:
    if prompts < _FEW:
        return f"too few prompts to tell (take {_FEW} or more)"
    return "LiDAR is ahead" if found.low > 0 else "LiDAR is behind" if found.high < 0 else "no difference shown"


def _in_spreads(head: Mapping[str, Any], cells: Sequence[Cell], names: Mapping[str, str]) -> list[str]:
    unit, name = spread(cells), head["rewards"][0]
    if unit is None:
        return []
    over_vanilla = {m: statistics.fmean(differences(cells, name, m, VANILLA)) / unit for m in (BEST_OF, GUIDED)}
    return [
        f"- In units of the reward's spread between seeds ({unit:.3g}), over {names[VANILLA]}: "
        f"{names[BEST_OF]} {over_vanilla[BEST_OF]:+.2f}, {GUIDED} {over_vanilla[GUIDED]:+.2f}."
    ]


def _drafts(head: Mapping[str, Any], cells: Sequence[Cell]) -> list[str]:
    rho = foretold(cells) if head["shares_noise"] else None
    if rho is None:
        return ["- How well lookaheads foretell finished pictures is not known here: they do not share their noise."]
    return [
        f"- A lookahead's score foretells the finished picture's by rho {rho.value:.2f} [{rho.low:.2f}, {rho.high:.2f}]."
    ]


def _means(head: Mapping[str, Any], cells: Sequence[Cell], names: Mapping[str, str]) -> str:
    rows = [["method", "seconds (median)", *head["rewards"]]]
    for method in METHODS:
        seconds = statistics.median(cell[method]["seconds"] for cell in cells)
        means = (statistics.fmean(mean_reward(cell[method], name) for cell in cells) for name in head["rewards"])
        rows.append([names[method], f"{seconds:.2f}", *(f"{mean:.4g}" for mean in means)])
    return _table(rows)


def _differences(head: Mapping[str, Any], cells: Sequence[Cell], names: Mapping[str, str]) -> str:
    rows = [["reward", *(f"{names[method]} - {names[other]}" for method, other in _PAIRS)]]
    for name in head["rewards"]:
        rows.append([name, *(_signed(estimate(differences(cells, name, *pair))) for pair in _PAIRS)])
    return _table(rows)


def _by_tag(
    head: Mapping[str, Any], cells: Sequence[Cell], names: Mapping[str, str], prompts: Sequence[Prompt]
) -> list[str]:
    """A table for each kind of prompt, where the file tells kinds, as GenEval's does."""
    tags = {prompt.text: str(prompt.record["tag"]) for prompt in prompts if "tag" in prompt.record}
    rows = [["kind of prompt", "prompts", *head["rewards"]]]
    for tag in dict.fromkeys(tags.values()):
        some = [cell for cell in cells if tags.get(cell[GUIDED]["prompt"]) == tag]
        gains = [estimate(differences(some, name, GUIDED, BEST_OF)) for name in head["rewards"]]
        told = [_signed(gain) if _prompts(some) >= _FEW else f"{gain.value:+.3g}" for gain in gains]
        rows.append([tag, str(_prompts(some)), *told])
    return [f"{names[GUIDED]} - {names[BEST_OF]} by kind of prompt:", _table(rows)] if len(rows) > 2 else []


def _method(head: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return "\n".join([
        f"- Server: ComfyUI {head['comfyui']} on {head['device']}. Workflow: {head['workflow_name']}, {head['images']} "
        "wanted of each prompt and seed.",
        f"- {names[VANILLA]} is the host's KSampler in LiDAR KSampler's place, with its values. {names[BEST_OF]} draws "
        f"{head['best_of']} pictures so, {head['batch']} at a time, and LiDAR Score Images keeps the best.",
        f"- {head['best_of']} is the smallest number that took at least LiDAR's seconds when it was measured, after a run "
        "that loaded the models.",
        "- Seconds are the server's own, from start to end of a run, without waiting in its queue and without judging. "
        "The methods take turns in being first.",
        "- Held-out rewards score the finished pictures and choose nothing.",
        "- Every prompt has seeds of its own, the same for all methods. pictures/ has GenEval's layout, a folder a method.",
    ])  # fmt: skip


def _write_sheets(
    head: Mapping[str, Any], cells: Sequence[Cell], prompts: Sequence[str], folder: Path, names: dict[str, str]
) -> list[str]:
    by_prompt = {text: [cell for cell in cells if cell[GUIDED]["prompt"] == text] for text in prompts}
    shown = [seeds for seeds in by_prompt.values() if seeds]
    written = []
    for number, start in enumerate(range(0, len(shown), PROMPTS_A_SHEET), start=1):
        sheet = contact_sheet(shown[start : start + PROMPTS_A_SHEET], head["rewards"][0], folder, names)
        written.append(f"sheet_{number:02}.jpg")
        sheet.save(folder / written[-1], quality=88)
    return written


def _prompts(cells: Sequence[Cell]) -> int:
    return len({cell[GUIDED]["prompt"] for cell in cells})


def _signed(found: Estimate) -> str:
    return f"{found.value:+.3g} [{found.low:+.3g}, {found.high:+.3g}]"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(itertools.chain([lines[0], "|" + "---|" * len(rows[0])], lines[1:]))
