"""What LiDAR Measure Drafts expands into: rows of noise sampled as drafts and as final images, judged, and a report.

In quarters, so that a run which was cancelled goes on where it stood: the host's cache keeps every child that has ended.
"""

from comfy_execution.graph_utils import GraphBuilder

from ..settings.definitions import SAMPLING
from .checked_links import CheckedLinks

_PARTS = 4  # also because the first of them loads the models, which must not count


def measure_graph(
    settings: dict,
    *,
    pictures: int,
    budget,
    model,
    positive,
    negative,
    latent_image,
    vae,
    reward_model,
    prompt,
    seed,
    steps,
    cfg,
    sampler_name,
    scheduler,
    denoise,
    lookahead_model,
) -> tuple[tuple, dict]:
    """Return the links of chart, report and lookahead config, and the graph that gives them.

    settings: by name, each a value or a link; where cfg and scheduler are not among them the final sampler's count.
    Everything else is an input of LiDAR Measure Drafts, a value that has been checked or a link.
    """
    graph = GraphBuilder()
    sound = CheckedLinks(graph, "LiDARMeasureDrafts")
    model, vae, reward_model = sound("model", model), sound("vae", vae), sound("reward_model", reward_model)
    latent_image, cfg, scheduler = sound("latent_image", latent_image), sound("cfg", cfg), sound("scheduler", scheduler)
    task = {"positive": sound("positive", positive), "negative": sound("negative", negative)}
    task |= {"latent_image": latent_image, "seed": sound("seed", seed), "denoise": sound("denoise", denoise)}
    prompt = sound.prompt(prompt, reward_model, after=task["positive"])
    settings = {name: sound(name, value, "LiDARLookaheadConfig") for name, value in settings.items()}
    settings = {"cfg": cfg, "scheduler": scheduler} | settings
    final = {"steps": sound("steps", steps), "cfg": cfg, "scheduler": scheduler}
    final["sampler_name"] = sound("sampler_name", sampler_name)
    draft = {name: settings[name] for name in SAMPLING if name != "count"}
    draft_model = sound("lookahead_model", lookahead_model) or model

    judged = None
    for drafts, drawn_by, settings_of in ((True, draft_model, draft), (False, model, final)):
        for part, (first, count) in enumerate(_parts(pictures), start=1):
            name = f"{'drafts' if drafts else 'finals'}_{part}"
            sampled = graph.node(
                "LiDARSampleRows",
                id=f"LiDARSampleRows_{name}",
                model=drawn_by,
                **task,
                **settings_of,
                batch_size=settings["batch_size"],
                first=first,
                count=count,
                drafts=drafts,
            )
            judged = graph.node(
                "LiDARJudgeRows",
                id=f"LiDARJudgeRows_{name}",
                rows=sampled.out(0),
                vae=vae,
                reward_model=reward_model,
                prompt=prompt,
                batch_size=settings["batch_size"],
                steady_scores=settings["steady_scores"],
                **({} if judged is None else {"before": judged.out(0)}),
            )
    report = graph.node(
        "LiDARReportDrafts",
        id="LiDARReportDrafts",
        judged=judged.out(0),
        reward_model=reward_model,
        latent_image=latent_image,
        budget=sound("budget", budget),
        **settings,
    )
    return (report.out(0), report.out(1), report.out(2)), graph.finalize()


def _parts(pictures: int) -> list[tuple[int, int]]:
    """The first row and the number of rows of each part."""
    size = -(-pictures // _PARTS)
    return [(first, min(size, pictures - first)) for first in range(0, pictures, size)]
