"""LiDAR sampling as one node: it runs nothing itself and expands into the modular nodes and the host's own."""

from dataclasses import asdict

import comfy.samplers
from comfy_api.latest import io
from comfy_execution.graph_utils import GraphBuilder, is_link

from .checked_inputs import checked
from .config_in_prompt import connected_settings, must_run_first
from .lookahead_presets import PRESETS, RECOMMENDED
from .lookahead_settings import LookaheadConfig
from .pick_lookaheads import picks_input
from .picks import parse_picks
from .setting_inputs import BEST_LOOKAHEADS, reward_prompt_input
from .socket_types import LookaheadConfigSocket, LookaheadSetSocket, RewardModelSocket

# Images with noise of their own must not by chance start from a lookahead's. torch's CPU generator reads the low 32
# bits of a seed only, so the offset lies within them ("liDA" in ASCII).
LOOKAHEAD_SEED_OFFSET = 0x6C694441

# The children get the link itself, and the host evaluates it for them: this node needs nothing but the seed to expand.
HANDED_ON = {"raw_link": True, "lazy": True}


class LiDARKSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARKSampler",
            display_name="LiDAR KSampler",
            category="LiDAR",
            description=(
                "A KSampler that looks ahead: it draws quick trial images, scores them with a reward model and steers "
                "the final image towards the best (LiDAR, arXiv 2602.03211)."
            ),
            search_aliases=["lidar", "ksampler", "reward sampler", "lookahead sampler", "reward guidance", "best of n"],
            enable_expand=True,
            inputs=[
                io.Model.Input("model", **HANDED_ON, tooltip="The model that makes the final image."),
                io.Conditioning.Input("positive", **HANDED_ON, tooltip="What the image should show."),
                io.Conditioning.Input("negative", **HANDED_ON, tooltip="What the image should not show."),
                io.Latent.Input(
                    "latent_image",
                    **HANDED_ON,
                    tooltip=(
                        "The latent to denoise, as for KSampler: empty, a picture with denoise below 1, or one with a "
                        "mask. A batch gives several images that share the same lookaheads."
                    ),
                ),
                io.Vae.Input(
                    "vae", **HANDED_ON, tooltip="Decodes the lookaheads so that the reward model can see them."
                ),
                RewardModelSocket.Input(
                    "reward_model",
                    **HANDED_ON,
                    tooltip=(
                        "What decides which lookahead is good: Load LiDAR Reward Model. Changing it keeps the lookaheads "
                        "and only scores and samples again."
                    ),
                ),
                reward_prompt_input(**HANDED_ON),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip=(
                        "Seed of the lookaheads and the final images. A final image that starts from lookahead no. 3 is the "
                        "third that KSampler would make of this seed in a batch, steered. 0 is a seed like any other."
                    ),
                ),
                io.Int.Input(
                    "steps",
                    **HANDED_ON,
                    default=20,
                    min=1,
                    max=10000,
                    tooltip="Steps of the final image, 20 to 50 usually. Those of the lookaheads are in lookahead_config. 0 is not possible.",
                ),
                io.Float.Input(
                    "cfg",
                    **HANDED_ON,
                    default=8.0,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    round=0.01,
                    tooltip=(
                        "Classifier-free guidance scale of the final image: higher follows the prompt more closely, 1 "
                        "for Flux and distilled models. Without lookahead_config also that of the lookaheads. 0 ignores "
                        "the prompt."
                    ),
                ),
                io.Combo.Input(
                    "sampler_name",
                    **HANDED_ON,
                    options=comfy.samplers.KSampler.SAMPLERS,
                    tooltip="Sampler of the final image. LiDAR works with every sampler.",
                ),
                io.Combo.Input(
                    "scheduler",
                    **HANDED_ON,
                    options=comfy.samplers.KSampler.SCHEDULERS,
                    tooltip="Noise schedule of the final image. Without lookahead_config also that of the lookaheads.",
                ),
                io.Float.Input(
                    "denoise",
                    **HANDED_ON,
                    default=1.0,
                    min=0.01,
                    max=1.0,
                    step=0.01,
                    tooltip=(
                        "How much of latent_image is replaced, for lookaheads and final image: 1 makes a new image, "
                        "lower values keep its structure. 0 is not possible, 0.01 is the least."
                    ),
                ),
                LookaheadConfigSocket.Input(
                    "lookahead_config",
                    optional=True,
                    lazy=True,
                    tooltip=(
                        "Number and quality of the lookaheads, guidance scale and reward strength: LiDAR Lookahead "
                        "Config. Without it 16 lookaheads of 6 steps with this node's cfg and scheduler, and the "
                        "recommended guidance."
                    ),
                ),
                io.Model.Input(
                    "lookahead_model",
                    optional=True,
                    **HANDED_ON,
                    tooltip=(
                        "A faster model of the same latent space for the lookaheads only (distilled, or with an LCM / "
                        "Hyper LoRA). It usually wants its own steps and cfg 1: set them in lookahead_config. Without it "
                        "model draws them."
                    ),
                ),
                picks_input(optional=True, **HANDED_ON),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The guided result, for VAE Decode."),
                LookaheadSetSocket.Output(
                    display_name="lookahead_set", tooltip="The scored lookaheads, for LiDAR Apply Guidance."
                ),
                io.Image.Output(display_name="ranked_images", tooltip="The lookaheads best first, with their scores."),
            ],
        )

    @classmethod
    def check_lazy_status(cls, **inputs):
        return ["lookahead_config"] if must_run_first(cls.hidden) else []

    # Async, although it awaits nothing: the host runs async nodes before all others that are ready, and what this node
    # expands into must be known before the cache drops it, see config_in_prompt.py.
    @classmethod
    @checked
    async def execute(
        cls,
        model,
        positive,
        negative,
        latent_image,
        vae,
        reward_model,
        prompt="",
        seed=0,
        steps=20,
        cfg=8.0,
        sampler_name="euler",
        scheduler="normal",
        denoise=1.0,
        lookahead_config=None,
        lookahead_model=None,
        picks="",
    ) -> io.NodeOutput:
        # The host's cache compares the children's inputs: they get what came in as it came, and single settings, never
        # the config as a whole, so that only what really changed runs again. Ids begin with the class type, for logs.
        graph = GraphBuilder()

        def checked_child(name: str, value, node: str = "LiDARKSampler", **more):
            child = f"LiDARCheckedInput_{node}_{name}"
            return graph.node("LiDARCheckedInput", id=child, value=value, node=node, input=name, **more).out(0)

        def sound(name: str, value, node: str = "LiDARKSampler"):
            """The value, which has been checked; or of a link what a child makes of it that checks it when it comes."""
            return checked_child(name, value, node) if is_link(value) else value

        model, vae, reward_model = sound("model", model), sound("vae", vae), sound("reward_model", reward_model)
        latent_image, cfg, scheduler = (
            sound("latent_image", latent_image),
            sound("cfg", cfg),
            sound("scheduler", scheduler),
        )
        if is_link(prompt) or not prompt.strip():  # only the reward model tells whether it reads a text
            prompt = checked_child("prompt", prompt, reward_model=reward_model)
        task = {
            "positive": sound("positive", positive),
            "negative": sound("negative", negative),
            "denoise": sound("denoise", denoise),
        }
        # cfg and scheduler differ between model families (Flux wants 1 and simple): without a config the user's choice holds.
        given = connected_settings(cls.hidden, lookahead_config)
        given = {name: sound(name, value, "LiDARLookaheadConfig") for name, value in given.items()} or (
            PRESETS[RECOMMENDED] | {"cfg": cfg, "scheduler": scheduler}
        )
        settings = asdict(LookaheadConfig()) | given
        from_best = settings["start_from"] == BEST_LOOKAHEADS
        lookaheads = graph.node(
            "LiDARSampleLookaheads",
            id="LiDARSampleLookaheads",
            model=sound("lookahead_model", lookahead_model) or model,
            latent_image=latent_image,
            # With one seed for both, lookahead i starts from the noise of the i-th image of KSampler's batch.
            seed=seed if from_best else (seed + LOOKAHEAD_SEED_OFFSET) % 2**64,
            one_for_each_image=from_best,
            **task,
            **_only(settings, "count", "steps", "cfg", "sampler_name", "scheduler", "batch_size"),
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
            if not is_link(picks) and not is_link(settings["count"]):
                parse_picks(picks, settings["count"])  # so that a slip is told before anything is drawn
            picks = sound("picks", picks)
            picked = graph.node("LiDARPickLookaheads", id="LiDARPickLookaheads", lookahead_set=judged, picks=picks)
            judged = picked.out(0)
        guided = graph.node(
            "LiDARApplyGuidance",
            id="LiDARApplyGuidance",
            lookaheads=judged,
            model=model,
            **_only(
                settings, "guidance_scale", "reward_strength", "reward_scale", "start_percent", "end_percent",
                "guidance_form", "effective_dimension",
            ),
        )  # fmt: skip
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
        return io.NodeOutput(final.out(0), judged, scored.out(1), expand=graph.finalize())


def _only(settings: dict, *names: str) -> dict:
    return {name: settings[name] for name in names}
