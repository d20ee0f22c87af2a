"""The state dict within what was saved: out of the dict that a training script put around it, and without its prefixes."""

import os
import re
from collections.abc import Iterable, Mapping

from .printable import printable

# What DistributedDataParallel, torch.compile and a module that holds the model put before every name
_PREFIXES = re.compile(r"(?:(?:module|_orig_mod|model)\.)*")
_SEVERAL = {"model", "module", "ema", "model_ema", "ema_model"}


def state_within(saved: dict, tensor: type, file: str) -> dict:
    """Return the dict of weights: `saved` itself, or the only entry of it that is one, whatever its name.

    tensor: the class of tensors. Those without a dimension count for nothing: they are steps and scales. ValueError, naming the
    file, if several entries hold weights.
    """
    if _holds_weights(saved, tensor):
        return saved
    once = {id(value): (key, value) for key, value in saved.items()}  # a hostile file may name one dict often
    found = [(key, value) for key, value in once.values() if _holds_weights(value, tensor)]
    if len(found) > 1:
        raise _several([str(key) for key, _ in found], file)
    return found[0][1] if found else saved


def without_prefixes(table: Mapping[str, object], file: str) -> dict[str, object]:
    """Return the table with shorter names where a wrapper put one prefix before all; ValueError for weights and their EMA."""
    heads = {key.split(".", 1)[0] for key in table}
    if len(heads) > 1 and heads <= _SEVERAL:
        raise _several(heads, file)
    begin = _PREFIXES.match(os.path.commonprefix(list(table))).end()
    return {key[begin:]: value for key, value in table.items()}


def _holds_weights(value: object, tensor: type) -> bool:
    return isinstance(value, dict) and any(isinstance(each, tensor) and each.shape for each in value.values())


def _several(names: Iterable[str], file: str) -> ValueError:
    names = sorted(printable(name, 40) for name in names)
    shown = ", ".join(repr(name) for name in names[:4]) + ", ..." * (len(names) > 4)
    return ValueError(
        f"{file} holds {len(names)} sets of weights, {shown}: save the one to use alone, in a file of its own"
    )
