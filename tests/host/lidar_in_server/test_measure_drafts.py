"""LiDAR Measure Drafts in the real server: what it finds, what it hands on, and what runs again."""

from __future__ import annotations

import re

import pytest

SCORING = {
    "reward_model": ["demo", 3], "prompt": "three red circles", "prompt_per_line": False, "top_k": 1, "use_threshold": False,
    "threshold": 0.0, "batch_size": 16, "steady_scores": False,
}  # fmt: skip
OF_A_TASK = (
    "model",
    "positive",
    "negative",
    "latent_image",
    "seed",
    "steps",
    "cfg",
    "sampler_name",
    "scheduler",
    "denoise",
)


@pytest.fixture
def measuring(graph):
    """measuring(**inputs) -> a prompt with LiDAR Measure Drafts in the place of LiDAR KSampler."""

    def prompt(**inputs):
        made = graph({"latent": {"batch_size": 1}})
        given = {name: value for name, value in made.pop("lidar")["inputs"].items() if name != "picks"}
        del made["save"], made["brightness"]
        given |= {"pictures": 8, "budget": 4.0, "steps": 4} | inputs
        return made | {
            "lidar": {"class_type": "LiDARMeasureDrafts", "inputs": given},
            "chart": {"class_type": "PreviewImage", "inputs": {"images": ["lidar", 0]}},
            "report": {"class_type": "PreviewAny", "inputs": {"source": ["lidar", 1]}},
        }

    return prompt


def scores_of(prompt: dict, run, **changes) -> list[float]:
    """The scores of the host's own KSampler for rows 0 to 7 of the same task, by LiDAR Score Images."""
    given = prompt["lidar"]["inputs"]
    sampler = {name: given[name] for name in OF_A_TASK} | changes
    kept = {name: prompt[name] for name in ("demo", "positive", "negative")}
    result = run(
        kept
        | {
            "latent": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 8}},
            "sample": {"class_type": "KSampler", "inputs": sampler},
            "decode": {"class_type": "VAEDecode", "inputs": {"samples": ["sample", 0], "vae": ["demo", 2]}},
            "judge": {"class_type": "LiDARScoreImages", "inputs": SCORING | {"images": ["decode", 0]}},
            "table": {"class_type": "PreviewAny", "inputs": {"source": ["judge", 4]}},
        }
    )
    (table,) = result.outputs["table"]["text"]
    rows = [line.split() for line in table.splitlines()[1:]]
    return [float(score) for _, _, score in sorted((int(row[1]), row[0], row[2]) for row in rows)]


def spearman(a: list[float], b: list[float]) -> float:
    """Without equal values: 1 - 6 sum d^2 / (n (n^2 - 1))."""
    ranks = [[sorted(values).index(each) for each in values] for values in (a, b)]
    n = len(a)
    return 1 - 6 * sum((p - q) ** 2 for p, q in zip(*ranks, strict=True)) / (n * (n * n - 1))


def test_rho_is_that_of_the_hosts_own_pictures(measuring, run):
    prompt = measuring()
    (report,) = run(prompt).outputs["report"]["text"]
    assert re.match(r"Choose in 4 times the time of one picture: .*\n\n8 pictures of one prompt", report)
    found = float(re.search(r"rho of a draft +(-?[\d.]+) \[", report)[1])
    config = prompt["config"]["inputs"]
    draft = {name: config[name] for name in ("steps", "cfg", "sampler_name", "scheduler")}
    drafts, finals = scores_of(prompt, run, **draft), scores_of(prompt, run)
    assert found == pytest.approx(spearman(drafts, finals), abs=0.03), report  # the table rounds scores: a tie may part
    assert re.search(r"seconds a picture: draft [\d.e-]+, final [\d.e-]+, decode [\d.e-]+, score [\d.e-]+", report)
    assert 0 < float(re.search(r"seed's share of the picture ([\d.]+)", report)[1]) <= 1
    assert all(re.search(rf"^ +{time} +n {time}: ", report, flags=re.MULTILINE) for time in (2, 4, 8, 16))


def test_the_advice_goes_into_lidar_ksampler_as_it_is(measuring, run):
    prompt = measuring()
    task = {name: value for name, value in prompt["lidar"]["inputs"].items() if name not in ("pictures", "budget")}
    prompt |= {
        "advised": {"class_type": "LiDARKSampler", "inputs": task | {"lookahead_config": ["lidar", 2]}},
        "save": {"class_type": "SaveLatent", "inputs": {"samples": ["advised", 0], "filename_prefix": "advised"}},
    }
    result = run(prompt)
    assert len(result.outputs["save"]["latents"]) == 1
    (report,) = result.outputs["report"]["text"]
    rho = re.search(r"rho of a draft +(\S+ \[\S+ \S+\])", report)[1]
    assert any(node == "lidar" and f"rho of a draft {rho}" in text for node, text in result.texts)


def test_a_second_run_measures_nothing(measuring, run):
    run(measuring())
    assert run(measuring()).executed_classes == ()


def test_another_budget_only_reports(measuring, run):
    run(measuring())
    again = run(measuring(budget=8.0)).executed_classes
    assert set(again) <= {"LiDARMeasureDrafts", "LiDARReportDrafts", "PreviewImage", "PreviewAny"}
    assert "LiDARReportDrafts" in again


def test_another_reward_model_keeps_what_was_sampled(measuring, run, graph):
    run(measuring())
    prompt = measuring(reward_model=["brightness", 0]) | {"brightness": graph()["brightness"]}
    executed = run(prompt).executed_classes
    assert "LiDARJudgeRows" in executed and "LiDARSampleRows" not in executed


def test_a_cancelled_run_goes_on_where_it_stood(measuring, server, run):
    """Eight parts are sampled; the run is cancelled as the fourth begins."""
    begun = []

    def cancel(kind: str, data: dict) -> None:
        if kind == "executing" and "LiDARSampleRows" in (data.get("node") or ""):
            begun.append(data["node"])
            if len(begun) == 4:
                server.interrupt()

    slow = {"pictures": 32, "steps": 20}
    cancelled = server.queue(measuring(**slow), on_event=cancel)
    assert cancelled.status == "interrupted"
    again = run(measuring(**slow)).executed_classes
    assert 4 <= again.count("LiDARSampleRows") <= 5
    assert "LiDARReportDrafts" in again
