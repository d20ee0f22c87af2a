"""What the pages owe to a reader with one minute: short lines, tables that fit the page's panel, links that lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HELP = sorted((ROOT / "web" / "docs").glob("*.md"))
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS, *HELP]
TEXTS = {".md", ".py", ".js", ".json", ".toml", ".yaml", ".txt"}
LONGEST_LINE = 160
MOST_COLUMNS = 4  # the panel beside a node cuts wider tables
LINK = re.compile(r"\]\((?!\w+:)([^)\s#]*)(#[^)\s]*)?\)")


def long_lines(text: str) -> list[str]:
    """Return the lines that are too long; rows of tables are left out, and the addresses of links are not counted."""
    lines = (re.sub(r"\]\([^)]*\)", "]", line) for line in text.splitlines() if not line.startswith("|"))
    return [line for line in lines if len(line) > LONGEST_LINE]


def columns(row: str) -> int:
    """Return how many columns a row of a table has; an escaped bar is text."""
    return len(re.split(r"(?<!\\)\|", row.strip().strip("|")))


def anchors(text: str) -> set[str]:
    """Return the names under which the headings of a page are linked."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """Return the relative links of a page whose file or heading is not there."""
    broken = []
    for path, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(path + anchor)
    return broken


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_line_is_longer_than_a_reader_likes(page):
    assert long_lines(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_somewhere(page):
    assert broken_links(page) == []


@pytest.mark.parametrize("page", HELP, ids=name)
def test_tables_of_help_pages_fit_the_panel_and_are_whole(page):
    tables = re.findall(r"(?:^\|.*\n?)+", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for table in tables:
        widths = {columns(row) for row in table.splitlines()}
        assert len(widths) == 1 and max(widths) <= MOST_COLUMNS, table


@pytest.mark.parametrize("page", HELP, ids=name)
def test_a_help_page_begins_with_a_short_paragraph(page):
    title, first, *_ = page.read_text(encoding="utf-8").split("\n\n")
    assert title.startswith("# ") and "\n" not in title
    assert len(first.splitlines()) <= 3


def test_the_demo_model_has_one_name():
    other = "mini" + "ature"
    found = [
        name(path)
        for path in ROOT.rglob("*")
        if path.suffix in TEXTS
        and not any(part.startswith(".") or part in ("__pycache__", "output") for part in path.relative_to(ROOT).parts)
        and other in path.read_text(encoding="utf-8").lower()
    ]
    assert found == []


def test_what_is_wrong_is_found(tmp_path):
    assert long_lines("a " * 81 + "\n|" + "a" * 200 + "\n[a](" + "b" * 200 + ")") == ["a " * 81]
    assert columns("| a | b \\| c | |") == 3
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](#one-two) [b](#two) [c](none.md) [d](page.md#one-two) [e](https://example.org/x)")
    assert broken_links(page) == ["#two", "none.md"]
