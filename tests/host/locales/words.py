"""The texts of the pack that the page shows, and the files of a language that the host serves.

locales/<language>/words.json is written by hand, English -> that language:
    quotes  what stands before and after a label or name in a text
    nodes   display names
    names   labels of inputs and outputs
    texts   descriptions and tooltips; {count} stands for the label of that input, {LiDAR KSampler} for that node's name
    page    what the scripts in web/ show; in braces stands what they fill in, {0} and {1} for numbers
nodeDefs.json and main.json are made of it. English is made of the schemas alone.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
LOCALES = ROOT / "locales"
Words = dict[str, dict[str, str]]  # and "quotes", a list of two

_NUMBER = re.compile(r"\d+(?:[./]\d+)*")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_ALIKE = re.compile(r"(?<=preset )\w+|models/\w+|\.[a-z]{2,}\b|-quickgelu")
_TOLD_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")  # as in web/words.js
_ON_PAGE = re.compile(r"\bword\(\s*\"([^\"]+)\"")


def shown_schemas(node_classes: Mapping[str, Any]) -> list[Any]:
    """Return the schemas of the nodes that the page offers."""
    schemas = [node.GET_SCHEMA() for node in node_classes.values()]
    return [schema for schema in schemas if not schema.is_dev_only]


def english(schemas: Iterable[Any], facts: Iterable[tuple[str, str]]) -> Words:
    """Return the English words, each under itself; facts: those of the contact sheet's card, as the nodes tell them."""
    words: Words = {"nodes": {}, "names": {}, "texts": {}, "page": {}}

    def take(section, *texts):
        words[section].update({text: text for text in texts})

    for schema in schemas:
        take("nodes", schema.display_name)
        take("texts", schema.description, *(each.tooltip for each in [*schema.inputs, *schema.outputs]))
        take("names", *(each.id for each in schema.inputs), *(each.display_name for each in schema.outputs))
    for told in (each for fact in facts for each in fact if re.search("[a-z]", each)):
        places = itertools.count()
        take("page", _TOLD_NUMBER.sub(lambda _, places=places: f"{{{next(places)}}}", told))
    for script in sorted((ROOT / "web").rglob("*.js")):
        take("page", *_ON_PAGE.findall(script.read_text(encoding="utf-8")))
    return words


def written(language: str) -> Words:
    """Return the words of a language as they are written."""
    return json.loads((LOCALES / language / "words.json").read_text(encoding="utf-8"))


def files_of(schemas: Iterable[Any], words: Words) -> dict[str, str]:
    """Return file name -> text of what the host serves of a language."""
    names, titles = words["names"], words["nodes"]

    def named(found: re.Match[str]) -> str:
        label = titles.get(found[1]) or names[found[1]]
        return label if label == found[1] else label.join(words["quotes"])

    def text(english_text: str) -> str:
        return _PLACEHOLDER.sub(named, words["texts"][english_text])

    def tooltip(each) -> str:
        # Messages and help pages are English: the label's English name leads from them to it
        return text(each.tooltip) if names[each.id] == each.id else f"{each.id}: {text(each.tooltip)}"

    nodes = {
        schema.node_id: {
            "display_name": titles[schema.display_name],
            "description": text(schema.description),
            "inputs": {each.id: {"name": names[each.id], "tooltip": tooltip(each)} for each in schema.inputs},
            "outputs": {
                str(place): {"name": names[each.display_name], "tooltip": text(each.tooltip)}
                for place, each in enumerate(schema.outputs)
            },
        }
        for schema in schemas
    }
    contents = {"nodeDefs.json": nodes, "main.json": {"lidar": words["page"]}}
    return {name: json.dumps(content, ensure_ascii=False, indent=2) + "\n" for name, content in contents.items()}


def faults(words: Words, source: Words, schemas: Iterable[Any]) -> list[str]:
    """Return what is wrong with the words of a language, a line each; source: the English words."""
    found, must = [], _must_stay(schemas)
    for section, wanted in source.items():
        given = words.get(section, {})
        found += [f"{section}: not translated: {key}" for key in wanted if key not in given]
        found += [f"{section}: no such text any more: {key}" for key in given if key not in wanted]
        for key in wanted.keys() & given.keys():
            found += [
                f"{section}: {fault}: {key}" for fault in _faults_of(given[key], key, must.get(key, set()), source)
            ]
    return found


def _faults_of(translated: str, key: str, must_stay: set[str], source: Words) -> list[str]:
    if not translated.strip():
        return ["empty"]
    held = _PLACEHOLDER.findall(translated)
    bare = _PLACEHOLDER.sub("", translated)
    missing = [each for each in _held_in(key, source) if each not in held]
    missing += sorted(set(_NUMBER.findall(_PLACEHOLDER.sub("", key))) - set(_NUMBER.findall(bare)))
    missing += sorted(each for each in must_stay if each not in bare)
    unknown = [each for each in held if each not in source["names"] | source["nodes"] and f"{{{each}}}" not in key]
    return [f"lacks {each}" for each in missing] + [f"names {{{each}}}, which is nothing" for each in unknown]


def _held_in(text: str, source: Words) -> list[str]:
    """Return what stands in braces in an English text, and the nodes and inputs that it names; not inputs spelled as a word is."""
    if text not in source["texts"]:
        return _PLACEHOLDER.findall(text)
    nodes = [name for name in source["nodes"] if re.search(rf"{name}(?! \w*[A-Z])", text)]
    return nodes + [name for name in source["names"] if "_" in name and re.search(rf"\b{name}\b", text)]


def _must_stay(schemas: Iterable[Any]) -> dict[str, set[str]]:
    """Return tooltip -> what it must say in every language alike: values that widgets offer, presets, files."""
    inputs = [each for schema in schemas for each in schema.inputs]
    options = {each.id: getattr(each, "options", None) or [] for each in inputs}
    anywhere = {option for each in options.values() for option in each if " " in option}
    stay: dict[str, set[str]] = {}
    for each in inputs:
        named = {
            option
            for option in anywhere | set(options[each.id])
            if re.search(rf"\b{re.escape(option)}\b", each.tooltip)
        }
        stay.setdefault(each.tooltip, set()).update(named, _ALIKE.findall(each.tooltip))
    return stay
