"""The user's cache folder: where environments and hosts are kept, one key per set of pins, safe for two processes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


class SetupError(Exception):
    """Something that the user can mend; the message says how."""


def cache_root() -> Path:
    """`$LIDAR_CACHE`, or `lidar-comfyui` in this system's folder for caches."""
    given = folder_named_by("LIDAR_CACHE")
    if given:
        return given
    if os.name == "nt":
        parent = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        parent = Path.home() / "Library" / "Caches"
    else:
        parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return parent / "lidar-comfyui"


def folder_named_by(variable: str) -> Path | None:
    """The folder that this environment variable names, or None where it is unset or empty."""
    given = os.environ.get(variable)
    try:
        return Path(given).expanduser().resolve() if given else None
    except (OSError, RuntimeError) as error:  # ~nobody, links in a circle
        raise SetupError(f"{variable}={given} is no folder ({error}): name another, or unset it.") from None


def key_of(*parts: str) -> str:
    """Ten hexadecimal digits that change when any part does."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]


def require_free_space(folder: Path, gigabytes: float) -> None:
    free = shutil.disk_usage(folder).free / 1e9
    if free < gigabytes:
        raise SetupError(
            f"{folder} has {free:.1f} GB free and the setup needs about {gigabytes:.0f} GB. Free some space, or set "
            "LIDAR_CACHE to a folder on a larger disk."
        )


def require_writable(folder: Path, advice: str) -> None:
    """Makes the folder and writes in it, so that a read-only or full one is told before anything starts."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(100_000))
    except OSError as error:
        why = "a file of that name is there" if isinstance(error, FileExistsError) else error.strerror
        raise SetupError(f"The folder {folder} cannot be written ({why}); {advice}.") from None


@contextlib.contextmanager
def setup_lock(root: Path) -> Iterator[None]:
    """Holds the cache's lock; a second process waits and says so. The system frees it when its holder is killed, and
    not before the pip that its holder started has ended too: that pip inherits the lock (see run_pip)."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "setup.lock").open("a+b") as handle:
        os.set_inheritable(handle.fileno(), True)
        began = time.monotonic()
        told = 0.0
        while not _try_lock(handle):
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"Another dev.py is setting up {root}; waiting for it since {told - began:.0f} s ...", flush=True)
            time.sleep(0.5)
        try:
            yield
        finally:
            _unlock(handle)


if os.name == "nt":
    import msvcrt

    def _try_lock(handle) -> bool:
        handle.seek(0)
        try:
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle) -> None:
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(handle) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(handle) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
