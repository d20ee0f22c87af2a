"""A LookaheadSet as the two dictionaries that a safetensors file holds; no file is touched here.

tensors    "latents" (n, *S), "rewards" (n,), "scores" (judges, n), all float32; "pictures" (bytes,) uint8, JPEG files
           behind each other, where there are any
metadata   "format", "format_version", "reward_name"; the set's own entries as "metadata.<key>"; and as JSON "judges", the
           names of the scores, "combination", pairs of name and weight, and "lookaheads", {"row", "seed", "model",
           "sampler", "picture"} of each: where it came from, and the bytes of its picture
Version 1  had latents, rewards, reward_name and "metadata.batch_index", the rows parted by spaces.
Halves of characters, which no file can hold, are written as \\ud800 and the like.
Anything else in a file is left for others and ignored.
"""

import json
from collections.abc import Mapping

import torch
from torch import Tensor

from .lookahead_set import LookaheadSet, text_mapping
from .one_line import shown
from .origin import Origin

FORMAT_NAME = "lidar_lookahead_set"
FORMAT_VERSION = 2
TENSORS = ("latents", "rewards", "scores", "pictures")
_OWN = "metadata."
_ROWS = "batch_index"  # of version 1


def to_tensors(lookaheads: LookaheadSet) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return (tensors, metadata) of the set, as safetensors' save_file takes them, in the newest version."""
    sizes = [len(picture) for picture in lookaheads.pictures] or [0] * lookaheads.count
    described = [
        {"row": each.row, "seed": each.seed, "model": each.model, "sampler": each.sampler, "picture": size}
        for each, size in zip(lookaheads.origins, sizes, strict=True)
    ]
    metadata = {
        "format": FORMAT_NAME,
        "format_version": str(FORMAT_VERSION),
        "reward_name": lookaheads.reward_name,
        "judges": json.dumps(list(lookaheads.scores)),
        "combination": json.dumps(lookaheads.combination),
        "lookaheads": json.dumps(described),
        **{_OWN + key: value for key, value in lookaheads.metadata.items()},
    }
    metadata = {_whole(key): _whole(value) for key, value in metadata.items()}
    scores = torch.stack(list(lookaheads.scores.values())) if lookaheads.scores else torch.zeros(0, lookaheads.count)
    tensors = {"latents": lookaheads.latents, "rewards": lookaheads.rewards, "scores": scores}
    if lookaheads.pictures:
        tensors["pictures"] = torch.frombuffer(bytearray(b"".join(lookaheads.pictures)), dtype=torch.uint8)
    return tensors, metadata


def from_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None) -> LookaheadSet:
    """Return the LookaheadSet of what to_tensors gave, also in an older version; latents (n, *S) and rewards (n,).

    metadata may be None, as safetensors reports a file without any; format_version is compared letter by letter.
    Raises ValueError for another kind of file, another format version or a missing tensor, TypeError for tensors that
    are no mapping and metadata that is none of str to str, and either as LookaheadSet does for bad contents: one line,
    whatever the dictionaries hold.
    """
    if not isinstance(tensors, Mapping):
        raise TypeError(f"tensors is a {type(tensors).__name__}, wanted a mapping of names to tensors")
    metadata = text_mapping({} if metadata is None else metadata)
    kind, version = metadata.get("format"), metadata.get("format_version")
    if kind != FORMAT_NAME:
        raise ValueError(f"the file holds no lookahead set: format {shown(kind)}, wanted {FORMAT_NAME!r}")
    if version not in _READERS:
        raise ValueError(
            f"the lookahead set has format version {shown(version)}, "
            f"wanted {str(FORMAT_VERSION)!r} or an older one; update this pack, or save the set again with this version of it"
        )
    own = {key.removeprefix(_OWN): value for key, value in metadata.items() if key.startswith(_OWN)}
    return _READERS[version](tensors, metadata, own)


def _read_1(tensors, metadata, own) -> LookaheadSet:
    latents, rewards = _required(tensors, "latents", "rewards")
    rows = own.pop(_ROWS, None)
    origins = ()
    if rows is not None:
        if not all(row.isascii() and row.isdecimal() and len(row) < 20 for row in rows.split()):
            raise ValueError(f"the rows of the lookaheads are {shown(rows)}, wanted whole numbers parted by spaces")
        origins = tuple(Origin(int(row)) for row in rows.split())
        if not origins:
            raise ValueError("the rows of the lookaheads are empty, wanted one for each")
    return LookaheadSet(latents, rewards, metadata.get("reward_name", ""), own, origins)


def _read_2(tensors, metadata, own) -> LookaheadSet:
    latents, rewards, scores = _required(tensors, "latents", "rewards", "scores")
    names = _json(metadata, "judges")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise ValueError(
            "the judges of the lookahead set are no list of different texts, wanted one name for each score"
        )
    if (
        not isinstance(scores, Tensor)
        or scores.layout != torch.strided
        or scores.ndim != 2
        or len(scores) != len(names)
    ):
        raise ValueError(f"the scores of the lookahead set are none of {len(names)} judges, wanted (judges, n)")
    described = _json(metadata, "lookaheads")
    if not isinstance(described, list) or not all(isinstance(each, dict) for each in described) or not described:
        raise ValueError("the entry 'lookaheads' of the set is no list of tables, wanted one table for each lookahead")
    origins = tuple(
        Origin(each.get("row"), each.get("seed"), each.get("model", ""), each.get("sampler", "")) for each in described
    )
    return LookaheadSet(
        latents, rewards, metadata.get("reward_name", ""), own, origins,
        dict(zip(names, scores.unbind(), strict=True)),
        _json(metadata, "combination"),
        _pictures(tensors, [each.get("picture", 0) for each in described]),
    )  # fmt: skip


_READERS = {"1": _read_1, "2": _read_2}


def _whole(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _required(tensors: Mapping[str, Tensor], *wanted: str) -> list[Tensor]:
    missing = [name for name in wanted if name not in tensors]
    if missing:
        names = sorted(map(shown, tensors))
        listed = ", ".join(names[:5]) + ", ..." * (len(names) > 5)
        raise ValueError(f"the lookahead set has tensors [{listed}], wanted {' and '.join(missing)} too")
    return [tensors[name] for name in wanted]


def _json(metadata: Mapping[str, str], name: str) -> object:
    try:
        return json.loads(metadata.get(name, "[]"))
    except (ValueError, RecursionError):
        raise ValueError(f"the entry {name!r} of the lookahead set is {shown(metadata[name])}, wanted JSON") from None


def _pictures(tensors: Mapping[str, Tensor], sizes: list) -> tuple[bytes, ...]:
    if "pictures" not in tensors:
        return ()
    pictures = tensors["pictures"]
    sound = isinstance(pictures, Tensor) and pictures.dtype == torch.uint8 and pictures.ndim == 1
    sound = sound and pictures.layout == torch.strided and not pictures.is_meta
    if not sound or not all(type(size) is int and size > 0 for size in sizes) or sum(sizes) != len(pictures):
        raise ValueError(
            "the pictures of the lookahead set are not of the sizes that it names, wanted bytes for each one"
        )
    content, begin, found = pictures.cpu().numpy().tobytes(), 0, []
    for size in sizes:
        found.append(content[begin : begin + size])
        begin += size
    return tuple(found)
