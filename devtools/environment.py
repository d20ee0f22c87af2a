"""The Python environment and the host that every command runs in: made once and cached, or the user's own."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .cache import SetupError, cache_root, folder_named_by, key_of, require_free_space, setup_lock
from .host import HOST, bring_host
from .pip_step import run_pip

REPOSITORY = Path(__file__).resolve().parents[1]
TORCH_FAMILY = ("torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0")
TOOLS = ("pytest>=8", "ruff", "matplotlib", "playwright", "diffusers")
_LAYOUT = "1"  # raise it when the way of installing changes
_MARKER = "ready.json"
_FETCHING = f"Fetching ComfyUI {HOST.version} (12 MB)"
_MODULES_OF_A_HOST = ("torch", "aiohttp", "PIL", "open_clip")


@dataclass(frozen=True)
class Environment:
    """A Python that can run the host, and the host's folder."""

    python: Path
    comfyui: Path

    def variables(self, *, importable: bool) -> dict[str, str]:
        """The environment variables for a child. `importable` puts the host, then this repository, on the path: in
        that order, for our nodes/ folder would hide the host's nodes.py; for the same reason Python must not put
        the current folder first."""
        variables = dict(os.environ, COMFYUI_PATH=str(self.comfyui), HF_HUB_OFFLINE="1", PYTHONSAFEPATH="1")
        variables.pop("PYTHONPATH", None)
        if importable:
            variables["PYTHONPATH"] = os.pathsep.join((str(self.comfyui), str(REPOSITORY)))
        return variables

    def run(self, *arguments: str, importable: bool = True, defaults: Mapping[str, str] | None = None) -> int:
        """Runs this environment's Python and returns its exit status; `defaults` are variables that the user may set."""
        variables = {**(defaults or {}), **self.variables(importable=importable)}
        process = subprocess.Popen([str(self.python), *arguments], env=variables)
        try:
            return process.wait()
        except SystemExit:  # dev.py was asked to end; Ctrl-C reaches the child by itself
            process.terminate()
            raise
        finally:
            process.wait()

    def has_gpu(self) -> bool:
        """Whether torch sees an accelerator (CUDA or ROCm, Apple's, Intel's)."""
        code = (
            "import torch; xpu = getattr(torch, 'xpu', None); "
            "print(torch.cuda.is_available() or torch.backends.mps.is_available() or bool(xpu and xpu.is_available()))"
        )
        answer = subprocess.run([str(self.python), "-c", code], capture_output=True, text=True)
        return answer.stdout.strip() == "True"


def prepare() -> Environment:
    """The environment to use: the user's own where COMFYUI_PATH names a host, else the cached one, made if need be."""
    given, root = folder_named_by("COMFYUI_PATH"), cache_root()
    if given:
        return _existing(given)
    try:
        return _cached(root)
    except OSError as error:
        raise SetupError(f"The cache folder {root} cannot be used ({error}); name another in LIDAR_CACHE.") from None


def has_pillow() -> bool:
    """Whether the Python that runs dev.py has a Pillow whose own font comes in every size (10.1)."""
    try:
        version = importlib.metadata.version("pillow")
    except importlib.metadata.PackageNotFoundError:
        return False
    return tuple(int(number) for number in version.split(".")[:2]) >= (10, 1)


def _existing(comfyui: Path) -> Environment:
    if not os.path.isfile(comfyui / "main.py"):  # where Path.is_file() raises, for a name that is too long, it says no
        raise SetupError(f"COMFYUI_PATH={comfyui} holds no main.py: name the ComfyUI folder itself, or unset it.")
    python = _python_of(comfyui)
    code = f"import importlib.util as u; print(*[m for m in {_MODULES_OF_A_HOST} if u.find_spec(m) is None])"
    try:
        answer = subprocess.run([str(python), "-c", code], capture_output=True, text=True)
    except OSError as error:
        raise SetupError(f"{python} does not run ({error.strerror}): name another in LIDAR_PYTHON.") from None
    if answer.returncode != 0:
        raise SetupError(f"{python} does not run: {answer.stderr.strip()[-300:]}")
    missing = answer.stdout.split()
    if missing:
        raise SetupError(
            f"{python} lacks {', '.join(missing)}, so it cannot run the ComfyUI in {comfyui} with this pack. Set "
            "LIDAR_PYTHON to the Python that runs your ComfyUI, and install what the pack needs there: "
            f"{python} -m pip install -r {REPOSITORY / 'requirements.txt'}"
        )
    return Environment(python, comfyui)


def _python_of(comfyui: Path) -> Path:
    given = os.environ.get("LIDAR_PYTHON")
    if given:
        found = shutil.which(given)
        if found is None:
            raise SetupError(f"LIDAR_PYTHON={given} is no program that can be run.")
        return Path(found)
    for folder in (comfyui / ".venv", comfyui / "venv"):
        if python_in(folder).is_file():
            return python_in(folder)
    portable = comfyui.parent / "python_embeded" / "python.exe"  # the name that ComfyUI's Windows package has
    return portable if portable.is_file() else Path(sys.executable)


def _cached(root: Path) -> Environment:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    extra_index = os.environ.get("LIDAR_TORCH_INDEX", "")
    key = key_of(_LAYOUT, HOST.version, *TORCH_FAMILY, *TOOLS, *_own_requirements(), extra_index)
    folder = root / f"env-python{version}-{sys.platform}-{platform.machine().lower()}-{key}"
    environment = Environment(python_in(folder), HOST.folder(root))
    if is_ready(folder) and environment.comfyui.is_dir():
        return environment
    with setup_lock(root):
        if not is_ready(folder):  # another process may have finished it while we waited
            _make(root, folder, environment, extra_index)
        elif not environment.comfyui.is_dir():
            bring_host(root, environment.python, HOST, title=_FETCHING, log_path=root / "setup.log")
    return environment


def is_ready(folder: Path) -> bool:
    """The marker is written last; the interpreter is tried too, for a system upgrade can take it from under a venv."""
    return (folder / _MARKER).is_file() and answers(python_in(folder), "pass")


def _make(root: Path, folder: Path, environment: Environment, extra_index: str) -> None:
    began = time.monotonic()
    if folder.exists():
        print(f"Removing the unfinished environment {folder} ...", flush=True)
        shutil.rmtree(folder)
    scratch, log_path = root / "scratch", root / "setup.log"
    shutil.rmtree(scratch, ignore_errors=True)  # downloads of a setup that was killed
    log_path.unlink(missing_ok=True)
    linux = sys.platform == "linux" and "cpu" not in extra_index
    require_free_space(root, 10 if linux else 4)
    print(
        f"First start: making a Python environment with torch and ComfyUI {HOST.version} in {root}\n"
        f"({'2 to 3 GB to download and about 6.5 GB' if linux else 'about 1 GB to download and 2.5 GB'} on disk; once only)",
        flush=True,
    )
    print("[1/5] Making the virtual environment", flush=True)
    make_venv(folder)
    python = environment.python
    host = bring_host(root, python, HOST, title=f"[2/5] {_FETCHING}", log_path=log_path)
    index = ["--extra-index-url", extra_index] if extra_index else []
    steps = (
        (f"[3/5] Installing {', '.join(TORCH_FAMILY)} (the largest part)", TORCH_FAMILY),
        ("[4/5] Installing what ComfyUI needs, open-clip-torch and the test tools",
         (*TORCH_FAMILY, "-r", str(host / "requirements.txt"), *_own_requirements(), *TOOLS)),
    )  # fmt: skip
    for title, packages in steps:
        run_pip(
            python, ["install", *index, *packages], title=title, scratch=scratch, grows=folder, log_path=log_path
        )  # fmt: skip
    print("[5/5] Compiling the host and trying the environment", flush=True)
    subprocess.run([str(python), "-m", "compileall", "-q", "-j", "0", str(host)], stdout=subprocess.DEVNULL)
    if not answers(python, "import torch, torchvision, aiohttp, open_clip"):
        raise SetupError(f"torch or open_clip cannot be imported in {folder}; see {log_path}.")
    shutil.rmtree(scratch, ignore_errors=True)
    mark_ready(folder, began)
    print(f"The environment is ready ({time.monotonic() - began:.0f} s). Later starts skip all of this.", flush=True)


def mark_ready(folder: Path, began: float) -> None:
    """Writes the marker: what is installed, and how long that took since `began`."""
    freeze = [str(python_in(folder)), "-m", "pip", "freeze"]
    packages = subprocess.run(freeze, capture_output=True, text=True).stdout.split("\n")
    marker = folder / (_MARKER + ".partial")
    marker.write_text(json.dumps({"seconds": round(time.monotonic() - began), "packages": packages}, indent=1))
    marker.rename(folder / _MARKER)


def make_venv(folder: Path) -> None:
    try:
        venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(folder)
    except subprocess.CalledProcessError:
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupError(
            f"{sys.executable} cannot make a virtual environment with pip. On Debian or Ubuntu: "
            f"apt install python{sys.version_info.major}.{sys.version_info.minor}-venv"
        ) from None


def _own_requirements() -> tuple[str, ...]:
    lines = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def answers(python: Path, code: str) -> bool:
    try:
        return subprocess.run([str(python), "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False
