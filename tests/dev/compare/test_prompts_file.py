"""A list of prompts is read in either format, and what cannot be read is told with its line."""

import pytest

from devtools.cache import SetupError
from devtools.compare.prompts_file import read_prompts

GENEVAL = """\
{"tag": "single_object", "include": [{"class": "bench", "count": 1}], "prompt": "a photo of a bench"}
{"tag": "counting", "include": [{"class": "clock", "count": 2}], "exclude": [], "prompt": "a photo of two clocks"}
"""


def test_geneval_lines_keep_what_its_evaluation_reads(tmp_path):
    path = tmp_path / "evaluation_metadata.jsonl"
    path.write_text(GENEVAL, encoding="utf-8")
    bench, clocks = read_prompts(path)
    assert bench.text == "a photo of a bench" and bench.record["include"] == [{"class": "bench", "count": 1}]
    assert clocks.record["tag"] == "counting"


def test_plain_lines_are_prompts_each_once(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_bytes("\ufeffa cat, sitting\r\n\r\n  ein Hund: groß \na cat, sitting\n".encode())
    assert [prompt.text for prompt in read_prompts(path)] == ["a cat, sitting", "ein Hund: groß"]


def test_a_prompt_has_the_same_seed_wherever_it_stands_and_another_than_its_neighbour(tmp_path):
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("a cat\na dog\n")
    second.write_text('{"prompt": "a dog"}\n')
    cat, dog = read_prompts(first)
    (again,) = read_prompts(second)
    assert dog.first_seed == again.first_seed != cat.first_seed
    assert 0 <= cat.first_seed < 2**32  # torch's CPU generator reads no more


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no prompt"),
        (b" \n\n", "holds no prompt"),
        (b"\xff\xfe", "no UTF-8 text"),
        (b'a cat\n{"prompt": ', "line 2 begins with { and is no JSON"),
        (b'{"text": "a cat"}', 'line 1 has no "prompt"'),
        (b'{"prompt": " "}', 'line 1 has no "prompt"'),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, content, told):
    path = tmp_path / "prompts.txt"
    path.write_bytes(content)
    with pytest.raises(SetupError, match=told) as error:
        read_prompts(path)
    assert str(path) in str(error.value)
