"""Fixtures that reach a real ComfyUI in this process: its modules (`comfy`), and this pack as the host loads it (`pack`,
`node_classes`). The real server is the fixture `server` of tests/conftest.py.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

PACK = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def comfy(host_path, tmp_path_factory) -> ModuleType:
    """The host's `comfy` package, importable with all its neighbours, on the CPU, with a base directory of its own."""
    host = str(host_path)
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
        import utils.extra_config  # noqa: F401  as main.py does, before nodes: there older hosts put comfy/utils.py before it

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
