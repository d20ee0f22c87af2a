"""A child of LiDAR KSampler: of more finished images than are wanted the best are kept, by their final score."""

from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker

from .host.checked_inputs import checked
from .host.finished import decoded
from .host.image_metadata import write_to_images
from .host.prompt_as_read import prompts_as_read
from .host.scoring import score_images
from .host.show_on_node import show_on_node
from .host.socket_types import RewardModelSocket
from .settings.definitions import reward_prompt_input, setting_inputs
from .values.batch_selection import select_latents
from .values.ranking import rank


class LiDARKeepBest(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARKeepBest",
            display_name="LiDAR Keep Best",
            category="LiDAR",
            description="Part of LiDAR KSampler: scores the finished images where there are more than are wanted, and keeps the best.",
            search_aliases=["lidar"],
            is_dev_only=True,
            inputs=[
                io.Latent.Input("latent", tooltip="The finished images."),
                io.Int.Input(
                    "wanted", default=1, min=1, max=4096, tooltip="How many of them are kept; 0 is not possible."
                ),
                io.Vae.Input("vae", tooltip="Decodes them."),
                RewardModelSocket.Input("reward_model", tooltip="Judges them."),
                reward_prompt_input(),
                *setting_inputs("batch_size", "steady_scores"),
                io.String.Input("report", default="", tooltip="What has been told of them so far."),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The best images, best first."),
                io.Image.Output(display_name="finished_images", tooltip="All of them, best first."),
                io.String.Output(display_name="report", tooltip="What has been told of them, with what was kept."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    @checked
    def execute(cls, latent, wanted, vae, reward_model, prompt, batch_size, steady_scores, report) -> io.NodeOutput:
        count = len(latent["samples"])
        if count <= wanted:
            show_on_node(cls.hidden, report)
            return io.NodeOutput(latent, ExecutionBlocker(None), report)
        images = decoded(vae, latent)
        (prompt,), _ = prompts_as_read(reward_model.models, [prompt])
        (scores,) = score_images([reward_model], images, prompt, batch_size, steady=steady_scores)
        order, kept, _ = rank(scores.rewards, wanted, None)
        best = select_latents(latent, kept, count)
        # The cost first, for the page shows two lines on a node
        report = (
            f"{count} finished, {wanted} kept: about {count / wanted:.3g} times the time of finishing {wanted}\n{report}\n"
            f"mean score {scores.rewards[kept].mean():.4g} of the kept, {scores.rewards.mean():.4g} of all finished"
        )
        show_on_node(cls.hidden, report)
        write_to_images(cls.hidden, {"finished": scores.rewards[order].tolist(), "kept": wanted})
        return io.NodeOutput(best, images[order], report)
