"""Fixtures that reach a real ComfyUI: its modules in this process (`comfy`), this pack as the host loads it (`pack`,
`node_classes`), and the real server (`server`). All of them need COMFYUI_PATH, which `python3 dev.py test` sets.

    def test_something(server):
        result = server.queue({"1": {"class_type": "EmptyImage", "inputs": {...}}, ...})
        assert result.status == "success", result.message
        assert "LiDARSampleLookaheads" not in result.executed_classes

`server` is a devtools.comfy_client.ComfyClient with the extra attributes `log_tail()` and `base_directory`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

PACK = Path(__file__).resolve().parents[2]


def _host_path() -> Path:
    given = os.environ.get("COMFYUI_PATH")
    if not given:
        pytest.skip("COMFYUI_PATH is not set: run `python3 dev.py test`, or point it to a ComfyUI folder")
    path = Path(given).resolve()
    if not (path / "main.py").is_file():
        pytest.fail(f"COMFYUI_PATH={given} holds no main.py, so it is no ComfyUI folder")
    return path


@pytest.fixture(scope="session")
def comfy(tmp_path_factory) -> ModuleType:
    """The host's `comfy` package, importable with all its neighbours, on the CPU, with a base directory of its own."""
    host = str(_host_path())
    if host in sys.path:
        sys.path.remove(host)
    sys.path.insert(0, host)  # before the repository root, whose nodes/ folder would hide the host's nodes.py
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import comfy.cli_args

        comfy.cli_args.args.cpu = True
        comfy.cli_args.args.base_directory = str(tmp_path_factory.mktemp("base_in_process"))
        import comfy.model_management
        import comfy.samplers
        import comfy.sd
        import comfy.supported_models

        import nodes

    assert Path(nodes.__file__).parent == Path(host), f"`import nodes` gave {nodes.__file__}, not the host's"
    return sys.modules["comfy"]


@pytest.fixture(scope="session")
def pack(comfy) -> ModuleType:
    """This pack's root module, loaded by path under the name that the host's load_custom_node would give it."""
    name = str(PACK).replace(".", "_x_")
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, PACK / "__init__.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


@pytest.fixture(scope="session")
def node_classes(pack) -> dict[str, type]:
    """The pack's node classes by node id, through its own comfy_entrypoint."""

    async def collect():
        extension = await pack.comfy_entrypoint()
        await extension.on_load()
        return await extension.get_node_list()

    return {node.GET_SCHEMA().node_id: node for node in asyncio.run(collect())}


@pytest.fixture(scope="session")
def _running_server(tmp_path_factory):
    from devtools.comfy_client import ComfyClient
    from devtools.server import link_pack, start_server

    host = _host_path()
    base = tmp_path_factory.mktemp("base_server")
    link_pack(base, PACK)
    (base / "custom_nodes" / "any_value").symlink_to(Path(__file__).parent / "bad_inputs" / "any_value")
    running = start_server(
        python=sys.executable, comfyui=host, base_directory=base, log_path=base / "server.log", cpu=True,
        extra_args=("--preview-method", "latent2rgb"),
    )  # fmt: skip
    client = ComfyClient(running.url)
    client.log_tail = running.log_tail
    client.base_directory = base
    yield client
    running.stop()


@pytest.fixture
def server(_running_server, request):
    """A client of the real server (one per test session, CPU, previews on). A failing test shows the server's log."""
    log = Path(_running_server.base_directory, "server.log")
    before = log.stat().st_size
    yield _running_server
    report = getattr(request.node, "call_report", None)
    if report is not None and report.failed:
        with log.open("rb") as stream:
            stream.seek(before)
            tail = stream.read().decode("utf-8", "replace").splitlines()[-60:]
        print("\n--- server log during this test ---\n" + "\n".join(tail))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.call_report = report
    return report
