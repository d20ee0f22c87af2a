"""Opens a file of unknown origin for plain reading: never a pipe, a device or a folder, and never by mapping it.

A mapped file that is shortened kills the process; a read one only comes out too short.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from .file_faults import Damaged, naming
from .printable import printable

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# A pipe that is put there after the first look would hang the opening
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def shown_name(path: str | os.PathLike) -> str:
    """Return the name of the file without its folder, for messages."""
    return printable(os.path.basename(os.fspath(path)))


@contextmanager
def open_regular(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Open a regular file for reading bytes, unbuffered.

    ValueError, FileNotFoundError: one line, also for what fails while the file is read inside the block, see `naming`.
    """
    name = shown_name(path)
    if "\0" in os.fspath(path):
        raise ValueError(f"no file can have the name {name}: choose another file")
    try:
        _check_regular(os.stat(path).st_mode, name)
        handle = os.open(path, _FLAGS)
        with os.fdopen(handle, "rb", buffering=0) as file, naming(name):
            _check_regular(os.fstat(handle).st_mode, name)
            yield file
    except (FileNotFoundError, NotADirectoryError) as error:
        if error.errno is None:  # raised within the block, and told already
            raise
        raise FileNotFoundError(f"put the file there or choose another, not found: {printable(path, 400)}") from error
    except OSError as error:
        raise ValueError(f"{name} cannot be read ({_reason(error)}): {_advice(error)}") from error


def file_size(file: BinaryIO) -> int:
    """Bytes of an open file, as it is now."""
    return os.fstat(file.fileno()).st_size


def read_exactly(file: BinaryIO, begin: int, buffer: memoryview) -> None:
    """Fill the buffer with the bytes from `begin`; Damaged if the file ends before."""
    file.seek(begin)
    while buffer:
        count = file.readinto(buffer)
        if not count:
            raise Damaged("it became shorter while it was read")
        buffer = buffer[count:]


def read_bytes(file: BinaryIO, begin: int, count: int) -> bytes:
    """Return `count` bytes from `begin`; Damaged if the file ends before. The caller has compared with `file_size`."""
    content = bytearray(count)
    read_exactly(file, begin, memoryview(content))
    return bytes(content)


def read_small_file(path: str | os.PathLike, most: int) -> bytes:
    """Return a whole file of at most `most` bytes; ValueError if it is larger, and as `open_regular`."""
    name = shown_name(path)
    with open_regular(path) as file:
        size = file_size(file)
        if size > most:
            raise ValueError(f"{name} has {size} bytes, and {most} are the most that is read: choose the right file")
        return read_bytes(file, 0, size)


def _check_regular(mode: int, name: str) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise ValueError(f"{name} is {kind}, not a file with a model: choose another file, or remove it")


def _reason(error: OSError) -> str:
    return printable(error.strerror or type(error).__name__)


def _advice(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "allow ComfyUI to read it, or choose another file"
    return "check the disk and the name, or choose another file"
