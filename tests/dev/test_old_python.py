"""dev.py tells an old Python which one is needed, whatever its age."""

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TOO_OLD = ("2.7", "3.4", "3.5", "3.6", "3.7", "3.8", "3.9")


def interpreter(version: str) -> Path | None:
    """A Python of this version on the PATH or of pyenv that really runs."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += sorted(Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv").glob(f"versions/{version}.*/bin"))
    for folder in folders:
        program = folder / f"python{version}"
        if program.is_file() and subprocess.run([program, "-c", ""], capture_output=True).returncode == 0:
            return program
    return None


@pytest.mark.parametrize("version", TOO_OLD)
def test_old_python_gets_one_line(version, tmp_path):
    program = interpreter(version)
    if program is None:
        pytest.skip(f"there is no Python {version} here")
    done = subprocess.run(
        [program, REPOSITORY / "dev.py", "demo"], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stdout == ""
    assert re.fullmatch(rf"dev\.py: this is Python {version}; Python 3\.10 to 3\.13 is needed .*\n", done.stderr)


def test_dev_py_has_no_syntax_that_python_2_and_3_do_not_share():
    tree = ast.parse((REPOSITORY / "dev.py").read_bytes().decode("ascii"), feature_version=(3, 4))
    newer = (ast.Starred, ast.Nonlocal, ast.JoinedStr, ast.YieldFrom, ast.AsyncFunctionDef, ast.MatMult)
    for node in ast.walk(tree):
        where = f"line {getattr(node, 'lineno', '?')}"
        assert not isinstance(node, newer), where
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None and not node.args.kwonlyargs and not node.args.posonlyargs, where
        assert getattr(node, "annotation", None) is None, where
        assert not (isinstance(node, ast.Raise) and node.cause), where
        assert not (isinstance(node, ast.ImportFrom) and node.module == "__future__"), where
        assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("print", "super")), where
