"""Imports run one way, __init__ -> nodes -> {lidar_core, reward_models, demo_model}, and few places see the host.

Inside nodes/ they run down the floors: node files -> host -> settings, shown -> values.

Every Python file of the repository is parsed, none is run. A room that does not exist yet breaks nothing.
"""

import ast
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {"lidar_core", "reward_models", "demo_model", "nodes", "benchmarks", "with_diffusers", "tests", "devtools"}
# ComfyUI's own top-level modules. "nodes" is the host's where it is imported absolutely: ours is reached relatively.
HOST = {
    "alembic_db", "api_server", "app", "comfy", "comfy_api", "comfy_api_nodes", "comfy_config", "comfy_execution",
    "comfy_extras", "comfyui_version", "cuda_malloc", "custom_nodes", "execution", "folder_paths", "latent_preview",
    "main", "middleware", "node_helpers", "nodes", "protocol", "server", "utils",
}  # fmt: skip
HOST_ALLOWED = (
    "nodes/",
    "demo_model/host_objects.py",
    "demo_model/train.py",
    "benchmarks/",
    "tests/host/",
)
# The floors of nodes/: what each may import of the others ("" are the node files), and of the host.
FLOORS = {
    "": {"", "host", "settings", "shown", "values"},
    "host": {"host", "settings", "values"},
    "settings": {"settings"},
    "shown": {"shown", "values"},
    "values": {"values"},
}
HOST_OF_FLOOR = {
    "": ("comfy_api.latest", "comfy_execution.graph_utils", "comfy.samplers"),
    "host": ("",),
    "settings": ("comfy_api.latest", "comfy.samplers"),
    "shown": (),
    "values": (),
}
SCRIPTS = ("demo_model/train.py",)
MAY_IMPORT = {
    "__init__.py": {"nodes"},
    "dev.py": {"devtools"},
    "devtools": ROOMS - {"nodes", "benchmarks", "with_diffusers", "tests"},
    "lidar_core": {"lidar_core"},
    "reward_models": {"reward_models"},
    "demo_model": {"demo_model"},
    "nodes": {"nodes", "lidar_core", "reward_models", "demo_model"},
    "benchmarks": ROOMS - {"with_diffusers", "tests"},
    "with_diffusers": {"with_diffusers", "lidar_core"},
    "tests": ROOMS - {"benchmarks"},
}


def imported_modules(source: str, path: str):
    """Yield (line, module, is_ours) of each import; a relative one is resolved to its path from the root."""
    package = PurePosixPath(path).parent.parts

    def resolve(level: int, module: str):
        if level == 0:
            return module, False
        inside = package[: len(package) - (level - 1)] if level - 1 <= len(package) else ("outside the repository",)
        return ".".join([*inside, *([module] if module else [])]), True

    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, False
        elif isinstance(node, ast.ImportFrom):
            module, is_ours = resolve(node.level, node.module or "")
            for name in [module] if module else [alias.name for alias in node.names]:
                yield node.lineno, name, is_ours
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called, name = ast.unparse(node.func).split(".")[-1], node.args[0].value
            if called in ("import_module", "__import__", "importorskip") and isinstance(name, str):
                dotless = name.lstrip(".")
                module, is_ours = resolve(len(name) - len(dotless), dotless)
                yield node.lineno, module, is_ours


def violations(source: str, path: str) -> list[str]:
    """Return one line for each import in the file at `path` (from the root, with slashes) that breaks the rule."""
    parts = PurePosixPath(path).parts
    room = parts[0]
    found = []
    for line, module, is_ours in imported_modules(source, path):
        top = module.split(".")[0]
        if room == "nodes":
            found += [f"{path}:{line} {problem}" for problem in floor_problems(parts, module, is_ours)]
        in_package = room in {"lidar_core", "reward_models", "demo_model", "nodes"}
        if not is_ours and top in HOST:
            if (path, module) == ("__init__.py", "comfyui_version"):
                continue  # to refuse a host below the floor
            if not path.startswith(HOST_ALLOWED):
                found.append(f"{path}:{line} imports the host's {module}; only {', '.join(HOST_ALLOWED)} may")
        elif is_ours or top in ROOMS:
            allowed = MAY_IMPORT.get(room, set())
            if path in SCRIPTS:
                allowed = allowed | {"lidar_core", "reward_models"}
            if top not in allowed:
                wanted = ", ".join(sorted(allowed)) or "no room"
                found.append(f"{path}:{line} imports {module}; {room} may import {wanted}")
            elif in_package and not is_ours:
                found.append(f"{path}:{line} imports {module} absolutely; inside the pack it must be relative")
        elif room == "lidar_core" and top != "torch" and top not in sys.stdlib_module_names:
            found.append(f"{path}:{line} imports {module}; lidar_core may import torch and the standard library")
    if path == "__init__.py":
        for node in ast.parse(source).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for _, module, is_ours in imported_modules(ast.unparse(node), path):
                    if is_ours or module not in sys.stdlib_module_names:
                        found.append(
                            f"{path}:{node.lineno} imports {module} at the top; import inside comfy_entrypoint"
                        )
    return found


def floor_problems(parts: tuple[str, ...], module: str, is_ours: bool):
    """Yield what is wrong with an import in the file of nodes/ at `parts`, between its floors or at the host."""
    floor = parts[1] if len(parts) > 2 else ""
    if floor not in FLOORS:
        yield f"lies in nodes/{floor}, which is no floor"
    elif is_ours and module.split(".")[0] == "nodes":
        inside = module.split(".")[1:]
        other = inside[0] if inside and (inside[0] in FLOORS or (ROOT / "nodes" / inside[0]).is_dir()) else ""
        if other not in FLOORS[floor]:
            yield f"imports {module}; nodes/{floor} may import {', '.join(sorted(FLOORS[floor]))}"
    elif not is_ours and module.split(".")[0] in HOST and not module.startswith(HOST_OF_FLOOR[floor]):
        yield f"imports the host's {module}; nodes/{floor} may only {', '.join(HOST_OF_FLOOR[floor]) or 'nothing of it'}"


def test_every_import_of_the_repository_follows_the_rule(record_figure):
    paths = [
        path
        for path in sorted(ROOT.rglob("*.py"))
        if not any(part.startswith(".") or part in ("__pycache__", "output") for part in path.relative_to(ROOT).parts)
    ]
    assert ROOT / "lidar_core" / "guidance.py" in paths
    found = []
    for path in paths:
        found += violations(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
    record_figure("import rule: Python files checked", len(paths))
    assert not found, "\n".join(found)


@pytest.mark.skipif(not (ROOT / "dev.py").exists(), reason="there is no dev.py")
def test_dev_py_starts_with_the_standard_library_alone():
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import dev, devtools.command_line"
    done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("lidar_core/weights.py", "import numpy"),
        ("lidar_core/weights.py", "def f():\n    from comfy.utils import x"),
        ("lidar_core/weights.py", "from ..reward_models import base"),
        ("lidar_core/weights.py", "from lidar_core.guidance import TiltInfo"),
        ("reward_models/base.py", "import folder_paths"),
        ("reward_models/base.py", "from ..lidar_core import LookaheadSet"),
        ("reward_models/base.py", "from .. import lidar_core"),
        ("reward_models/registry.py", "import importlib\nimportlib.import_module('comfy.sd')"),
        ("demo_model/scenes.py", "import comfy.model_base"),
        ("demo_model/host_objects.py", "from ..nodes import post_cfg"),
        ("demo_model/grammar.py", "from ..lidar_core import LookaheadSet"),
        ("nodes/host/post_cfg.py", "from ...benchmarks import report"),
        ("nodes/host/post_cfg.py", "from ...tests import conftest"),
        ("nodes/host/post_cfg.py", "import lidar_core"),
        ("nodes/host/post_cfg.py", "from .... import other_pack"),
        ("nodes/host/post_cfg.py", "from ..ksampler import LiDARKSampler"),
        ("nodes/host/post_cfg.py", "from ..shown.score_table import score_table"),
        ("nodes/apply_guidance.py", "import comfy.sample"),
        ("nodes/apply_guidance.py", "import folder_paths"),
        ("nodes/settings/presets.py", "from ..host import scoring"),
        ("nodes/settings/presets.py", "import comfy.model_management"),
        ("nodes/shown/score_table.py", "from comfy_api.latest import io"),
        ("nodes/shown/score_table.py", "from ..host.scoring import unused_name"),
        ("nodes/values/picks.py", "import comfy.utils"),
        ("nodes/values/picks.py", "from ..settings import presets"),
        ("tests/core/test_x.py", "import nodes"),
        ("tests/rewards/test_x.py", "pytest.importorskip('comfy')"),
        ("tests/core/test_x.py", "import benchmarks.report"),
        ("with_diffusers/diffusers_sdxl.py", "import comfy.sd"),
        ("with_diffusers/diffusers_sdxl.py", "from reward_models import load_reward_model"),
        ("dev.py", "from reward_models import load_reward_model"),
        ("devtools/server.py", "from ..nodes import x"),
        ("__init__.py", "from .nodes import LiDARExtension"),
        ("__init__.py", "def f():\n    from .lidar_core import LookaheadSet"),
        ("__init__.py", "def f():\n    from comfy_api.latest import io"),
    ],
)
def test_a_violation_is_found(path, source):
    assert len(violations(source, path)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("lidar_core/weights.py", "import math\nimport torch.nn\nfrom .guidance import TiltInfo"),
        ("lidar_core/parts/deep.py", "from ..weights import log_likelihood\nfrom . import other"),
        ("reward_models/registry.py", "import open_clip\nimportlib.import_module('.base', __package__)"),
        ("demo_model/training/loop.py", "from ..scenes import draw\nimport numpy"),
        ("demo_model/host_objects.py", "import comfy.model_base"),
        ("demo_model/train.py", "from ..reward_models import load_reward_model"),
        ("nodes/host/post_cfg.py", "import folder_paths\nimport nodes\nfrom ...lidar_core import x\nfrom . import y"),
        ("nodes/ksampler.py", "import comfy.samplers\nfrom comfy_api.latest import io\nfrom .host.post_cfg import x\nfrom .picks import y"),
        ("nodes/settings/presets.py", "from comfy_api.latest import io\nfrom .definitions import DEFAULTS"),
        ("nodes/shown/score_table.py", "import numpy\nfrom ..values.held_out import Change"),
        ("nodes/values/picks.py", "import torch\nfrom ...reward_models.printable import printable"),
        ("tests/host/test_x.py", "import comfy.sd\nimport nodes"),
        ("tests/core/test_x.py", "from lidar_core import LookaheadSet\nimport safetensors"),
        ("benchmarks/report.py", "import comfy.sd\nfrom demo_model.referee import judge"),
        ("with_diffusers/diffusers_sdxl.py", "import diffusers\nfrom lidar_core import Particles\nfrom .guided_scheduler import Shift"),
        ("devtools/demo_run.py", "import numpy\nfrom demo_model.referee import judge"),
        ("dev.py", "import json\nfrom devtools import server"),
        ("__init__.py", "def f():\n    from .nodes import LiDARExtension"),
    ],
)  # fmt: skip
def test_what_the_rule_allows_passes(path, source):
    assert violations(source, path) == []
