"""Every input of every node, from the nodes' own schemas, with what does not belong there, by value and by link.

A case ends well in one of three ways: the host refuses the prompt, the node says in one line what to change, or the
result is finite. After every case a sound prompt must still run.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from pathlib import Path

import pytest
import safetensors.torch

NODES = (
    "LiDARKSampler", "LiDARLookaheadConfig", "LiDARRewardModelLoader", "LiDARSampleLookaheads", "LiDARScoreLookaheads",
    "LiDARApplyGuidance", "LiDARCombineRewards", "LiDARPickLookaheads", "LiDARRewardsFromValues", "LiDARScoreImages",
    "LiDARStartFromBest", "LiDARSampleCandidates", "LiDARContinueBest", "LiDARFinishSeveral", "LiDARSampleInParts",
    "LiDARKeepBest", "LiDARSaveLookaheads", "LiDARLoadLookaheads", "LiDARMergeLookaheads",
    "LiDARMeasureDrafts", "LiDARSampleRows", "LiDARJudgeRows", "LiDARReportDrafts", "LiDARCheckedInput", "LiDARRunReport",
)  # fmt: skip
ADVICE = re.compile(
    r"[:;?,] (or )?(set|connect|choose|write|draw|give|change|put|use|lower|raise|make|encode|sample|switch|score)\b",
    re.IGNORECASE,
)
NUMBERS = ("None", "a text", "NaN", "infinity", "-1", "10.5", "2^70", "an empty list", "a complex number")
BY_LINK = {
    "INT": NUMBERS,
    "FLOAT": (*NUMBERS, "1e-9"),
    "BOOLEAN": ("None", "a text", "NaN", "pixels"),
    "COMBO": ("None", "an empty text", "a text that is not UTF-8", "NaN", "an empty list"),
    "STRING": ("None", "an empty text", "a text that is not UTF-8", "2^70", "a list", "pixels"),
    "IMAGE": ("None", "a text", "an empty list", "NaN pixels", "whole pixels", "a NaN mask", "a NaN latent"),
    "MASK": ("None", "a text", "a NaN mask", "NaN pixels", "a tensor of 0 numbers", "a dict"),
    "LATENT": (
        "None", "a text", "a dict", "pixels", "a NaN latent", "an infinite latent", "a latent with a NaN mask",
        "a latent with too few rows", "a latent of five dimensions",
    ),
}  # fmt: skip
OTHER_SOCKETS = ("None", "a text", "NaN", "an empty list", "a list", "a thing", "pixels")
BY_VALUE = {
    "INT": (None, "a text", math.nan, math.inf, {}),
    "FLOAT": (None, "a text", math.nan, math.inf, {}),
    "BOOLEAN": (None, {}),
    "COMBO": (None, "caf\udce9", 3, {}),
    "STRING": ("", "caf\udce9 \x00", math.nan, {}),
}
NO_SOCKETS = (None, "a text", {})


def cases(described: dict):
    """(input, how, value) for each input of a node, as /object_info describes it; a growing socket by its first name."""
    for group in ("required", "optional"):
        for name, spec in described["input"].get(group, {}).items():
            kind, options = spec[0], spec[1] if len(spec) > 1 else {}
            if kind == "COMFY_AUTOGROW_V3":
                name, kind = f"{name}.{options['template']['names'][0]}", "a socket"
            kind = "STRING" if "," in kind else "COMBO" if isinstance(kind, list) else kind
            yield from ((name, "link", value) for value in BY_LINK.get(kind, OTHER_SOCKETS))
            yield from ((name, "value", value) for value in BY_VALUE.get(kind, NO_SOCKETS))
            for low_or_high, step in (("min", -1), ("max", 1)):
                if low_or_high in options:
                    yield name, "value", options[low_or_high] + step


@pytest.fixture
def sound(server):
    """sound(others) -> whether the queue still works: scores a picture that it has not scored before.

    others: nodes that do not run; the host's cache keeps the results of what is in the prompt.
    """
    shades = itertools.count(1)

    def run(others: dict) -> bool:
        prompt = {
            "sound.image": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 2, "color": next(shades)}},
            "sound.reward": {"class_type": "LiDARRewardModelLoader", "inputs": {"kind": "brightness", "file": "none", "architecture": "ViT-B-32"}},
            "sound.score": {"class_type": "LiDARScoreImages", "inputs": {
                "images": ["sound.image", 0], "reward_model": ["sound.reward", 0], "prompt": "", "prompt_per_line": False,
                "top_k": 1, "use_threshold": False, "threshold": 0.0, "batch_size": 2, "steady_scores": False}},
            "sound.show": {"class_type": "PreviewAny", "inputs": {"source": ["sound.score", 4]}},
        }  # fmt: skip
        return server.queue(prompt | others, timeout=60).status == "success"

    return run


@pytest.mark.parametrize("class_type", NODES)
def test_whatever_comes_is_refused_in_one_line_or_gives_finite_results(class_type, server, bases, sound, record_figure):
    node_id, prompt = bases[class_type]
    told, tally, described = [], Counter(), server.object_info(class_type)[class_type]
    meant = {("LiDARCheckedInput", "value"): "steps"}  # it speaks of the input that the value is meant for
    kept = {
        key: each
        for key, each in prompt.items()
        if each["class_type"] not in ("SaveLatent", "PreviewAny", "PreviewImage")
    }
    assert server.queue(prompt, timeout=60).status == "success", "the prompt that is to be spoilt is not sound itself"
    for name, how, value in cases(described):
        inputs = {key: given for key, given in prompt[node_id]["inputs"].items() if key != name}
        changed = prompt | {node_id: {"class_type": class_type, "inputs": inputs}}
        if how == "link":
            inputs[name] = ["any", 0]
            changed["any"] = {"class_type": "AnyValue", "inputs": {"what": value}}
        else:
            inputs[name] = value
        case = f"{name} by {how}: {json.dumps(value)}"
        result = server.queue(changed, timeout=60)
        if result.status == "rejected":
            tally["refused by the host"] += 1
        elif result.status == "error":
            tally["refused in one line"] += 1
            problem = wrong_form(result, meant.get((class_type, name), name.rsplit(".", 1)[-1]))
            if problem:
                told.append(f"{case}: {problem}")
            if (
                class_type == "LiDARKSampler"
                and "VAEDecode" in result.executed_classes
                and (name, how) != ("picks", "link")
            ):
                told.append(f"{case}: told after lookaheads were drawn: {result.message}")
        else:
            tally["accepted, finite"] += 1
            echoed = (class_type, name) == ("LiDARRunReport", "report")  # a text, which it says again
            if not (echoed or is_finite(result, server)):
                told.append(f"{case}: {result.status} with NaN")
        if not sound(kept):
            told.append(f"{case}: the queue is dead")
    record_figure(f"bad inputs, {class_type}", ", ".join(f"{count} {fate}" for fate, count in tally.items()))
    assert not told, "\n".join(told)


def wrong_form(result, name: str) -> str:
    """Say what is wrong with the form of a refusal; "" if nothing is."""
    message = result.errors[0]["exception_message"].rstrip("\n")
    if result.errors[0]["exception_type"] != "ValueError":
        return f"raw {result.errors[0]['exception_type']}: {message}"
    if "\n" in message or not message.isprintable():
        return f"more than one line, or not printable: {message!r}"
    if not re.match(r"(Load )?LiDAR [\w ]+: ", message):
        return f"no node is named: {message}"
    if not re.search(rf"\b{re.escape(name)}\b", message):
        return f"the input is not named: {message}"
    return "" if ADVICE.search(message) else f"no word on what to change: {message}"


def is_finite(result, server) -> bool:
    for output in result.outputs.values():
        for saved in output.get("latents", ()):
            path = Path(server.base_directory, "output", saved["subfolder"], saved["filename"])
            if not all(tensor.isfinite().all() for tensor in safetensors.torch.load_file(path).values()):
                return False
        if any("nan" in str(text).lower() or "inf" in str(text).lower() for text in output.get("text", ())):
            return False
        if not all(map(math.isfinite, output.get("rewards", ()))):
            return False
    return True
