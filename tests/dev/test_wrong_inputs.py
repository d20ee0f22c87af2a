"""What is wrong with dev.py's inputs is told in one line, with exit status 2."""

import json
import shutil
import socket
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NODE = {"id": 1, "type": "KSampler", "inputs": [{"name": "model", "type": "MODEL", "link": 5}]}


def only_line(done) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["serve", "--port", "99999"], "--port: got '99999', wanted a whole number from 1 to 65535"),
        (["serve", "--port", "-1"], "got '-1'"),
        (["serve", "--port", "0"], "got '0'"),
        (["serve", "--port", "http"], "got 'http'"),
        (["serve", "--listen", ""], "got '', wanted an address of this machine"),
        (["serve", "--listen", "not an address"], "got 'not an address'"),
        (["serve", "--listen", "x" * 70 + ".example"], "got 'xxx"),
        (["serve", "--listen", "127.0.0.1,"], "got ''"),
        (["serve", "--listen", "203.0.113.7"], "203.0.113.7 is no address of this machine"),
        (["serve", "--listen", "127.0.0.1,127.0.0.1"], "leave one out"),
        (["serve", "--listen", "0.0.0.0, 127.0.0.2"], "0.0.0.0 and 127.0.0.2 overlap"),
        (["demo", "--seed", "-1"], "got '-1', wanted a whole number from 0 to 18446744073709551615"),
        (["demo", "--seed", str(2**64)], "got '18446744073709551616'"),
        (["demo", "--seed", "1.5"], "got '1.5'"),
        (["demo", "--prompt", ""], "grammar does not hold ''"),
        (["demo", "--prompt", " \n "], "grammar does not hold ' \\n '"),
        (["demo", "--workflow", ""], "is no file"),
        (["demo", "--workflow", "/"], "is no file"),
        (["demo", "--workflow", "/nowhere.json"], "cannot be read: No such file"),
        (["demo", "--workflow", "x" * 300], "cannot be read: File name too long"),
        (["demo", "--steps", "3"], "unrecognized arguments"),
        (["compare", "--seeds", "0"], "--seeds: got '0', wanted a whole number from 1 to 4096"),
        (["compare", "--images", "x"], "--images: got 'x'"),
        (["compare", "--prompts", "/nowhere.txt"], "--prompts /nowhere.txt cannot be read: No such file"),
        (["compare", "--workflow", "/nowhere.json"], "--workflow /nowhere.json cannot be read: No such file"),
        (["compare", "--output", "/proc/nowhere"], "/proc/nowhere cannot be written"),
        ([], "COMMAND"),
        (["dance"], "'dance'"),
    ],
)
def test_option(dev_py, arguments, told):
    assert told in only_line(dev_py(*arguments))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that exists and that nobody can read")
def test_workflow_that_cannot_be_read(dev_py):
    assert "/proc/self/mem cannot be read" in only_line(dev_py("demo", "--workflow", "/proc/self/mem"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe{}", "no UTF-8 text"),
        (b"", "no JSON"),
        (b"{'nodes': []}", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "holds a list, wanted an object"),
        (b"null", "holds a NoneType"),
        ({"3": {"class_type": "KSampler", "inputs": {}}}, "it is in API format. Save it with Workflow > Save"),
        ({}, "no list 'nodes'"),
        ({"nodes": {}}, "no list 'nodes'"),
        ({"nodes": [NODE]}, "no list 'links'"),
        ({"nodes": [], "links": []}, "no nodes"),
        ({"nodes": [3], "links": []}, "node 0 of its list"),
        ({"nodes": [{"id": 1}], "links": []}, "node 0 of its list"),
        ({"nodes": [NODE | {"inputs": ["model"]}], "links": []}, "the inputs of node 1"),
        ({"nodes": [NODE | {"widgets_values": 3}], "links": []}, "the widgets_values of node 1"),
        ({"nodes": [NODE], "links": [[5, 1]]}, "link 0 of its list"),
        ({"nodes": [NODE], "links": [{"id": 5}]}, "link 5 begins at node None"),
        ({"nodes": [NODE], "links": [[5, 7, 0, 1, 0, "MODEL"]]}, "link 5 begins at node 7, which is not there"),
        ({"nodes": [NODE], "links": []}, "input model of node 1 has the link 5, which is not there"),
    ],
)
def test_file_that_is_no_workflow(dev_py, tmp_path, content, told):
    path = tmp_path / "workflow.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    line = only_line(dev_py("demo", "--workflow", str(path)))
    assert told in line and str(path) in line


def test_shipped_workflows_are_workflows():
    from devtools.workflow_file import read_workflow

    for path in sorted((REPOSITORY / "workflows").glob("*.json")):
        assert read_workflow(path) == json.loads(path.read_text(encoding="utf-8"))


def test_file_in_neither_format_cannot_be_compared(dev_py, tmp_path):
    path = tmp_path / "workflow.json"
    for content in ({}, {"3": {"class_type": "KSampler"}}, {"3": {"inputs": {}}}):
        path.write_text(json.dumps(content))
        assert "no workflow in UI format: it has no list 'nodes'" in only_line(
            dev_py("compare", "--workflow", str(path))
        )


def test_server_to_compare_on_that_is_not_there_or_is_none(dev_py, tmp_path, plain_server):
    def told(url):
        return only_line(dev_py("compare", "--output", str(tmp_path / "out"), "--server", url))

    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    for url in (
        f"http://127.0.0.1:{port}",
        f"127.0.0.1:{port}",
        "http://no-such-host.invalid",
        "http://[",
        "ftp://a/b",
    ):
        assert "No ComfyUI answers at" in told(url) or "is no ComfyUI" in told(url)
    for answer in ("no JSON", "3"):
        line = told(plain_server(answer))
        assert "What answers at" in line and "is no ComfyUI" in line
    assert "has no LiDAR KSampler: install this pack there" in told(plain_server("{}"))


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_cache_folder_that_is_a_file_or_cannot_be_made(dev_py, tmp_path, command):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "inside", Path("/proc/nowhere"), Path("~nobody-here/cache")):
        assert "LIDAR_CACHE" in only_line(dev_py(command, LIDAR_CACHE=str(place)))


def test_cache_folder_that_cannot_hold_the_environment(dev_py, tmp_path):
    (tmp_path / "file").write_text("")
    line = only_line(dev_py("python", "-V", COMFYUI_PATH="", LIDAR_CACHE=str(tmp_path / "file")))
    assert "LIDAR_CACHE" in line and str(tmp_path / "file") in line


def test_comfyui_path_that_is_no_comfyui(dev_py, tmp_path, small_host):
    for place in (small_host / "main.py", tmp_path, Path("/nowhere"), Path("~nobody-here"), Path("/" + "x" * 300)):
        assert f"COMFYUI_PATH={place}" in only_line(dev_py("serve", COMFYUI_PATH=str(place)))


def test_python_that_does_not_run(dev_py, small_host, tmp_path):
    assert "LIDAR_PYTHON" in only_line(dev_py("serve", LIDAR_PYTHON=str(tmp_path)))
    program = tmp_path / "python"
    program.write_text("no program")
    program.chmod(0o755)
    assert "LIDAR_PYTHON" in only_line(dev_py("serve", LIDAR_PYTHON=str(program)))


def test_output_folder_that_cannot_be_written(dev_py, tmp_path):
    clone = tmp_path / "clone"
    for folder in ("devtools", "demo_model", "workflows"):
        shutil.copytree(REPOSITORY / folder, clone / folder, ignore=shutil.ignore_patterns("weights", "__pycache__"))
    shutil.copy(REPOSITORY / "dev.py", clone)
    (clone / "output").write_text("a file")
    line = only_line(dev_py("demo", script=clone / "dev.py"))
    assert str(clone / "output" / "demo") in line and "cannot be written (Not a directory)" in line


def test_port_that_is_taken(dev_py):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"Port {port} is taken by another program" in only_line(dev_py("serve", "--port", str(port)))
