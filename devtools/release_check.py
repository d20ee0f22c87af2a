"""The release as the registry would get it: comfy-cli judges and packs it, and the archive is tried in a fresh ComfyUI folder.

What is packed is the last commit. comfy-cli gets an environment and a home of its own, with its telemetry off.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

from .cache import SetupError, cache_root, key_of, setup_lock
from .comfy_client import ComfyClient
from .environment import REPOSITORY, is_ready, make_venv, mark_ready, python_in
from .pip_step import run_pip
from .server import start_server
from .workflow_file import read_workflow
from .workflow_to_prompt import workflow_to_prompt

COMFY_CLI = "comfy-cli==1.23.0"
WORKFLOWS = ("01 Demo - with and without LiDAR", "08 Several rewards")
INSTALLED_AS = "lidar-sampling"  # ComfyUI-Manager names the folder after the project
WEIGHTS = "demo_model/weights/"
_LINK = re.compile(r"\]\((?!\w+:)([^)\s#]+)")
_EMPTY = re.compile(r'^(\w+) = ""', re.MULTILINE)


def main() -> int:
    """Validate, pack, unpack, start, run; prints what the archive holds, and ends with 1 and a line for what is wrong."""
    parser = argparse.ArgumentParser(prog="release_check")
    parser.add_argument("--comfyui", type=Path, required=True)
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    try:
        _check(options)
    except SetupError as error:
        print(f"NOT READY: {error}", file=sys.stderr)
        return 1
    return 0


def _check(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        clone, base = Path(scratch, "clone"), Path(scratch, "ComfyUI")
        _git("clone", "--quiet", str(REPOSITORY), str(clone))
        if _git("status", "--porcelain"):
            print("There are changes that are not committed: the last commit is what is packed.", flush=True)
        comfy = _comfy_cli(Path(scratch, "home"))
        for command in ("validate", "pack"):
            _say_nothing_bad(command, comfy("node", command, cwd=clone))
        pack = base / "custom_nodes" / INSTALLED_AS
        with zipfile.ZipFile(clone / "node.zip") as archive:
            archive.extractall(pack)
            _tell(archive)
        _links_lead_somewhere(pack)
        _run_in(options, base, pack)
        empty = _EMPTY.findall((pack / "pyproject.toml").read_text(encoding="utf-8"))
    print(f"For the owner to fill in pyproject.toml (docs/releasing.md): {', '.join(empty) or 'nothing'}.", flush=True)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        raise SetupError(
            f"git {arguments[0]} failed, and only a git clone can be released: {done.stderr.strip()[-300:]}"
        )
    return done.stdout


def _comfy_cli(home: Path):
    """comfy(*arguments, cwd=folder) -> what it printed; it sees nobody's settings and sends nothing home."""
    root = cache_root()
    folder = root / f"comfy-cli-{key_of(COMFY_CLI)}"
    with setup_lock(root):
        if not is_ready(folder):
            make_venv(folder)
            run_pip(
                python_in(folder), ["install", COMFY_CLI], title=f"Installing {COMFY_CLI}",
                scratch=root / "scratch", grows=folder, log_path=root / "setup.log",
            )  # fmt: skip
            mark_ready(folder, 0.0)
    home.mkdir()
    programs = python_in(folder).parent
    own = {"HOME": home, "USERPROFILE": home, "XDG_CONFIG_HOME": home, "COLUMNS": 200, "NO_COLOR": 1}
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"  # validate calls ruff
    variables = {**os.environ, **{name: str(value) for name, value in own.items()}, "PATH": path}

    def comfy(*arguments: str, cwd: Path = home) -> str:
        done = subprocess.run(
            [str(programs / "comfy"), "--skip-prompt", *arguments],
            cwd=cwd, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode:
            raise SetupError(f"comfy {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    comfy("tracking", "disable")
    return comfy


def _say_nothing_bad(command: str, told: str) -> None:
    print(f"--- comfy node {command}\n{told.strip()}", flush=True)
    if re.search("warning|error|not in a git", told, re.IGNORECASE):
        raise SetupError(f"comfy node {command} is not content.")


def _tell(archive: zipfile.ZipFile) -> None:
    """What the archive holds and weighs, by its first folders; and what the demo model's weights make of it."""
    files, packed = Counter(), Counter()
    for entry in archive.infolist():
        room = entry.filename.split("/")[0] + "/" if "/" in entry.filename else "(files)"
        room = WEIGHTS if entry.filename.startswith(WEIGHTS) else room
        files[room] += 1
        packed[room] += entry.compress_size
    for room, size in packed.most_common():
        print(f"{room:<24}{files[room]:>5} files {size / 1e6:>9.3f} MB packed", flush=True)
    whole = sum(packed.values())
    print(
        f"{'all':<24}{sum(files.values()):>5} files {whole / 1e6:>9.3f} MB packed; "
        f"without the demo model's weights {(whole - packed[WEIGHTS]) / 1e6:.3f} MB",
        flush=True,
    )


def _links_lead_somewhere(pack: Path) -> None:
    """Every relative link of the packed pages leads to something in the archive."""
    lost = [
        f"{page.relative_to(pack)}: {link}"
        for page in sorted(pack.rglob("*.md"))
        for link in _LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    if lost:
        raise SetupError("links to what the archive does not hold:\n" + "\n".join(lost))
    print("Every link of the packed pages leads to something in the archive.", flush=True)


def _run_in(options: argparse.Namespace, base: Path, pack: Path) -> None:
    for folder in ("models", "input", "output", "user"):
        (base / folder).mkdir()
    server = start_server(
        python=sys.executable, comfyui=options.comfyui, base_directory=base, cpu=options.cpu,
        log_path=base / "server.log",
    )  # fmt: skip
    try:
        client = ComfyClient(server.url)
        for name in WORKFLOWS:
            workflow = read_workflow(pack / "workflows" / f"{name}.json")
            result = client.queue(workflow_to_prompt(workflow, client.object_info()), timeout=1800)
            if result.status != "success":
                raise SetupError(
                    f"{name} ended as {result.status} out of the archive: {result.message}\n{server.log_tail()}"
                )
            pictures = sum(len(told.get("images", ())) for told in result.outputs.values())
            print(
                f"{name}: {len(result.executed_classes)} nodes ran out of the archive, {pictures} pictures shown.",
                flush=True,
            )
        if "Traceback" in server.log_path.read_text(encoding="utf-8", errors="replace"):
            raise SetupError(f"the server's log has a traceback:\n{server.log_tail(200)}")
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
