"""Picks belong to the set of lookaheads that they were made for: it has a name, and for another set they are not used."""

from __future__ import annotations

import json
import re

import pytest
import torch

OTHER_SEED = {"lidar": {"seed": 20_261_126}}


def set_of(result) -> str:
    """The name of the set that guided a run, as is said in the end, on whichever node: what is cached writes where it stood."""
    named = (re.search(r"set ([a-z2-9]{4})$", text) for _, text in result.texts)
    return [name[1] for name in named if name][-1]


def said(result, node: str = "lidar") -> str:
    """What stands on a node in the end."""
    return [text for told, text in result.texts if told == node][-1]


@pytest.fixture
def picked(graph_from_best, run):
    """picked(text, *changes) -> the result with these picks."""
    return lambda text, *changes: run(graph_from_best({"lidar": {"picks": text}}, *changes))


def test_a_set_keeps_its_name_as_long_as_its_lookaheads_stay(graph_from_best, run, server):
    first = run(graph_from_best())
    name = set_of(first)
    assert [out["set"] for out in first.outputs.values() if "rewards" in out] == [[name]], "for the page's own code"
    same = {
        "judge": {"lidar": {"reward_model": ["brightness", 0]}},
        "wording": {"lidar": {"prompt": "one blue square"}},
        "guidance": {"config": {"guidance_scale": 0.3, "reward_strength": 7.0}},
        "final sampler": {"lidar": {"steps": 4, "sampler_name": "heun"}},
    }
    for what, change in same.items():
        assert set_of(run(graph_from_best(change))) == name, what
    moved = {f"9{key}": node for key, node in graph_from_best().items()}
    for node in moved.values():
        links = {key: [f"9{value[0]}", value[1]] for key, value in node["inputs"].items() if isinstance(value, list)}
        node["inputs"] |= links
    assert set_of(run(moved)) == name, "ids of nodes do not count"
    server.forget()
    again = run(graph_from_best())
    assert "LiDARSampleLookaheads" in again.executed_classes and set_of(again) == name


def test_other_lookaheads_have_other_names(graph_from_best, run):
    others = {
        "seed": OTHER_SEED, "words": {"positive": {"text": "three red squares"}}, "count": {"config": {"count": 5}},
        "steps": {"config": {"steps": 3}}, "size": {"latent": {"width": 72}}, "denoise": {"lidar": {"denoise": 0.7}},
        "noise": {"config": {"start_from": "own noise"}},
    }  # fmt: skip
    names = {what: set_of(run(graph_from_best(change))) for what, change in others.items()}
    names["first"] = set_of(run(graph_from_best()))
    assert len(set(names.values())) == len(names), names


def sheet_of(result) -> dict:
    (sheet,) = (json.loads(out["lidar_sheet"][0]) for out in result.outputs.values() if "rewards" in out)
    return sheet


def test_the_page_is_told_the_seed_and_whether_nothing_else_is_new(graph, seed, run):
    first, other = sheet_of(run(graph())), sheet_of(run(graph(OTHER_SEED)))
    assert first["seed"] == str(seed["lidar"]["seed"]) and other["seed"] == str(OTHER_SEED["lidar"]["seed"])
    assert first["apart_from_seed"] == other["apart_from_seed"]
    words = sheet_of(run(graph({"positive": {"text": "three red squares"}})))
    assert words["seed"] == first["seed"] and words["apart_from_seed"] != first["apart_from_seed"]


def test_picks_are_used_for_their_set_and_for_no_other(graph_from_best, run, picked, latent_of, best_numbers):
    first = run(graph_from_best())
    name = set_of(first)
    worst = next(number for number in range(1, 5) if number not in best_numbers(first))
    mine = picked(f"{worst}=9 @{name.upper()}")
    assert set_of(mine) == name and best_numbers(mine)[0] == worst
    assert f"\npicks {worst}=9 of the set {name};\n" in said(mine)
    plain = run(graph_from_best(OTHER_SEED))
    foreign = picked(f"{worst}=9 @{name}", OTHER_SEED)
    here = set_of(foreign)
    assert here == set_of(plain) != name
    assert torch.equal(latent_of(foreign), latent_of(plain)) and best_numbers(foreign) == best_numbers(plain)
    told = said(foreign).split(";\n")
    assert told[:2] == [
        "2 images: 28 model evaluations, 16 of them for the lookaheads",
        f"picks {worst}=9 are for the set {name} and not used: this is the set {here}",
    ]
    assert "guided 3 of 3 steps" in told and told[-1] == f"set {here}"


def test_numbers_without_a_name_hold_for_the_set_at_hand_which_is_told(picked, best_numbers):
    for change in ({}, OTHER_SEED):
        result = picked("4=9", change)
        assert best_numbers(result)[0] == 4
        name = set_of(result)
        assert f"\npicks 4=9 of the set {name}: write @{name} behind them to keep them to it;\n" in said(result)


@pytest.mark.parametrize(
    ("picks", "told"),
    [
        ("3 @", "picks has '@': write the name of the set once, at the end, such as 3, 7 @k7f2"),
        ("3 @k7f2, 4", "picks has '@k7f2, 4': write the name of the set once"),
        ("3, x @k7f2", "picks has 'x': write numbers of lookaheads"),
        ("3000 @k7f2", "picks names lookahead 3000, but there are 1024"),
    ],
)
def test_what_cannot_be_read_is_told_before_anything_is_drawn(graph, server, picks, told):
    result = server.queue(graph({"lidar": {"picks": picks}}), timeout=60)
    assert result.status == "error" and f"LiDAR KSampler: {told}" in result.message
    assert "LiDARSampleLookaheads" not in result.executed_classes


def test_a_number_beyond_this_set_is_no_error_where_it_is_for_another(picked):
    assert "are for the set zzzz and not used" in said(picked("9 @zzzz"))


def test_in_parts_the_name_counts_a_linked_seed(modular, run, server):
    """Two seeds by one link give two sets, which the prompt alone does not tell apart."""
    prompt = modular()
    prompt["pick"] = {
        "class_type": "LiDARPickLookaheads",
        "inputs": {"lookahead_set": ["score", 0], "picks": "", "mode": "on top of the rewards", "weight": 3.0},
    }
    prompt["guide"]["inputs"]["lookaheads"] = ["pick", 0]
    prompt["twice"] = {"class_type": "Twice", "inputs": {"value": 77, "other": 78}}
    prompt["draw"]["inputs"]["seed"] = ["twice", 0]
    one, two = run(prompt).outputs["pick"]["set"]
    assert one != two
    prompt["pick"]["inputs"]["picks"] = f"2 @{one}"
    texts = [text for node, text in run(prompt).texts if node == "pick"]
    assert [text.splitlines()[0] for text in texts] == [
        f"picks 2 of the set {one};",
        f"picks 2 are for the set {one} and not used: this is the set {two};",
    ]
    prompt["pick"]["inputs"] |= {"picks": "2 @zzzz", "mode": "picks alone"}
    alone = server.queue(prompt)
    assert (
        f"picks 2 are for the set zzzz and not used: this is the set {one}, and nothing else is rewarded"
        in alone.message
    )


def test_notes_on_the_prompt_stay_on_the_node(graph, run, seed):
    result = run(graph({"lidar": {"prompt": "(three:1.2) {red|blue} __shapes__ " + "and more " * 60}}))
    assert said(result).startswith(
        "guided 3 of 3 steps;\n{red|blue} in the prompt is read as 'red or blue': the page chooses in CLIP Text Encode alone; an empty prompt takes "
        "its choice;\n__shapes__ in the prompt is read as its name: nothing has filled it in;\n"
    )
    told = re.search(r"reads the first (\d+) of 125 words of the prompt;\nsigma ", said(result))
    assert told and 4 < int(told[1]) < 125
