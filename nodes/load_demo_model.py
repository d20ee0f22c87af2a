"""The shipped demo model as ordinary MODEL, CLIP, VAE and reward model, so that LiDAR can be tried without any download."""

from comfy_api.latest import io

from ..reward_models import load_reward_model
from ..reward_models.clip_architecture import FOLDER_CONFIG
from .host.checked_inputs import checked
from .host.hosted_reward_model import HostedRewardModel
from .host.shared_trunks import load_clip_once
from .host.socket_types import RewardModelSocket


class LiDARLoadDemoModel(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARLoadDemoModel",
            display_name="Load LiDAR Demo Model",
            category="LiDAR",
            description=(
                "A tiny text-to-image model for trying and testing LiDAR: 64x64 pictures of one to three circles, "
                "squares, triangles and crosses in six colours. It runs on any machine in seconds and is no model for "
                "real pictures."
            ),
            search_aliases=["lidar", "lidar demo", "demo model", "tiny model", "test model", "example"],
            inputs=[],
            outputs=[
                io.Model.Output(
                    display_name="model", tooltip="An SDXL model of 7 million parameters; use a 64x64 latent."
                ),
                io.Clip.Output(
                    display_name="clip",
                    tooltip="Its text encoder. It knows prompts such as 'three red circles' or 'a red circle left of a blue square'.",
                ),
                io.Vae.Output(display_name="vae", tooltip="Its autoencoder."),
                RewardModelSocket.Output(
                    display_name="reward_model", tooltip="A small CLIP: how well a picture fits the prompt."
                ),
                io.Model.Output(
                    display_name="lookahead_model",
                    tooltip=(
                        "Its distilled student, for the lookaheads: 1 to 4 steps of euler with sgm_uniform, cfg 1, lead from the "
                        "same noise to nearly the same picture."
                    ),
                ),
            ],
        )

    @classmethod
    @checked
    def execute(cls) -> io.NodeOutput:
        # Imported here: nothing of the demo model is needed by those who never use it.
        from ..demo_model import host_objects

        checkpoint = str(host_objects.WEIGHTS / host_objects.REWARD_FILE)
        reward = load_reward_model("CLIP score", checkpoint, FOLDER_CONFIG, load_clip=load_clip_once)
        return io.NodeOutput(
            host_objects.load_model(),
            host_objects.load_clip(),
            host_objects.load_vae(),
            HostedRewardModel(reward),
            host_objects.load_student(),
        )
