"""The figures of a comparison, against numpy and by hand."""

import numpy as np
import pytest

from devtools.compare.figures import differences, estimate, foretold, spread, whole_cells


def test_only_what_every_method_has_drawn_is_compared(rows):
    assert len(whole_cells(rows)) == 4
    assert [cell["LiDAR"]["seed"] for cell in whole_cells(rows[:-1])] == [10, 20, 11]


def test_differences_are_paired_by_prompt_and_seed(rows):
    found = differences(whole_cells(rows), "PickScore", "LiDAR", "best of N")
    assert found == pytest.approx([((0.9 - 0.7) + (0.9 - 0.8)) / 2, ((0.4 - 0.5) + (0.7 - 0.6)) / 2])
    assert differences(whole_cells(rows), "contrast", "LiDAR", "one picture") == pytest.approx([-1.0, 0.0])


def test_interval_is_the_bootstrap_of_numpy():
    values = np.random.default_rng(3).gamma(2.0, 1.5, size=60)
    found = estimate(values.tolist())
    draws = np.random.default_rng(4).choice(values, size=(20000, 60)).mean(axis=1)
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.05)
    assert estimate([0.25] * 7) == (0.25, 0.25, 0.25)


def test_foretold_is_the_correlation_within_prompt_and_seed(rows):
    cells = whole_cells(rows)
    one = foretold(cells[:1])
    assert one.value == pytest.approx(np.corrcoef([0.1, 0.7, 0.4], [0.3, 0.5, 0.35])[0, 1])
    drafts, finals = [], []
    for cell in cells:  # levels of prompts taken out, all that is left in one heap
        final, draft = np.array(cell["best of N"]["candidates"]), np.array(cell["LiDAR"]["lookaheads"][:3])
        drafts.append(draft - draft.mean())
        finals.append(final - final.mean())
    expected = np.corrcoef(np.concatenate(drafts), np.concatenate(finals))[0, 1]
    assert foretold(cells).value == pytest.approx(expected)


def test_foretold_is_none_where_nothing_is_known(rows):
    for row in rows:
        row["lookaheads"] = []
    assert foretold(whole_cells(rows)) is None


def test_spread_is_that_within_prompts(rows):
    cells = whole_cells(rows)
    variances = [np.var(cell["best of N"]["candidates"], ddof=1) for cell in cells]
    assert spread(cells) == pytest.approx(np.sqrt(np.mean(variances)))
