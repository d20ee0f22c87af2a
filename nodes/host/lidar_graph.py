"""What LiDAR KSampler expands into: the modular nodes and the host's own, with plain values wherever there are any.

The host's cache compares the children's inputs: they get what came in as it came, and single settings, never the config
as a whole, so that only what really changed runs again. Ids begin with the class type, for logs.
"""

from comfy_execution.graph_utils import GraphBuilder, is_link

from ..settings.definitions import BEST_LOOKAHEADS, GUIDANCE, SAMPLING, THIS_RUN, setting_inputs
from ..values.picks import parse_picks, split_picks
from ..values.plain_words import plain_words

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
    picks,
) -> tuple[tuple[list, list, list], dict]:
    """Return the links of latent, lookahead set and ranked images, and the graph that gives them.

    settings: by name, each a value or a link; where cfg and scheduler are not among them the final sampler's count.
    Everything else is an input of LiDAR KSampler, a value that has been checked or a link. ValueError for picks that cannot be
    read.
    """
    graph = GraphBuilder()

    def checked_child(name: str, value, node: str = "LiDARKSampler", **more) -> list:
        child = f"LiDARCheckedInput_{node}_{name}"
        return graph.node("LiDARCheckedInput", id=child, value=value, node=node, input=name, **more).out(0)

    def sound(name: str, value, node: str = "LiDARKSampler"):
        """The value, which has been checked; or of a link what a child makes of it that checks it when it comes."""
        return checked_child(name, value, node) if is_link(value) else value

    model, vae, reward_model = sound("model", model), sound("vae", vae), sound("reward_model", reward_model)
    latent_image, cfg, scheduler = sound("latent_image", latent_image), sound("cfg", cfg), sound("scheduler", scheduler)
    task = {
        "positive": sound("positive", positive),
        "negative": sound("negative", negative),
        "denoise": sound("denoise", denoise),
    }
    if is_link(prompt) or not plain_words(prompt):  # only the reward model tells whether it reads a text
        prompt = checked_child("prompt", prompt, reward_model=reward_model)
    settings = {name: sound(name, value, "LiDARLookaheadConfig") for name, value in settings.items()}
    settings = {"cfg": cfg, "scheduler": scheduler} | settings
    from_best = settings["start_from"] == BEST_LOOKAHEADS

    lookaheads = graph.node(
        "LiDARSampleLookaheads",
        id="LiDARSampleLookaheads",
        model=sound("lookahead_model", lookahead_model) or model,
        latent_image=latent_image,
        # With one seed for both, lookahead i starts from the noise of the i-th image of KSampler's batch.
        seed=seed if from_best else (seed + LOOKAHEAD_SEED_OFFSET) % 2**64,
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
    judged = scored.out(0)
    if is_link(picks) or picks.strip():
        if not is_link(picks):  # so that a slip is told before anything is drawn
            numbers, made_for = split_picks(picks)
            parse_picks(numbers, _MOST if made_for or is_link(settings["count"]) else settings["count"])
        picked = graph.node(
            "LiDARPickLookaheads", id="LiDARPickLookaheads", lookahead_set=judged, picks=sound("picks", picks)
        )
        judged = picked.out(0)
    guided = graph.node(
        "LiDARApplyGuidance",
        id="LiDARApplyGuidance",
        lookaheads=judged,
        model=model,
        percent_of=THIS_RUN,
        **_only(settings, *GUIDANCE),
    )
    start = latent_image
    if from_best:
        start = graph.node(
            "LiDARStartFromBest", id="LiDARStartFromBest", latent_image=latent_image, lookaheads=judged
        ).out(0)
    # The host takes ready nodes in the order in which it finds them, the last input first: all that is checked comes
    # before the sampler of the lookaheads, which stands deepest.
    final = graph.node(
        "KSampler",
        id="KSampler",
        latent_image=start,
        model=guided.out(0),
        seed=seed,
        **task,
        cfg=cfg,
        scheduler=scheduler,
        steps=sound("steps", steps),
        sampler_name=sound("sampler_name", sampler_name),
    )
    told = graph.node(
        "LiDARRunReport",
        id="LiDARRunReport",
        latent=final.out(0),
        model=guided.out(0),
        lookaheads=judged,
        from_best=from_best,
    )
    return (told.out(0), judged, scored.out(1)), graph.finalize()


def _only(settings: dict, *names: str) -> dict:
    return {name: settings[name] for name in names}
