"""The report says what the rows hold, first of all whether LiDAR is ahead, and shows the pictures."""

import pytest
from PIL import Image

from devtools.compare.prompts_file import Prompt
from devtools.compare.report import write_report

HEAD = {
    "workflow_name": "my_sdxl.json", "rewards": ["PickScore", "contrast"], "batch": 4, "device": "a GPU", "comfyui": "0.30.0",
    "shares_noise": True, "images": 1, "best_of": 3,
}  # fmt: skip
PROMPTS = [Prompt("a cat", {"prompt": "a cat"}), Prompt("a dog", {"prompt": "a dog"})]


@pytest.fixture
def folder(tmp_path, rows):
    (tmp_path / "pictures").mkdir()
    for number, row in enumerate(rows):
        Image.new("RGB", (60, 40), (20 * number, 90, 60)).save(tmp_path / row["pictures"][0])
    return tmp_path


def many(rows, prompts=24):
    """The same cells for more prompts."""
    return [row | {"prompt": f"{row['prompt']} {number}"} for number in range(prompts // 2) for row in rows]


def of(rows):
    return [Prompt(text, {"prompt": text}) for text in dict.fromkeys(row["prompt"] for row in rows)]


def test_answer_comes_first_with_seconds_gain_and_rho(rows, folder):
    write_report(HEAD, rows, PROMPTS, folder)
    answer = (folder / "report.md").read_text().split("## ")[0]
    assert "**LiDAR against best of 3, which took 1.07 times its seconds** (LiDAR 3.00 s, best of 3 3.20 s)" in answer
    assert "PickScore (guides): **too few prompts to tell (take 20 or more)**, +0.075" in answer
    assert "contrast (held out)" in answer and "ahead for 1 of 2 prompts" in answer
    assert "rho 0." in answer


def test_verdict_follows_the_interval(rows, folder):
    cats = [row for row in many(rows, 48) if row["prompt"].startswith("a cat")]  # +0.15 in PickScore, -0.5 in contrast
    answer = write_report(HEAD, cats, of(cats), folder)
    assert "PickScore (guides): **LiDAR is ahead**, +0.15 [+0.15, +0.15]; ahead for 24 of 24 prompts" in answer
    assert "contrast (held out): **LiDAR is behind**, -0.5 [-0.5, -0.5]" in answer


def test_best_of_n_with_less_time_is_told(rows, folder):
    short = [row | {"seconds": 2.5} if row["method"] == "best of N" else row for row in rows]
    assert "So best of 3 had less time" in write_report(HEAD, short, PROMPTS, folder)
    assert "had less time" not in write_report(HEAD, rows, PROMPTS, folder)


def test_lookaheads_that_do_not_share_noise_foretell_nothing(rows, folder):
    answer = write_report(HEAD | {"shares_noise": False}, rows, PROMPTS, folder)
    assert "not known here" in answer and "rho 0." not in answer


def test_kinds_of_prompts_have_a_table_of_their_own(rows, folder):
    tagged = [Prompt(text, {"prompt": text, "tag": tag}) for text, tag in (("a cat", "single"), ("a dog", "counting"))]
    write_report(HEAD, rows, tagged, folder)
    page = (folder / "report.md").read_text()
    assert "| single | 1 | +0.15 | -0.5 |" in page
    assert "| counting | 1 | +0 | +0 |" in page


def test_every_prompt_is_on_a_sheet_and_five_sheets_are_embedded(rows, folder):
    rows = many(rows, 40)
    write_report(HEAD, rows, of(rows), folder)
    page = (folder / "report.md").read_text()
    assert len(list(folder.glob("sheet_*.jpg"))) == 7
    assert page.count("![Contact sheet]") == 5 and "[sheet_07.jpg](sheet_07.jpg)" in page


def test_prompt_of_several_lines_or_of_great_length_has_its_place(rows, folder):
    for text in ("a cat\n\tin the rain", "a cat " * 200, "\u732b\u3068\u72ac"):
        renamed = [row | {"prompt": text} for row in rows if row["prompt"] == "a cat"]
        write_report(HEAD, renamed, of(renamed), folder)


def test_prompts_that_are_not_asked_for_are_left_out(rows, folder):
    write_report(HEAD, rows, PROMPTS[1:], folder)
    assert "over 1 prompts" in (folder / "report.md").read_text()
    with Image.open(folder / "sheet_01.jpg") as one:
        height = one.height
    write_report(HEAD, rows, PROMPTS, folder)
    with Image.open(folder / "sheet_01.jpg") as two:
        assert two.height > height
