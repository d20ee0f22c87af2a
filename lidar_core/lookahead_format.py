"""A LookaheadSet as the two dictionaries that a safetensors file holds; no file is touched here.

tensors    "latents" (n, *S) float32, "rewards" (n,) float32
metadata   "format", "format_version", "reward_name", and the set's own entries as "metadata.<key>"
Anything else in a file of this version is left for others and ignored.
"""

from collections.abc import Mapping

from torch import Tensor

from .lookahead_set import LookaheadSet, text_mapping
from .one_line import shown

FORMAT_NAME = "lidar_lookahead_set"
FORMAT_VERSION = 1
_OWN = "metadata."


def to_tensors(lookaheads: LookaheadSet) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return (tensors, metadata) of the set, as safetensors' save_file takes them: latents (n, *S), rewards (n,)."""
    metadata = {
        "format": FORMAT_NAME,
        "format_version": str(FORMAT_VERSION),
        "reward_name": lookaheads.reward_name,
        **{_OWN + key: value for key, value in lookaheads.metadata.items()},
    }
    return {"latents": lookaheads.latents, "rewards": lookaheads.rewards}, metadata


def from_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None) -> LookaheadSet:
    """Return the LookaheadSet of what to_tensors gave, latents (n, *S) and rewards (n,).

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
    if version != str(FORMAT_VERSION):
        raise ValueError(
            f"the lookahead set has format version {shown(version)}, "
            f"wanted {str(FORMAT_VERSION)!r}; save it again with this version of the pack"
        )
    missing = [name for name in ("latents", "rewards") if name not in tensors]
    if missing:
        names = sorted(map(shown, tensors))
        listed = ", ".join(names[:5]) + ", ..." * (len(names) > 5)
        raise ValueError(f"the lookahead set has tensors [{listed}], wanted {' and '.join(missing)} too")
    own = {key.removeprefix(_OWN): value for key, value in metadata.items() if key.startswith(_OWN)}
    return LookaheadSet(tensors["latents"], tensors["rewards"], metadata.get("reward_name", ""), own)
