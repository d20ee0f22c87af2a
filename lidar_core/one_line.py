"""What came, for an error message: one line of printable ASCII, however strange it is."""

import torch

_LONGEST = 60


def shown(value: object) -> str:
    """Return text in quotes and escaped, None and shapes as they are, of anything else the name of its type.

    What is longer than 60 characters is cut there.
    """
    if isinstance(value, str):
        text = ascii(value[: _LONGEST + 1])
    elif isinstance(value, torch.Size):
        text = str(tuple(value))
    else:
        text = "None" if value is None else type(value).__name__
    return text if len(text) <= _LONGEST + 2 else text[:_LONGEST] + "..."
