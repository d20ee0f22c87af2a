"""The prompts that the demo model understands: GenEval's six kinds over four shapes and six colours.

A prompt describes a scene completely: an image is right when it holds exactly the objects named, and nothing else. GenEval:
Ghosh et al. 2023, arXiv 2310.11513.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations, product
from types import MappingProxyType

SHAPES = ("circle", "square", "triangle", "cross")
COLOURS = MappingProxyType(
    {
        "red": (0.86, 0.10, 0.12),
        "green": (0.10, 0.62, 0.20),
        "blue": (0.12, 0.25, 0.86),
        "yellow": (0.97, 0.87, 0.13),
        "purple": (0.58, 0.16, 0.72),
        "orange": (0.98, 0.52, 0.06),
    }
)
RELATIONS = ("left of", "right of", "above", "below")
KINDS = ("single object", "two objects", "counting", "colours", "position", "colour attribution")
COUNT_WORDS = MappingProxyType({2: "two", 3: "three"})
PLURALS = MappingProxyType({"circle": "circles", "square": "squares", "triangle": "triangles", "cross": "crosses"})
HELD_OUT_SHARE = MappingProxyType(
    {
        "single object": 0.0,
        "two objects": 0.25,
        "counting": 0.3,
        "colours": 0.25,
        "position": 0.06,
        "colour attribution": 0.22,
    }
)


@dataclass(frozen=True)
class ObjectSpec:
    """One object as a prompt names it; `colour` None means any colour."""

    shape: str
    colour: str | None = None

    def phrase(self) -> str:
        words = f"{self.colour} {self.shape}" if self.colour else self.shape
        return f"an {words}" if words[0] in "aeiou" else f"a {words}"


@dataclass(frozen=True)
class Prompt:
    """A prompt with its meaning: exactly these objects; `relation` says where the first lies, seen from the second."""

    text: str
    kind: str
    objects: tuple[ObjectSpec, ...]
    relation: str | None = None

    @property
    def held_out(self) -> bool:
        """Whether training never shows this prompt: a fixed share of each kind, chosen by a hash of the text."""
        share = int.from_bytes(hashlib.sha256(self.text.encode()).digest()[:4], "big") / 2**32
        return share < HELD_OUT_SHARE[self.kind]


def _pair(first: ObjectSpec, second: ObjectSpec, relation: str | None, kind: str) -> Prompt:
    joint = relation or "and"
    return Prompt(f"{first.phrase()} {joint} {second.phrase()}", kind, (first, second), relation)


def _counted(shape: str, colour: str | None, count: int) -> Prompt:
    words = [COUNT_WORDS[count], colour, PLURALS[shape]]
    return Prompt(" ".join(w for w in words if w), "counting", (ObjectSpec(shape, colour),) * count)


def _all_prompts() -> dict[str, Prompt]:
    coloured = [ObjectSpec(shape, colour) for shape, colour in product(SHAPES, COLOURS)]
    coloured_pairs = [(a, b) for a, b in permutations(coloured, 2) if a.shape != b.shape and a.colour != b.colour]
    plain_pairs = [(ObjectSpec(a), ObjectSpec(b)) for a, b in permutations(SHAPES, 2)]
    prompts = [Prompt(o.phrase(), "single object", (o,)) for o in map(ObjectSpec, SHAPES)]
    prompts += [_pair(a, b, None, "two objects") for a, b in plain_pairs]
    prompts += [_counted(s, c, n) for s, c, n in product(SHAPES, (None, *COLOURS), COUNT_WORDS)]
    prompts += [Prompt(o.phrase(), "colours", (o,)) for o in coloured]
    prompts += [_pair(a, b, r, "position") for (a, b), r in product(plain_pairs + coloured_pairs, RELATIONS)]
    prompts += [_pair(a, b, None, "colour attribution") for a, b in coloured_pairs]
    return {p.text: p for p in prompts}


PROMPTS: Mapping[str, Prompt] = MappingProxyType(_all_prompts())


def parse(text: str) -> Prompt:
    """The Prompt of this text; case, extra spaces and a final full stop do not matter. ValueError when it is not of the grammar."""
    known = PROMPTS.get(" ".join(text.lower().rstrip(". ").split()))
    if known is None:
        raise ValueError(
            f"The demo model's grammar does not hold {text!r}. It knows one to three of {', '.join(SHAPES)} in "
            f"{', '.join(COLOURS)}, for example 'three red circles' or 'a red circle left of a blue square'."
        )
    return known
