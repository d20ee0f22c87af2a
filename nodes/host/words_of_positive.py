"""The words that made a CONDITIONING, as far as the queued prompt shows them: what a reward model then reads."""

from collections.abc import Iterator

from comfy_execution.graph_utils import is_link

from ..values.plain_words import plain_words
from .output_kinds import ANYTHING, output_kinds
from .show_on_node import show_on_node

# Inputs of text encoders that hold the prompt, the one that says most first
_TEXTS = ("text", "prompt", "text_g", "t5xxl", "clip_l", "text_l")
_MOST = 200  # nodes that are looked at


def words_of_positive(hidden, link) -> str | list:
    """Return the text behind positive as it was written, or the link that gives it; "" where none is found.

    hidden: of the LiDAR KSampler, on which the words are shown; link: what is connected to its `positive`.
    """
    found = words_of(hidden.dynprompt, link) if is_link(link) else None
    if not isinstance(found, str):
        return found or ""
    show_on_node(hidden, f"prompt of positive: {plain_words(found)}")
    return found


def words_of(dynprompt, link: list) -> str | list | None:
    """Return the text behind the CONDITIONING of a link: a str, or the link that gives it; None where none is found.

    Goes back through nodes that take and give a CONDITIONING. Where a node takes two, positive and negative, the output
    tells which; of others the first that leads to words. dynprompt: the host's, of the run.
    """
    waiting, seen = [link], set()
    while waiting and len(seen) < _MOST:
        node_id, slot = waiting.pop()
        if (node_id, slot) in seen or not dynprompt.has_node(node_id):
            continue
        seen.add((node_id, slot))
        inputs = dynprompt.get_node(node_id)["inputs"]
        before = list(_conditionings(dynprompt, inputs, slot))
        if before:
            waiting += reversed(before)
            continue
        for name in _TEXTS:
            text = inputs.get(name)
            if is_link(text) or (isinstance(text, str) and text.strip()):
                return text
    return None


def _conditionings(dynprompt, inputs: dict, slot: int) -> Iterator[list]:
    """The links of a node that carry a CONDITIONING, or pass on anything as a reroute does."""
    sides = [inputs.get(name) for name in ("positive", "negative")]
    if all(map(is_link, sides)) and slot in (0, 1):
        yield sides[slot]
        return
    for link in (link for name, link in inputs.items() if is_link(link) and name not in _TEXTS):
        kinds = output_kinds(dynprompt, link[0])
        if link[1] < len(kinds) and kinds[link[1]] in ("CONDITIONING", *ANYTHING):
            yield link
