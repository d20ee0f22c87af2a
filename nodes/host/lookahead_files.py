"""Lookahead files in the host's output and input folders: their names, and how they are written and read.

A file is written beside its place and then put there at once, so that whoever is killed leaves the old file or the new one.
"""

import os
import uuid

import folder_paths
import safetensors.torch

from ...lidar_core import LookaheadSet, from_tensors, to_tensors
from ...lidar_core.lookahead_format import TENSORS
from ...reward_models.printable import printable
from ...reward_models.regular_file import file_size, open_regular, read_bytes, shown_name
from ...reward_models.safetensors_table import (
    read_safetensors_metadata,
    read_safetensors_table,
    safetensors_header_length,
)

FOLDER = "lidar"
"""Of the output folder: what is saved is there."""
EXTENSION = ".safetensors"
NO_FILE = "none"
_IN_OUTPUT = " [output]"


def save(lookaheads: LookaheadSet, prefix: str, *, overwrite: bool) -> dict[str, str]:
    """Write output/lidar/<prefix>_00001_.safetensors, or the next free number; with overwrite <prefix>.safetensors.

    Returns filename, subfolder and type, as the host's page wants them. ValueError for a prefix outside of that folder.
    """
    base = os.path.join(folder_paths.get_output_directory(), FOLDER)
    name = os.path.normpath(prefix.strip().replace("\\", "/").removesuffix(EXTENSION))
    name = "lookaheads" if name == "." else name
    if not name.isprintable():
        raise ValueError(
            f"filename_prefix {printable(prefix, 60)!r} is no name that every computer can show: write one such as lookaheads"
        )
    if not _is_within(base, name):
        raise ValueError(
            f"filename_prefix {printable(prefix, 60)!r} is outside of output/{FOLDER}: write a name such as lookaheads"
        )
    try:
        folder, name, number, subfolder, _ = folder_paths.get_save_image_path(name, base)
        draft = os.path.join(folder, f".{uuid.uuid4().hex}.tmp")
        try:
            with open(draft, "xb") as file:
                file.write(safetensors.torch.save(*to_tensors(lookaheads)))
                file.flush()
                os.fsync(file.fileno())
            path = os.path.join(folder, name + EXTENSION) if overwrite else _free_name(folder, name, number)
            os.replace(draft, path)
        finally:
            if os.path.exists(draft):
                os.unlink(draft)
    except OSError as error:
        reason = printable(error.strerror or type(error).__name__)
        raise ValueError(
            f"the lookaheads cannot be saved in output/{FOLDER} ({reason}): free space there, or change the name"
        ) from error
    return {"filename": os.path.basename(path), "subfolder": f"{FOLDER}/{subfolder}".rstrip("/"), "type": "output"}


def load(name: str) -> LookaheadSet:
    """Read the file that `offered_files` offers by this name. ValueError, FileNotFoundError: one line."""
    path = resolve(name)
    if path is None:
        raise ValueError(missing(name))
    return read(path)


def read(path: str) -> LookaheadSet:
    """Read a lookahead file as data. ValueError, FileNotFoundError: one line that names the file."""
    with open_regular(path) as file:
        size, told = file_size(file), shown_name(path)
        length = safetensors_header_length(read_bytes(file, 0, min(size, 16)), size)
        if length is None:
            raise ValueError(f"{told} is no lookahead file: choose one that LiDAR Save Lookaheads has written")
        table, metadata = read_safetensors_table(file, length), read_safetensors_metadata(file, length)
        tensors = {name: table[name].read(file) for name in TENSORS if name in table}
    try:
        return from_tensors(tensors, metadata)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{told}: {error}") from error


def offered_files() -> list[str]:
    """Return what can be chosen: none, what is saved in output/lidar, newest first, and what lies in the input folder."""
    output, given = folder_paths.get_output_directory(), folder_paths.get_input_directory()
    saved = [f"{name}{_IN_OUTPUT}" for name in _newest_first(output, FOLDER)]
    names = [each.name for each in os.scandir(given) if each.is_file()] if os.path.isdir(given) else []
    return [NO_FILE, *saved, *sorted(name for name in names if name.endswith(EXTENSION))]


def resolve(name: str) -> str | None:
    """Return the full path of a file by its name in `offered_files`, or None: outside of the folders there is nothing."""
    plain, base = folder_paths.annotated_filepath(name.replace("\\", "/"))
    base, plain = base or folder_paths.get_input_directory(), plain.strip()
    if not plain.endswith(EXTENSION) or not _is_within(base, plain):
        return None
    path = os.path.join(base, plain)
    return path if os.path.isfile(path) else None


def missing(name: str) -> str | None:
    """Say in one line that there is no such file, and what to do; None if there is."""
    if name == NO_FILE:
        return "no file is chosen: save one with LiDAR Save Lookaheads, or put one into the input folder, and press R"
    if resolve(name) is None:
        return f"{printable(name)} is not there: choose a file of output/{FOLDER} or of the input folder, and press R after adding one"
    return None


def _newest_first(base: str, folder: str) -> list[str]:
    found = []
    for here, _, names in os.walk(os.path.join(base, folder)):
        for name in names:
            if name.endswith(EXTENSION):
                path = os.path.join(here, name)
                found.append((-os.stat(path).st_mtime, os.path.relpath(path, base).replace(os.sep, "/")))
    return [name for _, name in sorted(found)]


def _free_name(folder: str, name: str, number: int) -> str:
    """Take the next name that no file has, also where another server looks for one at the same time."""
    while True:
        path = os.path.join(folder, f"{name}_{number:05}_{EXTENSION}")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
            return path
        except FileExistsError:
            number += 1


def _is_within(base: str, name: str) -> bool:
    try:
        base = os.path.realpath(base)
        return os.path.commonpath((base, os.path.realpath(os.path.join(base, name)))) == base
    except ValueError:  # a null byte, or another drive
        return False
