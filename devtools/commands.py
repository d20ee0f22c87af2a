"""The commands of dev.py, each a function of the parsed options and the arguments to pass through."""

from __future__ import annotations

import argparse
import subprocess
import threading
import time
import urllib.request
import webbrowser
from pathlib import Path

from .cache import SetupError, cache_root, key_of, require_writable
from .compare.prompts_file import read_prompts
from .environment import REPOSITORY, Environment, has_pillow, prepare
from .host import HOST, HOSTS
from .left_over import note_path, offer_to_stop_left_over, write_note
from .listening import Listening, listening
from .other_host import prepare_other
from .server import link_pack, server_command, server_environment
from .workflow_file import read_any_workflow, read_workflow

# The demo model is too small to gain from threads, and two threads on a busy machine wait for each other: on two cores
# beside another computation the demo's prompt took 358 s with two threads and 8 s with one.
_ONE_THREAD = {"OMP_NUM_THREADS": "1"}
_OPEN_TO_OTHERS = (
    "It listens on {}, without a password: everyone who reaches this machine over the network can run workflows and read "
    "and write this server's files."
)


def demo(options: argparse.Namespace, _: list[str]) -> int:
    """Runs the demo workflow in the real server and writes output/demo/."""
    read_workflow(options.workflow)  # here for its errors alone: what is wrong is told before anything is downloaded
    output = REPOSITORY / "output" / "demo"
    require_writable(output, "the demo writes its images there")
    base_directory = _ready_base_directory()
    environment = _environment(options)
    arguments = ["-m", "devtools.demo_run", "--workflow", str(options.workflow), "--output", str(output)]
    arguments += ["--base-directory", str(base_directory), "--comfyui", str(environment.comfyui)]
    if options.cpu or not environment.has_gpu():
        arguments.append("--cpu")
    if options.seed is not None:
        arguments += ["--seed", str(options.seed)]
    if options.prompt is not None:
        arguments += ["--prompt", options.prompt]
    return environment.run(*arguments, defaults=_ONE_THREAD)


def compare(options: argparse.Namespace, _: list[str]) -> int:
    """Compares on the user's server, with any Python that has Pillow, or on a server with the demo model."""
    read_any_workflow(options.workflow)  # these two for their errors, before anything is downloaded
    read_prompts(options.prompts)
    output = options.output or REPOSITORY / "output" / "compare" / options.workflow.stem
    require_writable(output, "the comparison writes its rows and pictures there")
    arguments = ["--workflow", str(options.workflow), "--prompts", str(options.prompts), "--output", str(output)]
    arguments += ["--seeds", str(options.seeds), "--batch", str(options.batch)]
    arguments += [f"--held-out={reward}" for reward in options.held_out]
    if options.images is not None:
        arguments += ["--images", str(options.images)]
    if options.server:
        arguments += ["--server", options.server]
        if has_pillow():
            from .compare.run import main  # here, for it needs Pillow

            return main(arguments)
        return _environment(options).run("-m", "devtools.compare.run", *arguments)
    base_directory = _ready_base_directory()
    environment = _environment(options)
    arguments += ["--base-directory", str(base_directory), "--comfyui", str(environment.comfyui)]
    if options.cpu or not environment.has_gpu():
        arguments.append("--cpu")
    return environment.run("-m", "devtools.compare.run", *arguments, defaults=_ONE_THREAD)


def serve(options: argparse.Namespace, _: list[str]) -> int:
    """Runs the server in the foreground until Ctrl-C."""
    base_directory = _ready_base_directory()
    place = listening(options.listen, options.port)
    environment = _environment(options)
    command = server_command(
        python=environment.python, comfyui=environment.comfyui, base_directory=base_directory, port=place.port,
        listen=place.listen, cpu=options.cpu or not environment.has_gpu(),
        extra_args=("--preview-method", "auto"),
    )  # fmt: skip
    print(f"Models, inputs and outputs of this server: {base_directory}", flush=True)
    process = subprocess.Popen(command, env={**_ONE_THREAD, **server_environment()})
    note = note_path(base_directory, process.pid)
    try:
        write_note(note, process.pid, command, place.url)
        threading.Thread(target=_announce, args=(process, place, not options.no_browser), daemon=True).start()
        return process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        process.terminate()
        process.wait()
        note.unlink(missing_ok=True)


def test(options: argparse.Namespace, rest: list[str]) -> int:
    """Runs ruff and pytest; ends non-zero if either does."""
    _require("tests")
    environment, usual = _environment(options), prepare()
    named = any((REPOSITORY / argument.split("::")[0]).exists() for argument in rest if not argument.startswith("-"))
    steps = {
        "ruff check": ("-m", "ruff", "check", str(REPOSITORY)),
        "ruff format": ("-m", "ruff", "format", "--check", "--quiet", str(REPOSITORY)),
        "pytest": _pytest_arguments(environment, rest, everything=not named),
    }
    failed = []
    for name, arguments in steps.items():
        print(f"--- {name}", flush=True)
        began = time.monotonic()
        runs_in = environment if name == "pytest" else usual
        if runs_in.run(*arguments, importable=False, defaults=_ONE_THREAD) != 0:
            failed.append(name)
        print(f"    {time.monotonic() - began:.1f} s", flush=True)
    print(f"FAILED: {', '.join(failed)}" if failed else "All checks passed.", flush=True)
    return 1 if failed else 0


def release_check(options: argparse.Namespace, _: list[str]) -> int:
    """Packs the release, and tries the archive."""
    environment = _environment(options)
    cpu = () if environment.has_gpu() else ("--cpu",)
    return environment.run(
        "-m", "devtools.release_check", "--comfyui", str(environment.comfyui), *cpu, defaults=_ONE_THREAD
    )


def bench(options: argparse.Namespace, rest: list[str]) -> int:
    """Runs the benchmarks."""
    _require("benchmarks")
    return _environment(options).run("-m", "benchmarks.run", *rest, defaults=_ONE_THREAD)


def train_demo(options: argparse.Namespace, rest: list[str]) -> int:
    """Runs the training script of the demo model."""
    _require("demo_model/training")
    return _environment(options).run("-m", "demo_model.train", *rest)


def python(options: argparse.Namespace, rest: list[str]) -> int:
    """Runs the environment's Python with the host, then this repository, on its path."""
    return _environment(options).run(*rest)


COMMANDS = {
    "demo": demo,
    "serve": serve,
    "compare": compare,
    "test": test,
    "bench": bench,
    "train-demo": train_demo,
    "release-check": release_check,
    "python": python,
}


def _require(folder: str) -> None:
    """A packed pack has no tests and benchmarks."""
    if not (REPOSITORY / folder).is_dir():
        raise SetupError(
            f"{folder}/ is not in this folder: it comes with a clone of the repository, not with the installed pack."
        )


def _environment(options: argparse.Namespace) -> Environment:
    return prepare() if options.host == HOST.version else prepare_other(HOSTS[options.host])


def _pytest_arguments(environment: Environment, rest: list[str], *, everything: bool) -> tuple[str, ...]:
    tests = REPOSITORY / "tests"
    where = (str(tests),) if everything else ()
    return ("-m", "pytest", "-c", str(tests / "pytest.ini"), "--rootdir", str(tests), "--durations=5", *rest, *where)


def _base_directory() -> Path:
    """This clone's own base directory for the server, in the cache: a link to the repository inside itself would make
    every tool that follows links walk in circles."""
    return cache_root() / "bases" / f"{REPOSITORY.name}-{key_of(str(REPOSITORY))}"


def _ready_base_directory() -> Path:
    """The base directory with the pack in it, and no server left over in it that the user wants to stop."""
    folder = _base_directory()
    require_writable(folder, "name another cache folder in LIDAR_CACHE")
    link_pack(folder, REPOSITORY)
    offer_to_stop_left_over(folder)
    return folder


def _announce(process: subprocess.Popen, place: Listening, open_browser: bool) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None:
        try:
            opener.open(f"{place.url}/system_stats", timeout=5).close()
        except OSError:
            time.sleep(0.5)
            continue
        print(
            f"\nComfyUI with LiDAR is ready: {place.url}  (Workflow > Browse Templates > lidar; Ctrl-C ends it)",
            flush=True,
        )
        if place.to_others:
            print(_OPEN_TO_OTHERS.format(place.listen), flush=True)
        if open_browser:
            webbrowser.open(place.url)
        return
