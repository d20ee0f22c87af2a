"""Rows outlive a kill, and go on only with what they belong to."""

import pytest

from devtools.cache import SetupError
from devtools.compare.rows_file import RowsFile

HEAD = {"workflow": "abc", "best_of": 3}
ROW = {"prompt": "a cat", "seed": 5, "method": "one picture", "seconds": 1.5}


def test_rows_are_there_again(tmp_path):
    rows = RowsFile(tmp_path / "rows.jsonl")
    assert rows.head is None and not rows.done()
    rows.begin(HEAD)
    rows.add(ROW)
    again = RowsFile(tmp_path / "rows.jsonl")
    assert again.head == HEAD and again.rows == [ROW] and again.done() == {("a cat", 5, "one picture")}


def test_line_that_a_kill_cut_off_is_drawn_again_and_leaves_no_trace(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = RowsFile(path)
    rows.begin(HEAD)
    rows.add(ROW)
    whole = path.read_bytes()
    for cut in (1, 20):
        path.write_bytes(whole + b'{"prompt": "a dog", "seed"'[:cut])
        again = RowsFile(path)
        assert again.rows == [ROW] and path.read_bytes() == whole
    path.write_bytes(whole[:5])
    assert RowsFile(path).head is None


def test_another_comparison_in_the_folder_is_told(tmp_path):
    rows = RowsFile(tmp_path / "rows.jsonl")
    rows.require_same({"workflow": "abd"})
    rows.begin(HEAD)
    rows.require_same({"workflow": "abc"})
    with pytest.raises(SetupError, match=r"another workflow \(abc, now abd\); name another folder"):
        rows.require_same({"workflow": "abd"})


def test_damaged_file_is_told(tmp_path):
    (tmp_path / "rows.jsonl").write_text("no JSON\n")
    with pytest.raises(SetupError, match="is damaged"):
        RowsFile(tmp_path / "rows.jsonl")
