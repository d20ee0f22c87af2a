"""Runs the real ComfyUI server on a private base directory that holds this pack and nothing else of the user's."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from .left_over import note_path, write_note

# Loopback traffic must not go through a proxy that the environment names.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PACK_FOLDER_NAME = "lidar"


@dataclass(frozen=True)
class RunningServer:
    """A server that has answered once. `log_path` holds what it has printed so far, `note` tells later starts of it."""

    process: subprocess.Popen
    host: str
    port: int
    log_path: Path
    note: Path

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def log_tail(self, lines: int = 40) -> str:
        text = self.log_path.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """Asks the process to end, and ends it after ten seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.note.unlink(missing_ok=True)


def free_port() -> int:
    """A port of this machine that nothing listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def link_pack(base_directory: Path, pack: Path) -> Path:
    """Puts `pack` into the base directory's custom_nodes: a link where the system allows one, else a fresh copy."""
    for name in ("custom_nodes", "models/reward_models", "input", "output", "user"):
        (base_directory / name).mkdir(parents=True, exist_ok=True)
    link = base_directory / "custom_nodes" / PACK_FOLDER_NAME
    if link.exists() and link.resolve() == pack.resolve():
        return link
    _remove_link(link)
    try:
        link.symlink_to(pack.resolve(), target_is_directory=True)
    except OSError:
        if os.name != "nt" or not _make_junction(link, pack):
            ignore = shutil.ignore_patterns(".git", ".dev", "output", "__pycache__", ".venv")
            shutil.copytree(pack, link, ignore=ignore)
    return link


def server_command(
    *,
    python: Path | str,
    comfyui: Path,
    base_directory: Path,
    port: int,
    listen: str,
    cpu: bool,
    extra_args: tuple[str, ...] = (),
) -> list[str]:
    """The command line of a server that keeps to its base directory and asks nothing of the network."""
    return [
        str(python), str(comfyui / "main.py"),
        "--listen", listen, "--port", str(port),
        "--base-directory", str(base_directory),
        "--database-url", "sqlite:///:memory:",
        "--disable-auto-launch", "--disable-api-nodes",
        *(("--cpu",) if cpu else ()),
        *extra_args,
    ]  # fmt: skip


def start_server(
    *,
    python: Path | str,
    comfyui: Path,
    base_directory: Path,
    log_path: Path,
    cpu: bool,
    port: int | None = None,
    listen: str = "127.0.0.1",
    extra_args: tuple[str, ...] = (),
    timeout: float = 300.0,
) -> RunningServer:
    """Starts ComfyUI and returns once `/object_info` answers; raises RuntimeError with the log's end otherwise."""
    port = port or free_port()
    command = server_command(
        python=python, comfyui=comfyui, base_directory=base_directory, port=port, listen=listen, cpu=cpu,
        extra_args=extra_args,
    )  # fmt: skip
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=server_environment()
        )
    reach = "127.0.0.1" if listen in ("0.0.0.0", "::", "") else listen
    server = RunningServer(process, reach, port, log_path, note_path(base_directory, process.pid))
    try:
        write_note(server.note, process.pid, command, server.url)
        _wait_until_ready(server, timeout)
    except BaseException:
        server.stop()
        raise
    return server


def server_environment() -> dict[str, str]:
    """The caller's environment, offline, and with Python's own search path, in which main.py's folder comes first."""
    environment = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONSAFEPATH"):
        environment.pop(name, None)
    environment.update(HF_HUB_OFFLINE="1", PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1", PYTHONUTF8="1")
    return environment


def _wait_until_ready(server: RunningServer, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError(
                f"ComfyUI ended with code {server.process.returncode} before it answered. The end of its log "
                f"({server.log_path}):\n{server.log_tail()}"
            )
        try:
            with _OPENER.open(f"{server.url}/object_info", timeout=60) as response:
                json.load(response)
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise RuntimeError(
        f"ComfyUI did not answer within {timeout:.0f} s. The end of its log ({server.log_path}):\n{server.log_tail()}"
    )


def _remove_link(link: Path) -> None:
    if link.is_symlink() or link.is_file():
        link.unlink()
    elif link.exists():
        try:
            link.rmdir()  # a junction; an ordinary folder is not empty and raises
        except OSError:
            shutil.rmtree(link)


def _make_junction(link: Path, target: Path) -> bool:
    done = subprocess.run(["cmd", "/c", "mklink", "/J", str(link), str(target.resolve())], capture_output=True)
    return done.returncode == 0
