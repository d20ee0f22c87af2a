"""What is typed behind `dev.py`: the commands, their options and what these may hold. What is wrong is told in one line."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from . import commands
from .cache import SetupError
from .environment import REPOSITORY
from .host import HOST, HOSTS

_DEMO = REPOSITORY / "workflows" / "01 Demo - with and without LiDAR.json"
LARGEST_SEED = 2**64 - 1  # of the host's samplers
EPILOG = """\
The first start makes a Python environment with torch and ComfyUI 0.30.0 in your cache folder (2 to 3 GB to download
on Linux); later starts, also from another clone, take seconds.

--host VERSION right behind any command takes another ComfyUI: it is fetched once, and what it pins goes into an environment of
its own (test --host 0.18.0 tests/host). COMFYUI_PATH takes one of yours.

Arguments of test go to pytest (test -k guidance), those of bench and train-demo to their scripts (bench --help). Scripts run
by python that import the host on a machine without a GPU begin with
  import comfy.cli_args; comfy.cli_args.args.cpu = True

environment variables:
  LIDAR_CACHE        where the environment and the host are kept
                     (default: ~/.cache/lidar-comfyui, ~/Library/Caches/lidar-comfyui, %LOCALAPPDATA%\\lidar-comfyui)
  LIDAR_TORCH_INDEX  a further package index for torch, for example https://download.pytorch.org/whl/cpu for the much
                     smaller CPU builds, or .../whl/cu130 for CUDA on Windows
  COMFYUI_PATH       use this ComfyUI folder instead; nothing is then downloaded or installed. The Python is
                     $LIDAR_PYTHON, else the .venv or venv inside that folder, else the one that runs dev.py; it must
                     have torch, the host's requirements and open-clip-torch
  LIDAR_PYTHON       the Python to use with COMFYUI_PATH
"""


def run(argv: list[str]) -> int:
    """Runs the command and returns dev.py's exit status: 2 where something is wrong that the user can mend."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped too
    arguments, rest = parse(argv)
    try:
        return commands.COMMANDS[arguments.command](arguments, rest)
    except SetupError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ndev.py: stopped. Run the same command again to go on.", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parse(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The command's own options, and the rest that is passed through (test, train-demo, python)."""
    parser = _Parser(
        prog="dev.py",
        description="LiDAR for ComfyUI without an installed ComfyUI.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="sample, score and steer with the shipped demo model; writes output/demo/")
    serve = commands.add_parser("serve", help="open ComfyUI with this pack in the browser")
    for command in (demo, serve):
        command.add_argument("--cpu", action="store_true", help="do not use the GPU even if there is one")
    demo.add_argument(
        "--workflow",
        type=Path,
        default=_DEMO,
        help="the workflow to run (UI format); default the template of the demo",
    )
    demo.add_argument("--seed", type=_seed, help="the seed of both samplers; default: the workflow's")
    demo.add_argument("--prompt", type=_prompt, help="what to draw, in the demo model's words; default: the workflow's")
    serve.add_argument("--port", type=_port, help="default 8188, or the next free port")
    serve.add_argument("--listen", default="127.0.0.1", help="address, or several with commas (default 127.0.0.1)")
    serve.add_argument("--no-browser", action="store_true", help="only print the address")
    _add_compare(commands)
    commands.add_parser("test", help="ruff and all tests; further arguments go to pytest", add_help=False)
    commands.add_parser("bench", help="LiDAR beside its rivals; bench --help for the full run", add_help=False)
    commands.add_parser("train-demo", help="train the demo model anew; arguments go to the training", add_help=False)
    commands.add_parser("release-check", help="pack the release with comfy-cli, and try the archive in a fresh ComfyUI")
    commands.add_parser("python", help="this environment's Python, with host and pack importable", add_help=False)
    for command in commands.choices.values():
        command.add_argument(
            "--host", choices=HOSTS, default=HOST.version, metavar="VERSION",
            help=f"the ComfyUI: one of {', '.join(HOSTS)}; default {HOST.version}",
        )  # fmt: skip
    if not argv or argv[0] not in ("test", "bench", "train-demo", "python"):
        return parser.parse_args(argv), []
    own = 1 + 2 * (argv[1:2] == ["--host"]) + any(argument.startswith("--host=") for argument in argv[1:2])
    return parser.parse_args(argv[:own]), argv[own:]


def _add_compare(commands) -> None:
    compare = commands.add_parser(
        "compare", help="one picture, best of N and LiDAR at equal seconds, on your own ComfyUI and prompts"
    )
    add = compare.add_argument
    add("--server", metavar="URL", help="a running ComfyUI with this pack; default: one with the demo model is started")
    add(
        "--workflow",
        type=Path,
        default=_DEMO,
        help="a workflow with one LiDAR KSampler, UI or API format; default the template of the demo",
    )
    add(
        "--prompts",
        type=Path,
        default=REPOSITORY / "devtools" / "compare" / "demo_prompts.txt",
        help='one prompt a line, or JSON lines with "prompt" as in GenEval; default: six of the demo model',
    )
    add("--seeds", type=_count, default=2, help="how many seeds of each prompt (default 2)")
    add("--images", type=_count, help="how many pictures are wanted of each; default: the workflow's batch")
    add(
        "--held-out",
        action="append",
        default=[],
        metavar="KIND[,file=F,...]",
        help="a reward that only looks on, as in Load LiDAR Reward Model: PickScore,file=pick.safetensors; may be repeated",
    )
    add(
        "--batch",
        type=_count,
        default=4,
        help="how many pictures best of N draws at once; lower it if memory runs out (4)",
    )
    add(
        "--output",
        type=Path,
        help="the folder to write and to go on in; default output/compare/ and the workflow's name",
    )
    add("--cpu", action="store_true", help="without --server: do not use the GPU even if there is one")


def _count(text: str) -> int:
    return _whole_number(text, 1, 4096)


def _port(text: str) -> int:
    return _whole_number(text, 1, 65535)


def _seed(text: str) -> int:
    return _whole_number(text, 0, LARGEST_SEED)


def _whole_number(text: str, lowest: int, highest: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or not lowest <= number <= highest:
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted a whole number from {lowest} to {highest}")
    return number


def _prompt(text: str) -> str:
    from demo_model.grammar import parse as parse_prompt  # here, for it lists all prompts when it is imported

    try:
        return parse_prompt(text).text
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from None
