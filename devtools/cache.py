"""The user's cache folder: where environments and hosts are kept, one key per set of pins, safe for two processes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path


class SetupError(Exception):
    """Something that the user can mend; the message says how."""


def cache_root() -> Path:
    """`$LIDAR_CACHE`, or `lidar-comfyui` in this system's folder for caches."""
    given = os.environ.get("LIDAR_CACHE")
    if given:
        return Path(given).expanduser().resolve()
    if os.name == "nt":
        parent = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        parent = Path.home() / "Library" / "Caches"
    else:
        parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return parent / "lidar-comfyui"


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


@contextlib.contextmanager
def setup_lock(root: Path) -> Iterator[None]:
    """Holds the cache's lock; a second process waits and says so. The system frees it when its holder is killed, and
    not before the pip that its holder started has ended too: that pip inherits the lock (see run_pip)."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = (root / "setup.lock").open("a+b")
    except OSError as error:
        raise SetupError(f"The cache folder {root} cannot be written ({error}); name another in LIDAR_CACHE.") from None
    with handle:
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
