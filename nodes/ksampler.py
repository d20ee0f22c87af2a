"""LiDAR sampling as one node: it runs nothing itself and expands into the modular nodes and the host's own."""

from comfy_api.latest import io
from comfy_execution.graph_utils import is_link

from .host.checked_inputs import checked
from .host.config_in_prompt import connected_settings, must_run_first
from .host.lidar_graph import lidar_graph
from .host.output_kinds import kind_of_link
from .host.socket_types import LookaheadConfigSocket, LookaheadSetSocket, RewardModelSocket
from .host.words_of_positive import words_of_positive
from .settings.definitions import DEFAULTS, look_first_input, picks_input, reward_prompt_input
from .settings.final_sampler import final_sampler_inputs
from .settings.presets import DISTILLED, PRESETS, RECOMMENDED

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
                "A KSampler that looks ahead: it begins many images, lets a reward model judge them, and finishes the best or "
                "steers towards them (LiDAR, arXiv 2602.03211)."
            ),
            search_aliases=[
                "lidar",
                "ksampler",
                "reward sampler",
                "reward guidance",
                "lookahead",
                "best of n",
                "pick best",
                "choose image",
                "prompt adherence",
                "prompt following",
                "seed search",
                "best seed",
                "draft",
                "preview before sampling",
                "image reward",
                "lightning",
                "hyper",
                "turbo",
            ],
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
                        "mask. A batch gives several images that share the same lookaheads; more picks than it holds give one "
                        "image each."
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
                reward_prompt_input(
                    when_empty=" Empty: the words of the CLIP Text Encode behind positive.",
                    **HANDED_ON,
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=io.ControlAfterGenerate.fixed,
                    tooltip=(
                        "Keep it on fixed: the lookaheads stay only as long as the seed does. It is that of the final images too: one "
                        "that starts from lookahead no. 3 is the third that KSampler would make of this seed in a batch, steered. 0 is a "
                        "seed like any other."
                    ),
                ),
                *final_sampler_inputs(**HANDED_ON),
                LookaheadConfigSocket.Input(
                    "lookahead_config",
                    optional=True,
                    lazy=True,
                    tooltip=(
                        "How lookaheads are drawn and used: LiDAR Lookahead Config. Without it the preset recommended: 8 images "
                        "begin with this node's settings, and the best continue. With a lookahead_model connected the preset "
                        "distilled: 16 lookaheads of 4 steps at cfg 1."
                    ),
                ),
                io.Model.Input(
                    "lookahead_model",
                    optional=True,
                    **HANDED_ON,
                    tooltip=(
                        "A faster model of the same latent space for the lookaheads only (distilled, or with a Lightning / "
                        "Hyper LoRA): they then cost next to nothing. Its steps, sampler and cfg (usually 1) stand in "
                        "lookahead_config. With start_from continue the best it is not used."
                    ),
                ),
                look_first_input(optional=True, **HANDED_ON),
                picks_input(optional=True, **HANDED_ON),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The final images, for VAE Decode."),
                LookaheadSetSocket.Output(
                    display_name="lookahead_set",
                    tooltip="The scored lookaheads, for LiDAR Apply Guidance, Pick Lookaheads and Start From Best.",
                ),
                io.Image.Output(display_name="ranked_images", tooltip="The lookaheads best first, with their scores."),
                io.Image.Output(
                    display_name="finished_images",
                    tooltip=(
                        "All finished images, best first, where finish is more than the batch: the first are those of latent. "
                        "Otherwise nothing is compared, and nothing comes out here."
                    ),
                ),
            ],
        )

    @classmethod
    def check_lazy_status(cls, **inputs):
        return ["lookahead_config"] if must_run_first(cls.hidden) else []

    # Async, although it awaits nothing: the host runs async nodes before all others that are ready, and what this node
    # expands into must be known before the cache drops it, see host/config_in_prompt.py.
    @classmethod
    @checked
    async def execute(cls, cfg, scheduler, lookahead_config=None, lookahead_model=None, **inputs) -> io.NodeOutput:
        if isinstance(inputs["prompt"], str) and not inputs["prompt"].strip():
            inputs["prompt"] = words_of_positive(cls.hidden, inputs["positive"])
        settings = connected_settings(cls.hidden, lookahead_config)
        switched = is_link(lookahead_model) and kind_of_link(cls.hidden.dynprompt, lookahead_model) != "MODEL"
        outputs, graph = lidar_graph(
            settings or DEFAULTS | PRESETS[RECOMMENDED if lookahead_model is None else DISTILLED],
            cfg=cfg,
            scheduler=scheduler,
            lookahead_model=lookahead_model,
            may_be_none=switched and bool(settings),  # settings of a distilled model do not suit another
            **inputs,
        )
        return io.NodeOutput(*outputs, expand=graph)
