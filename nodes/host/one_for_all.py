"""Whether a CONDITIONING says the same for every image of a batch, as lookaheads, which belong to one picture, need it.

The host gives image i of a batch row i of whatever a conditioning holds several rows of (process_cond in its
comfy/conds.py, get_area_and_mult in comfy/samplers.py). Lookaheads are drawn a few at a time, so which row one gets would
depend on batch_size.
"""

from collections.abc import Iterator, Mapping

from comfy.clip_vision import Output
from torch import Tensor


def require_one_for_all(prompt: Mapping[str, list], *, dimensions: int) -> None:
    """Refuse a conditioning with rows that differ: ValueError that names the input, the entry and the number of rows.

    prompt: conditionings by the names of their inputs. dimensions: of a latent without batch and channels; only with two is
    a batch of hints or masks one for each image, with more it is the frames of a video.
    """
    for name, words, entries in ((name, *each) for name, conditioning in prompt.items() for each in conditioning):
        for entry, rows in _rows({"prompt": words} | entries, dimensions):
            if not bool((rows == rows[:1]).all()):
                raise ValueError(
                    f"{name} holds {len(rows)} different rows of {entry}, one for each image of a batch, but lookaheads belong "
                    "to one picture; connect a conditioning of one prompt and one picture, and run once for each."
                )


def _rows(entries: dict, dimensions: int) -> Iterator[tuple[str, Tensor]]:
    """Each entry's name with tensors whose rows the host gives to the images of a batch."""
    for entry, value in entries.items():
        if entry == "mask":
            yield from ((entry, mask) for mask in _tensors(value) if mask.ndim > dimensions)
        elif entry == "control":
            yield from (("the ControlNet's image", hint) for hint in _hints(value) if dimensions == 2)
        else:
            yield from ((entry, tensor) for tensor in _tensors(value))


def _tensors(value) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        if value.ndim > 1:  # rows of numbers; the ids and weights of tokens have one dimension
            yield value
    elif isinstance(value, Output):
        yield from _tensors(list(vars(value).values()))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _tensors(each)


def _hints(control) -> Iterator[Tensor]:
    while control is not None:
        yield from _tensors([control.cond_hint_original, *control.extra_concat_orig])
        control = control.previous_controlnet
