#!/usr/bin/env python3
"""One door for people without a ComfyUI: python3 dev.py demo | serve | test | bench | train-demo | python ..."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys

SUPPORTED = ((3, 10), (3, 13))
EPILOG = """\
The first start makes a Python environment with torch and ComfyUI 0.30.0 in your cache folder (2 to 3 GB to download
on Linux); later starts, also from another clone, take seconds.

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


def main() -> int:
    ensure_supported_python()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped too
    from devtools import commands
    from devtools.cache import SetupError

    arguments, rest = parse(sys.argv[1:])
    try:
        return commands.COMMANDS[arguments.command](arguments, rest)
    except SetupError as error:
        print(f"\ndev.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ndev.py: stopped. Run the same command again to go on.", file=sys.stderr)
        return 130


def parse(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The command's own options, and the rest that is passed through (test, train-demo, python)."""
    parser = argparse.ArgumentParser(
        prog="dev.py",
        description="LiDAR for ComfyUI without an installed ComfyUI.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="sample, score and steer with the shipped miniature; writes output/demo/")
    serve = commands.add_parser("serve", help="open ComfyUI with this pack in the browser")
    for command in (demo, serve):
        command.add_argument("--cpu", action="store_true", help="do not use the GPU even if there is one")
    demo.add_argument("--workflow", help="the workflow to run (UI format); default workflows/lidar_demo.json")
    demo.add_argument("--seed", type=int, help="the seed of both samplers; default: the workflow's")
    demo.add_argument("--prompt", help="what to draw, in the miniature's words; default: the workflow's")
    serve.add_argument("--port", type=int, help="default 8188, or the next free port")
    serve.add_argument("--listen", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--no-browser", action="store_true", help="only print the address")
    commands.add_parser("test", help="ruff and all tests; further arguments go to pytest", add_help=False)
    commands.add_parser("bench", help="LiDAR beside its rivals; bench --help for the full run", add_help=False)
    commands.add_parser("train-demo", help="train the miniature anew; arguments go to the training", add_help=False)
    commands.add_parser("python", help="this environment's Python, with host and pack importable", add_help=False)
    passed_through = bool(argv) and argv[0] in ("test", "bench", "train-demo", "python")
    return (parser.parse_args(argv[:1]), argv[1:]) if passed_through else (parser.parse_args(argv), [])


def ensure_supported_python() -> None:
    """Starts again under a Python of a supported version where this one is not and another is at hand."""
    lowest, highest = SUPPORTED
    if lowest <= sys.version_info[:2] <= highest:
        return
    wanted = f"Python {lowest[0]}.{lowest[1]} to {highest[0]}.{highest[1]}"
    for minor in (12, 11, 13, 10):
        other = shutil.which(f"python3.{minor}")
        if other and os.name != "nt" and subprocess.call([other, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(other, [other, *sys.argv])
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"dev.py: this is Python {version}; {wanted} is needed (torch 2.11.0 and ComfyUI 0.30.0 run there).")


if __name__ == "__main__":
    sys.exit(main())
