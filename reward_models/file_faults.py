"""What can be wrong with a file, and the one line that people read of it."""

from collections.abc import Iterator
from contextlib import contextmanager

DOWNLOAD_AGAIN = "download it again and compare its size with the source"


class Damaged(Exception):
    """The file is not whole. The message says why, without the file's name."""


class CutOff(Damaged):
    """The end of the file is missing, beyond doubt."""


class Refused(Exception):
    """The file is whole and holds more than plain tensors. The message says what, without the file's name."""


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Within the block, `Damaged` and `Refused` become a ValueError in one line that names the file and what to do."""
    try:
        yield
    except Damaged as error:
        fault = "cut off" if isinstance(error, CutOff) else "damaged or cut off"
        raise ValueError(f"{name} is {fault} ({error}): {DOWNLOAD_AGAIN}") from error
    except Refused as error:
        raise ValueError(
            f"{name} is refused: besides tensors it holds {error}. Use a .safetensors file, or save the state_dict alone"
        ) from error
