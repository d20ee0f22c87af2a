"""Between the phases: score the decoded lookaheads, and show them best first."""

from comfy_api.latest import io

from ..lidar_core import LookaheadSet
from .host.checked_inputs import checked
from .host.contact_sheet import sheet_ui
from .host.image_metadata import write_to_images
from .host.older_hosts import SHOWN_AGAIN
from .host.prompt_as_read import prompts_as_read
from .host.scoring import score_images
from .host.set_in_prompt import name_in_prompt, seed_in_prompt
from .host.show_on_node import has_a_place, show_on_node
from .host.socket_types import LookaheadSetSocket, RewardModelSocket
from .settings.definitions import reward_prompt_input, setting_inputs
from .shown.ranked_preview import ranked_preview
from .shown.score_table import score_table
from .values.origins import EVALUATIONS, origins_of
from .values.score_facts import score_facts
from .values.set_name import named_metadata
from .values.sheet_id import sheet_id
from .values.thumbnails import thumbnails_of


class LiDARScoreLookaheads(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARScoreLookaheads",
            display_name="LiDAR Score Lookaheads",
            category="LiDAR",
            description=(
                "Scores decoded lookaheads with a reward model and keeps latents and scores together as a lookahead set "
                "for LiDAR Apply Guidance (arXiv 2602.03211). Shows them best first."
            ),
            search_aliases=[
                "lidar",
                "lookahead",
                "score images",
                "rank images",
                "contact sheet",
                "reward model",
                "best of n",
                "pick best",
                "prompt adherence",
                "clip score",
            ],
            inputs=[
                io.Latent.Input("lookaheads", tooltip="The latents of LiDAR Sample Lookaheads."),
                io.Image.Input("images", tooltip="The same lookaheads through VAE Decode, in the same order."),
                RewardModelSocket.Input("reward_model", tooltip="What judges the images: Load LiDAR Reward Model."),
                reward_prompt_input(),
                *setting_inputs("batch_size", "steady_scores"),
            ],
            outputs=[
                LookaheadSetSocket.Output(
                    display_name="lookahead_set", tooltip="Lookaheads with their rewards, for LiDAR Apply Guidance."
                ),
                io.Image.Output(
                    display_name="ranked_images",
                    tooltip="The lookaheads best first, each with rank, score and its number in the batch burnt in.",
                ),
                io.String.Output(
                    display_name="table",
                    tooltip="Number, reward and every member's own score of each lookahead, best first, for Preview as Text.",
                ),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt, io.Hidden.extra_pnginfo],
            **SHOWN_AGAIN,
        )

    @classmethod
    @checked
    def execute(cls, lookaheads, images, reward_model, prompt, batch_size, steady_scores) -> io.NodeOutput:
        latents = lookaheads["samples"]
        if latents.shape[0] != images.shape[0]:
            raise ValueError(
                f"there are {latents.shape[0]} lookaheads but {images.shape[0]} images; connect "
                "lookaheads to VAE Decode and its images to this node, with nothing in between that drops or adds any."
            )
        (prompt,), notes = prompts_as_read(reward_model.models, [prompt])
        (scores,) = score_images([reward_model], images, prompt, batch_size, steady=steady_scores)
        name = name_in_prompt(cls.hidden, "lookaheads", lookaheads)
        scored = LookaheadSet(
            latents,
            scores.rewards,
            scores.name,
            {"prompt": prompt} | named_metadata(name, notes, lookaheads.get(EVALUATIONS, 0)),
            origins_of(lookaheads),
            scores.columns,
            scores.combination,
            thumbnails_of(images),
        )
        members = scores.columns if len(scores.columns) > 1 else {}
        order = scored.order()
        ranked = ranked_preview(images, scored.rewards, order, members)
        told = (
            f"{scored.reward_name}: best {scored.rewards.max():.4g}, mean {scored.rewards.mean().round(decimals=6):.4g}, "
            f"worst {scored.rewards.min():.4g} of {scored.count} lookaheads"
        )
        show_on_node(cls.hidden, "\n".join([*notes, told, *([f"set {name}"] if name else [])]))
        columns = {scored.reward_name: scored.rewards} | members
        write_to_images(cls.hidden, {"lookaheads": {name: values.tolist() for name, values in columns.items()}})
        # Behind LiDAR KSampler's sampler the notes are told with all others
        words = [("", note) for note in notes if has_a_place(cls.hidden)]
        shown = sheet_ui(
            images,
            scored.rewards,
            order,
            [*words, *score_facts(scored.rewards, scores.judges), *([("set of lookaheads", name)] if name else [])],
            reward_name=scored.reward_name,
            judges=members,
            sheet_id=sheet_id(scored),
            **seed_in_prompt(cls.hidden, "lookaheads", lookaheads),
        )
        shown |= {"rewards": scored.rewards[order].tolist(), "set": [name]}
        return io.NodeOutput(scored, ranked, score_table(order, columns), ui=shown)
