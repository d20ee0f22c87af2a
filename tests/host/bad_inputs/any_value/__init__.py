"""A custom node for the test server: hands any value through a link, as switches and other packs' nodes can."""

import numpy as np
import torch

TWO_LATENTS = torch.arange(2 * 4 * 8 * 8).reshape(2, 4, 8, 8) % 7 / 7.0

VALUES = {
    "None": lambda: None,
    "a text": lambda: "a text",
    "an empty text": lambda: "",
    "a text that is not UTF-8": lambda: "caf\udce9 \x00\n\u202e",
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "-1": lambda: -1,
    "10.5": lambda: 10.5,
    "1e-9": lambda: 1e-9,
    "2^70": lambda: 2**70,
    "an empty list": lambda: [],
    "a list": lambda: ["a", 1],
    "a dict": lambda: {"samples": None},
    "a thing": object,
    "a complex number": lambda: 1j,
    "a tensor of 0 numbers": lambda: torch.zeros(0),
    "pixels": lambda: torch.full((2, 16, 16, 3), 0.5),
    "NaN pixels": lambda: torch.full((2, 16, 16, 3), torch.nan),
    "whole pixels": lambda: torch.ones(2, 16, 16, 3, dtype=torch.uint8),
    "a NaN latent": lambda: {"samples": torch.full((2, 4, 8, 8), torch.nan)},
    "an infinite latent": lambda: {"samples": torch.full((2, 4, 8, 8), torch.inf)},
    "a latent with a NaN mask": lambda: {"samples": torch.zeros(2, 4, 8, 8), "noise_mask": torch.full((1, 64, 64), torch.nan)},
    "a latent with too few rows": lambda: {"samples": torch.zeros(2, 4, 8, 8), "batch_index": [3]},
    "a latent of five dimensions": lambda: {"samples": torch.ones(2, 4, 1, 8, 8)},
    "2": lambda: 2,
    "2.0": lambda: 2.0,
    "the text 2": lambda: "2",
    "numpy's 2": lambda: np.int64(2),
    "numpy's 2.0": lambda: np.float32(2.0),
    "an array of 2": lambda: np.array(2),
    "a tensor of 2": lambda: torch.tensor(2),
    "1": lambda: 1,
    "numpy's True": lambda: np.True_,
    "two numbers": lambda: torch.tensor([2, 3]),
    **{
        f"rows {name}": lambda rows=rows: {"samples": TWO_LATENTS, "batch_index": rows}
        for name, rows in {
            "in a list": [3, 1], "in another order": [1, 3], "in a tuple": (3, 1), "in a tensor": torch.tensor([3, 1]),
            "in an array": np.array([3, 1]), "of numpy's": [np.int64(3), np.int32(1)], "of floats": [3.0, 1.0],
            "of texts": ["3", "1"], "in a range": range(3, 0, -2), "too few": torch.tensor([3]), "below 0": [3, -1],
            "of halves": [0.5, 1], "of no kind": 3, "of None": [None, 1], "in columns": torch.tensor([[3], [1]]),
            "of NaN": [float("nan"), 1],
        }.items()
    },
    "a NaN mask": lambda: torch.full((2, 16, 16), torch.nan),
}  # fmt: skip


class AnyValue:
    CATEGORY, FUNCTION, RETURN_TYPES = "test", "give", ("*",)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"what": (list(VALUES),)}}

    def give(self, what):
        return (VALUES[what](),)


class Twice:
    """A list of two, as many nodes of other packs give."""

    CATEGORY, FUNCTION, RETURN_TYPES, OUTPUT_IS_LIST = "test", "give", ("*",), (True,)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": ("*",), "other": ("*",)}}

    @classmethod
    def VALIDATE_INPUTS(cls, input_types):
        return True

    def give(self, value, other):
        return ([value, other],)


NODE_CLASS_MAPPINGS = {"AnyValue": AnyValue, "Twice": Twice}
