"""What release-check does not let pass; comfy-cli and the server out of the archive are tried by the command itself."""

import shutil

import pytest

from devtools.cache import SetupError
from devtools.environment import REPOSITORY
from devtools.release_check import _links_lead_somewhere, _say_nothing_bad


def test_a_warning_of_comfy_cli_is_no_release():
    _say_nothing_bad("validate", "All validation checks passed successfully")
    for told in ("Security warnings found:", "Warning: Not in a git repository. Zipping all files.", "ERROR: no name"):
        with pytest.raises(SetupError, match="comfy node pack is not content"):
            _say_nothing_bad("pack", told)


def test_a_link_to_what_is_not_packed_is_told_with_its_page(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "LICENSE").write_text("")
    page = tmp_path / "docs" / "page.md"
    page.write_text("[here](#top) [away](https://example.org/x) [up](../LICENSE) [part](page.md#part)")
    _links_lead_somewhere(tmp_path)
    page.write_text("![picture](pictures/gone.png)")
    with pytest.raises(SetupError, match=r"docs/page\.md: pictures/gone\.png"):
        _links_lead_somewhere(tmp_path)


@pytest.mark.parametrize(
    ("command", "room"), [("test", "tests"), ("bench", "benchmarks"), ("train-demo", "demo_model/training")]
)
def test_the_packed_dev_py_says_what_it_came_without(dev_py, tmp_path, command, room):
    shutil.copytree(
        REPOSITORY / "devtools", tmp_path / "pack" / "devtools", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(REPOSITORY / "dev.py", tmp_path / "pack")
    told = dev_py(command, script=tmp_path / "pack" / "dev.py")
    assert told.returncode == 2 and told.stderr.startswith(
        f"dev.py: {room}/ is not in this folder: it comes with a clone"
    )
