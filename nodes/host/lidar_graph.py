"""What LiDAR KSampler expands into: the modular nodes and the host's own, with plain values wherever there are any.

The host's cache compares the children's inputs: they get what came in as it came, and single settings, never the config
as a whole, so that only what really changed runs again. Ids begin with the class type, for logs.
"""

from comfy_execution.graph_utils import ExecutionBlocker, GraphBuilder, is_link

from ..settings.definitions import (
    BEST_LOOKAHEADS,
    CONTINUE_BEST,
    GUIDANCE,
    OWN_NOISE,
    SAMPLING,
    THIS_RUN,
    setting_inputs,
)
from ..values.picks import parse_picks, split_picks
from .checked_links import CheckedLinks

# Images with noise of their own must not by chance start from a lookahead's. torch's CPU generator reads the low 32
# bits of a seed only, so the offset lies within them ("liDA" in ASCII).
LOOKAHEAD_SEED_OFFSET = 0x6C694441
_MOST = setting_inputs("count")[0].max


def lidar_graph(
    settings: dict,
    *,
    model,
    positive,
    negative,
    latent_image,
    vae,
    reward_model,
    prompt,
    seed: int,
    steps,
    cfg,
    sampler_name,
    scheduler,
    denoise,
    lookahead_model,
    may_be_none: bool,
    look_first,
    picks,
) -> tuple[tuple, dict]:
    """Return latent, lookahead set, ranked and finished images, each a link or blocked, and the graph that gives them.

    settings: every one by name, each a value or a link.
    may_be_none: whether what is linked at lookahead_model may hand on None, as a switch does; only then a change of model
    draws its lookaheads again. Everything else is an input of LiDAR KSampler, a value that has been checked or a link.
    ValueError for picks that cannot be read.
    """
    graph = GraphBuilder()

    sound = CheckedLinks(graph, "LiDARKSampler")
    model, vae, reward_model = sound("model", model), sound("vae", vae), sound("reward_model", reward_model)
    latent_image, cfg, scheduler = sound("latent_image", latent_image), sound("cfg", cfg), sound("scheduler", scheduler)
    task = {
        "positive": sound("positive", positive),
        "negative": sound("negative", negative),
        "denoise": sound("denoise", denoise),
    }
    prompt = sound.prompt(prompt, reward_model, after=task["positive"])
    settings = {name: sound(name, value, "LiDARLookaheadConfig") for name, value in settings.items()}
    start_from = settings["start_from"]
    final = {
        **task,
        "seed": seed,
        "cfg": cfg,
        "scheduler": scheduler,
        "steps": sound("steps", steps),
        "sampler_name": sound("sampler_name", sampler_name),
    }

    if start_from == CONTINUE_BEST:
        lookaheads = graph.node(
            "LiDARSampleCandidates",
            id="LiDARSampleCandidates",
            model=model,
            latent_image=latent_image,
            **final,
            **_only(settings, "count", "cut_percent", "batch_size"),
        )
    else:
        drawing_model = model
        if lookahead_model is not None:
            otherwise = {"otherwise": model} if may_be_none else {}
            drawing_model = sound("lookahead_model", lookahead_model, **otherwise)
        lookaheads = graph.node(
            "LiDARSampleLookaheads",
            id="LiDARSampleLookaheads",
            model=drawing_model,
            latent_image=latent_image,
            # With one seed for both, lookahead i starts from the noise of the i-th image of KSampler's batch.
            seed=(seed + LOOKAHEAD_SEED_OFFSET) % 2**64 if start_from == OWN_NOISE else seed,
            **task,
            **_only(settings, *SAMPLING, "batch_size"),
        )
    images = graph.node("VAEDecode", id="VAEDecode", samples=lookaheads.out(0), vae=vae)
    scored = graph.node(
        "LiDARScoreLookaheads",
        id="LiDARScoreLookaheads",
        lookaheads=lookaheads.out(0),
        images=images.out(0),
        reward_model=reward_model,
        prompt=prompt,
        **_only(settings, "batch_size", "steady_scores"),
    )
    judged, favourites = scored.out(0), 0
    if is_link(picks) or picks.strip():
        if not is_link(picks):  # so that a slip is told before anything is drawn
            numbers, made_for = split_picks(picks)
            parse_picks(numbers, _MOST if made_for or is_link(settings["count"]) else settings["count"])
        picked = graph.node(
            "LiDARPickLookaheads", id="LiDARPickLookaheads", lookahead_set=judged, picks=sound("picks", picks)
        )
        judged, favourites = picked.out(0), picked.out(1)
    goes_on = judged
    if look_first is not False:
        gate = graph.node(
            "LiDARLookFirst",
            id="LiDARLookFirst",
            lookaheads=judged,
            look_first=sound("look_first", look_first),
            favourites=favourites,
        )
        goes_on, favourites = gate.out(0), gate.out(1)
    from_best = start_from != OWN_NOISE
    several = settings["finish"] != 1 or (from_best and favourites != 0)
    start, rows = latent_image, None
    if several:
        continues = start_from == CONTINUE_BEST
        rows = graph.node(
            "LiDARFinishSeveral",
            id="LiDARFinishSeveral",
            latent_image=latent_image,
            lookahead_steps=final["steps"] if continues else settings["steps"],
            lookahead_cfg=cfg if continues else settings["cfg"],
            share=settings["cut_percent"] if continues else 1.0,
            image_steps=final["steps"],
            image_cfg=cfg,
            favourites=favourites,
            from_best=from_best,
            **_only(settings, "finish", "count"),
        )
        start = rows.out(0)
    if start_from == BEST_LOOKAHEADS:
        start = graph.node("LiDARStartFromBest", id="LiDARStartFromBest", latent_image=start, lookaheads=goes_on).out(0)
    # The host takes ready nodes in the order in which it finds them, the last input first: all that is checked comes
    # before the sampler of the lookaheads, which stands deepest.
    steered = model
    if start_from == CONTINUE_BEST:  # not guided: after the cut nothing was gained, docs/benchmarks.md
        image = graph.node(
            "LiDARContinueBest",
            id="LiDARContinueBest",
            model=model,
            candidates=lookaheads.out(1),
            lookaheads=goes_on,
            latent_image=start,
            lookahead_model_idle=lookahead_model is not None,
            **_only(settings, "batch_size"),
        )
    else:
        steered = graph.node(
            "LiDARApplyGuidance",
            id="LiDARApplyGuidance",
            lookaheads=goes_on,
            model=model,
            percent_of=THIS_RUN,
            **_only(settings, *GUIDANCE),
        ).out(0)
        sampled = {"latent_image": start, "model": steered, **final}
        if several:
            sampled |= {**_only(settings, "batch_size"), "at_once": rows.out(2), "lookaheads": goes_on}
            image = graph.node("LiDARSampleInParts", id="LiDARSampleInParts", **sampled)
        else:
            image = graph.node("KSampler", id="KSampler", **sampled)
    latent, finished = image.out(0), ExecutionBlocker(None)
    report = image.out(1) if start_from == CONTINUE_BEST else ""
    if several:
        best = graph.node(
            "LiDARKeepBest",
            id="LiDARKeepBest",
            latent=latent,
            wanted=rows.out(1),
            vae=vae,
            reward_model=reward_model,
            prompt=prompt,
            report=image.out(1),
            **_only(settings, "batch_size", "steady_scores"),
        )
        latent, finished, report = best.out(0), best.out(1), best.out(2)
    told = graph.node(
        "LiDARRunReport",
        id="LiDARRunReport",
        lookaheads=goes_on,
        model=steered,
        from_best=from_best,
        report=report,
        latent=latent,
    )
    return (told.out(0), judged, scored.out(1), finished), graph.finalize()


def _only(settings: dict, *names: str) -> dict:
    return {name: settings[name] for name in names}
