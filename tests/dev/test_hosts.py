"""The hosts that dev.py can bring: the floor that pyproject.toml states is the oldest of them, and README names it."""

import re
from pathlib import Path

import pytest

from devtools.command_line import parse
from devtools.host import HOST, HOSTS

REPOSITORY = Path(__file__).resolve().parents[2]


def numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def test_the_floor_can_be_tried_and_is_the_one_that_readme_names():
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    floor = re.search(r'requires-comfyui = ">=(.*)"', project)[1]
    assert floor == min(HOSTS, key=numbers)
    assert f"ComfyUI {floor} or newer" in (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("given", [["--host", "0.27.0"], ["--host=0.27.0"]])
def test_host_stands_behind_the_command_and_the_rest_goes_on(given):
    options, rest = parse(["test", *given, "-k", "--host"])
    assert (options.host, rest) == ("0.27.0", ["-k", "--host"])
    options, rest = parse(["test", "tests/core", "--host", "0.27.0"])  # pytest's to refuse
    assert (options.host, rest) == (HOST.version, ["tests/core", "--host", "0.27.0"])
    assert parse(["demo", *given])[0].host == "0.27.0"


def test_host_that_nobody_carries_and_two_hosts_at_once(dev_py, small_host):
    told = dev_py("test", "--host", "0.1.0")
    assert told.returncode == 2 and all(version in told.stderr for version in HOSTS)
    told = dev_py("python", "--host", "0.27.0", "-V", COMFYUI_PATH=str(small_host))
    assert told.returncode == 2 and "--host 0.27.0 and COMFYUI_PATH name two hosts" in told.stderr
