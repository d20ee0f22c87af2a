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


@pytest.fixture(scope="module")
def world(bench):
    with torch.inference_mode():
        return bench("world").World()


@pytest.fixture(scope="module")
def drawn(bench, world, tmp_path_factory):
    """drawn(name) -> a part of one prompt's pool or an arm's pictures, as the bench draws them."""
    from demo_model.grammar import PROMPTS

    pool, steered = bench("pool"), bench("steered")
    folder, prompt = pool.Pool(tmp_path_factory.mktemp("pool")), PROMPTS["a red circle left of a blue square"]
    arms = {
        "unguided": steered.guided("student 1", 8, images=3, guidance_scale=0.0),
        "guided": steered.guided("student 1", 8, images=3, **steered.BLEND),
        "after the cut": steered.guided_after(10, 8, images=3, guidance_scale=0.0),
    }
    parts = {name: pool.PARTS[name] for name in ("finals", "student drafts")} | {n: arm.part for n, arm in arms.items()}
    with torch.inference_mode():
        for name, part in parts.items():
            folder.add(world, name, part, "held-out", 5, prompt)
    return lambda name: folder.load(name, "held-out", 5)


def test_a_stopped_run_goes_on_with_what_is_missing(bench, world, tmp_path):
    from demo_model.grammar import PROMPTS

    folder, prompt, drawn = bench("pool").Pool(tmp_path), PROMPTS["a red circle"], []

    def part(world, task, load):
        drawn.append(task.text)
        if len(drawn) == 2:
            raise KeyboardInterrupt
        return {"reward": torch.tensor([len(drawn)])}

    folder.add(world, "one", part, "held-out", 3, prompt)
    with pytest.raises(KeyboardInterrupt):
        folder.add(world, "one", part, "held-out", 4, prompt)
    assert folder.numbers("one", "held-out") == {3}
    for number in (3, 4):
        folder.add(world, "one", part, "held-out", number, prompt)
    assert folder.numbers("one", "held-out") == {3, 4} and len(drawn) == 3
    assert [folder.load("one", "held-out", number)["reward"].item() for number in (3, 4)] == [1, 3]


def _difference(one, other) -> float:
    return float((one - other).square().mean().sqrt())


# After a cut the multistep solver begins anew, without its memory of the step before; latents have a spread of 7
@pytest.mark.parametrize(("arm", "tolerance"), [("unguided", 2e-3), ("after the cut", 0.3)])
def test_without_guidance_an_arm_draws_the_pools_own_pictures(drawn, arm, tolerance):
    finals, found = drawn("finals"), drawn(arm)
    assert _difference(found["latents"], finals["latents"][found["rows"]]) < tolerance


def test_an_arm_starts_from_the_best_drafts(drawn):
    drafts, found = drawn("student drafts")[1]["reward"][:8], drawn("guided")
    assert found["rows"].tolist() == sorted(range(8), key=lambda row: -drafts[row])[:3]
    assert _difference(found["latents"], drawn("finals")["latents"][found["rows"]]) > 0.1


def test_the_nodes_draw_the_pools_pictures(drawn, world, bench):
    import comfy.sample

    from demo_model.grammar import PROMPTS

    nodes, core = bench("world").room("nodes"), bench("world").room("lidar_core")
    task = world.task(PROMPTS["a red circle left of a blue square"], seed=5000)
    prompt, latent = (task.positive, task.negative), {"samples": torch.zeros(3, 4, 8, 8)}
    finals, drafts = drawn("finals"), drawn("student drafts")[1]
    settings = {"seed": task.seed, "count": 8, "denoise": 1.0, "batch_size": 16}
    distilled = {"steps": 1, "cfg": 1.0, "sampler_name": "euler", "scheduler": "sgm_uniform"}
    usual = {"steps": 25, "cfg": 3.0, "sampler_name": "dpmpp_2m", "scheduler": "karras"}

    lookaheads = nodes.LiDARSampleLookaheads.execute(world.student, *prompt, latent, **settings, **distilled).result[0]
    assert _difference(lookaheads["samples"], drafts["latents"][:8]) < 2e-3
    start = nodes.LiDARStartFromBest.execute(
        latent, core.LookaheadSet(drafts["latents"][:8], drafts["reward"][:8])
    ).result[0]
    assert start["batch_index"] == drawn("unguided")["rows"].tolist()
    noise = comfy.sample.prepare_noise(latent["samples"], task.seed, start["batch_index"])
    host = comfy.sample.sample(world.model, noise, *usual.values(), *prompt, latent["samples"], disable_pbar=True)
    assert _difference(host, drawn("unguided")["latents"]) < 2e-3

    predicted, candidates = nodes.LiDARSampleCandidates.execute(
        world.model, *prompt, latent, **settings, **usual, cut_percent=0.4
    ).result
    cut = finals["cuts"][10]
    assert _difference(predicted["samples"], cut["latents"][:8]) < 2e-3
    best = core.LookaheadSet(cut["latents"][:8], cut["reward"][:8])
    finished = nodes.LiDARContinueBest.execute(world.model, candidates, best, latent, 16, False).result[0]
    assert finished["batch_index"] == drawn("after the cut")["rows"].tolist()
    assert _difference(finished["samples"], drawn("after the cut")["latents"]) < 2e-3
