"""A LookaheadSet as the two dictionaries that a safetensors file holds; no file is touched here.

tensors    "latents" (n, *S) float32, "rewards" (n,) float32
metadata   "format", "format_version", "reward_name", and the set's own entries as "metadata.<key>"
Anything else in a file of this version is left for others and ignored.
"""

from collections.abc import Mapping

from torch import Tensor

from .lookahead_set import LookaheadSet

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

    metadata may be None, as safetensors reports a file without any. Raises ValueError for another kind of file,
    another format version or a missing tensor, and as LookaheadSet does for bad contents.
    """
    metadata = metadata or {}
    if metadata.get("format") != FORMAT_NAME:
        raise ValueError(f"the file holds no lookahead set: format {metadata.get('format')!r}, wanted {FORMAT_NAME!r}")
    if metadata.get("format_version") != str(FORMAT_VERSION):
        raise ValueError(
            f"the lookahead set has format version {metadata.get('format_version')!r}, "
            f"wanted {str(FORMAT_VERSION)!r}; save it again with this version of the pack"
        )
    missing = [name for name in ("latents", "rewards") if name not in tensors]
    if missing:
        raise ValueError(f"the lookahead set has tensors {sorted(tensors)}, wanted {' and '.join(missing)} too")
    own = {key.removeprefix(_OWN): value for key, value in metadata.items() if key.startswith(_OWN)}
    return LookaheadSet(tensors["latents"], tensors["rewards"], metadata.get("reward_name", ""), own)
