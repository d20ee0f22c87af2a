"""Another release of ComfyUI than the usual one: above the usual environment a thin one, with what that release pins."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from .cache import SetupError, cache_root, folder_named_by, require_free_space, setup_lock
from .environment import Environment, is_ready, make_venv, mark_ready, prepare, python_in
from .host import Host, bring_host
from .pip_step import run_pip


def prepare_other(host: Host) -> Environment:
    """The environment of this release; made once and kept in the cache beside the usual one, which it needs."""
    if folder_named_by("COMFYUI_PATH"):
        raise SetupError(
            f"--host {host.version} and COMFYUI_PATH name two hosts; unset COMFYUI_PATH, or leave --host out."
        )
    root, usual = cache_root(), prepare()
    folder = root / f"{usual.python.parents[1].name}-comfyui{host.version}"
    if not (is_ready(folder) and host.folder(root).is_dir()):
        with setup_lock(root):
            if not (is_ready(folder) and host.folder(root).is_dir()):  # another process may have finished meanwhile
                _make(root, folder, usual, host)
    return Environment(python_in(folder), host.folder(root))


def _make(root: Path, folder: Path, usual: Environment, host: Host) -> None:
    began, log_path = time.monotonic(), root / "setup.log"
    shutil.rmtree(folder, ignore_errors=True)
    require_free_space(root, 1)
    comfyui = bring_host(
        root, usual.python, host, title=f"[1/2] Fetching ComfyUI {host.version} (7 to 12 MB)", log_path=log_path
    )
    make_venv(folder)
    python = python_in(folder)
    # All that the usual environment holds can be imported here too; what is installed here goes before it.
    (_site_packages(python) / "usual.pth").write_text(f"{_site_packages(usual.python)}\n", encoding="utf-8")
    run_pip(
        python, ["install", "-r", str(comfyui / "requirements.txt")],
        title="[2/2] Installing what it pins: its page, its templates and others",
        scratch=root / "scratch", grows=folder, log_path=log_path,
    )  # fmt: skip
    subprocess.run([str(python), "-m", "compileall", "-q", "-j", "0", str(comfyui)], stdout=subprocess.DEVNULL)
    mark_ready(folder, began)


def _site_packages(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip())
