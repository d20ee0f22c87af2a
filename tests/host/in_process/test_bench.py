"""The bench's arithmetic: funnels against brute force, order statistics and the host's own pictures; no step is paid twice."""

import numpy as np
import pytest
import torch

pytestmark = pytest.mark.host
PRICES = {"final": 0.9, "look": 0.1, "student 1": 0.05, "plain 6": 0.25}


@pytest.fixture(scope="module")
def funnel(bench):
    return bench("funnel")


@pytest.fixture(scope="module")
def table(funnel, bench):
    """Two normal scores of correlation 0.6 in 400 prompts."""
    generator = np.random.default_rng(3)
    final, other = generator.standard_normal((2, 400, bench("pool").ROWS))
    draft = 0.6 * final + 0.8 * other
    kinds = {"final": final, "student 1": draft, "cut 10": draft + 0.1 * other}
    return {kind: funnel.Scores(scores, scores, scores > 0.5) for kind, scores in kinds.items()}


def _stages(funnel, *stages):
    return tuple(funnel.Stage(*stage) for stage in stages)


def test_sets_of_rows_are_disjoint_before_they_repeat(funnel, bench):
    rows = bench("pool").ROWS
    for count in (1, 3, 8, rows - 1, rows):
        sets = funnel.subsets(count)
        assert all(len(set(each)) == count for each in sets)
        first = sets[: rows // count].ravel()
        assert len(set(first)) == len(first)
    assert len(funnel.subsets(rows)) == 1


def test_best_of_n_gains_what_order_statistics_say(funnel, table):
    for count, expected in (
        (1, 0.0),
        (2, 0.5642),
        (4, 1.0294),
        (16, 1.7660),
    ):  # David and Nagaraja, table of normal maxima
        assert funnel.run(table, _stages(funnel, ("final", count)), 1).reward.mean() == pytest.approx(
            expected, abs=0.04
        )


def test_a_funnel_keeps_what_a_loop_over_its_stages_keeps(funnel, table):
    stages = _stages(funnel, ("student 1", 13), ("cut 10", 7), ("final", 5))
    kept = funnel.run(table, stages, 3)
    for prompt in (0, 7):
        correct, reward = [], []
        for rows in funnel.subsets(13).tolist():
            for kind, keep in (("student 1", 7), ("cut 10", 5), ("final", 3)):
                rows = sorted(rows, key=lambda row, kind=kind: -table[kind].judged[prompt, row])[:keep]
            correct += [table["final"].correct[prompt, row] for row in rows]
            reward += [table["final"].reward[prompt, row] for row in rows]
        assert kept.reward[prompt] == pytest.approx(np.mean(reward))
        assert kept.correct[prompt] == pytest.approx(np.mean(correct))


def test_no_step_is_paid_twice(funnel):
    def price(*stages):
        return funnel.price(_stages(funnel, *stages), PRICES)

    assert price(("final", 3)) == pytest.approx(3.0)
    assert price(("student 1", 10), ("final", 2)) == pytest.approx(10 * 0.15 + 2)
    assert price(("weak 1", 10), ("final", 2)) == pytest.approx(10 * 0.15 + 2)
    assert price(("cut 5", 8), ("cut 10", 4), ("final", 2)) == pytest.approx(0.9 * (8 / 5 + 4 / 5 + 2 * 3 / 5) + 1.4)
    assert price(("plain 6", 8), (funnel.RESUMED, 2)) == pytest.approx(8 * 0.35 + 2 * (0.9 * 0.6 + 0.1))


def test_a_budget_buys_the_most_candidates_and_never_more(funnel, bench):
    found = list(funnel.within(4.0, PRICES, "student 1", last="final", wanted=1))
    assert [stages[-1].count for stages in found] == [1, 2, 3]
    for stages in found:
        (kind, count), last = stages
        assert funnel.price(stages, PRICES) <= 4.001
        more = _stages(funnel, (kind, count + 1), last)
        assert count == bench("pool").ROWS or funnel.price(more, PRICES) > 4.0
    assert list(funnel.within(3.9, PRICES, last="final", wanted=4)) == []


def test_rank_correlation_is_that_of_scipy(funnel, table):
    from scipy.stats import spearmanr

    expected = [
        spearmanr(a, b).statistic for a, b in zip(table["student 1"].reward, table["final"].reward, strict=True)
    ]
    assert np.allclose(funnel.spearman(table, "student 1"), expected)


@pytest.fixture(scope="module")
def drawn(bench, tmp_path_factory):
    """The parts of one prompt that three arms need, drawn by the host, and the arms' pictures."""
    from demo_model.grammar import PROMPTS

    pool, steered = bench("pool"), bench("steered")
    folder, prompt = pool.Pool(tmp_path_factory.mktemp("pool")), PROMPTS["a red circle left of a blue square"]
    arms = {
        "unguided": steered.guided("plain 6", 8, images=3, guidance_scale=0.0),
        "guided": steered.guided("plain 6", 8, images=3, **steered.BLEND),
        "after the cut": steered.guided_after(10, 8, images=3, guidance_scale=0.0),
    }
    with torch.inference_mode():
        world = bench("world").World()
        for name in ("finals", "plain drafts"):
            folder.add(world, name, pool.PARTS[name], "held-out", 5, prompt)
        for name, arm in arms.items():
            folder.add(world, name, arm.part, "held-out", 5, prompt)
    return lambda name: folder.load(name, "held-out", 5)


@pytest.mark.parametrize(("arm", "tolerance"), [("unguided", 2e-3), ("after the cut", 0.3)])
def test_without_guidance_an_arm_draws_the_pools_own_pictures(drawn, arm, tolerance):
    # After a cut the multistep solver begins anew, without its memory of the step before
    finals, found = drawn("finals"), drawn(arm)
    difference = (found["latents"] - finals["latents"][found["rows"]]).square().mean().sqrt()
    assert difference < tolerance
    assert torch.allclose(found["reward"], finals["reward"][found["rows"]], atol=0.01)


def test_an_arm_starts_from_the_best_drafts(drawn):
    drafts, found = drawn("plain drafts")[6]["reward"][:8], drawn("guided")
    assert found["rows"].tolist() == sorted(range(8), key=lambda row: -drafts[row])[:3]
    assert not torch.allclose(found["latents"], drawn("finals")["latents"][found["rows"]], atol=0.1)


def test_a_prediction_near_the_end_scores_as_the_finished_picture(drawn, bench):
    finals, last = drawn("finals"), bench("pool").CUTS[-1]
    correlation = torch.corrcoef(torch.stack([finals["cuts"][last]["reward"], finals["reward"]]))[0, 1]
    first = torch.corrcoef(torch.stack([finals["cuts"][bench("pool").CUTS[0]]["reward"], finals["reward"]]))[0, 1]
    assert correlation > first
