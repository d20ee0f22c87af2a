"""Scores any images as a tool of its own: ranks them, keeps the best, and shows whether other rewards agree."""

from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker

from .host.checked_inputs import checked
from .host.contact_sheet import sheet_ui
from .host.image_metadata import write_to_images
from .host.older_hosts import SHOWN_AGAIN
from .host.prompt_as_read import prompts_as_read
from .host.scoring import changes_of, columns_of, models_of, score_with_models, scores_of
from .host.show_on_node import show_on_node
from .host.socket_types import RewardModelSocket
from .settings.definitions import reward_prompt_input, setting_inputs
from .shown.ranked_preview import ranked_preview
from .shown.score_table import change_table, score_table
from .values.batch_selection import select_latents, select_masks
from .values.held_out import hacking_warning
from .values.ranking import prompts_of, rank
from .values.score_facts import score_facts

# The names are promises: saved workflows hold them. Eight, for the page takes held_out_1 for the beginning of held_out_10.
HELD_OUT = [f"held_out_{number}" for number in range(1, 9)]


class LiDARScoreImages(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        held_out = RewardModelSocket.Input(
            "held_out",
            optional=True,
            tooltip="A reward that only looks on: it is shown in the table and does not rank.",
        )
        return io.Schema(
            node_id="LiDARScoreImages",
            display_name="LiDAR Score Images",
            category="LiDAR",
            description=(
                "Scores images with a reward model, ranks them and keeps the best, with their latents and masks. Further "
                "rewards beside it show whether the images are better or only please one judge."
            ),
            search_aliases=[
                "lidar",
                "score images",
                "rank images",
                "best of n",
                "pick best",
                "choose image",
                "filter images",
                "image quality",
                "image reward",
                "aesthetic",
                "prompt adherence",
                "top k",
            ],
            inputs=[
                io.Image.Input("images", tooltip="The images to judge, one batch."),
                RewardModelSocket.Input("reward_model", tooltip="What ranks the images: Load LiDAR Reward Model."),
                reward_prompt_input(),
                io.Boolean.Input(
                    "prompt_per_line",
                    default=False,
                    tooltip="On: line 1 of prompt belongs to image 1, and so on, one line for each image. Off: one prompt for all.",
                ),
                io.Int.Input(
                    "top_k",
                    default=1,
                    min=1,
                    max=4096,
                    tooltip="How many of the best images are handed on, best first; all if there are fewer. 0 is not possible.",
                ),
                io.Boolean.Input(
                    "use_threshold",
                    default=False,
                    tooltip="On: of the best top_k only those that score at least threshold are handed on.",
                ),
                io.Float.Input(
                    "threshold",
                    default=0.0,
                    min=-1e6,
                    max=1e6,
                    step=0.01,
                    round=False,
                    tooltip=(
                        "The lowest score that passes, in the unit of the reward, if use_threshold is on; 0 is a threshold "
                        "like any other. If no image reaches it, the best one is handed on, and the node says so."
                    ),
                ),
                *setting_inputs("batch_size", "steady_scores"),
                io.Latent.Input(
                    "latents", optional=True, tooltip="The latents of the images, to hand on those of the best ones."
                ),
                io.Mask.Input("masks", optional=True, tooltip="Masks of the images, one for each or one for all."),
                io.Image.Input(
                    "baseline_images",
                    optional=True,
                    tooltip=(
                        "The same without guidance, for comparison: the table then shows how every reward changed, and "
                        "warns if reward_model rises while two held-out rewards fall. Batches of equal size are compared "
                        "image by image, so use the same seeds."
                    ),
                ),
                io.Autogrow.Input(
                    "held_out",
                    optional=True,
                    template=io.Autogrow.TemplateNames(held_out, names=HELD_OUT, min=1),
                    tooltip="Rewards that only look on, in columns beside the one that ranks.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="images", tooltip="The best images, best first."),
                io.Latent.Output(display_name="latents", tooltip="Their latents, if latents is connected."),
                io.Mask.Output(display_name="masks", tooltip="Their masks, if masks is connected."),
                io.Float.Output(
                    display_name="scores",
                    is_output_list=True,
                    tooltip="The score of every image in the order of the batch, as a list.",
                ),
                io.String.Output(display_name="table", tooltip="All scores as text, best first, for Preview as Text."),
                io.Image.Output(
                    display_name="ranked_images", tooltip="All images best first with their scores burnt in."
                ),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt, io.Hidden.extra_pnginfo],
            **SHOWN_AGAIN,
        )

    @classmethod
    @checked
    def execute(
        cls,
        images,
        reward_model,
        prompt,
        prompt_per_line,
        top_k,
        use_threshold,
        threshold,
        batch_size,
        steady_scores,
        latents=None,
        masks=None,
        baseline_images=None,
        held_out=None,
    ) -> io.NodeOutput:
        rewards = [reward_model, *(held_out[name] for name in HELD_OUT if held_out and name in held_out)]
        written = prompts_of(prompt, len(images)) if prompt_per_line else [prompt]
        plain, notes = prompts_as_read(models_of(rewards), written)
        prompts = plain if prompt_per_line else plain[0]

        def judge(batch):
            return score_with_models(models_of(rewards), batch, prompts, batch_size, steady=steady_scores)

        scores = judge(images)
        columns, names = columns_of(rewards, scores)
        ranking = columns[names[0]]
        order, kept, notice = rank(ranking, top_k, threshold if use_threshold else None)
        best_latents = None if latents is None else select_latents(latents, kept, len(images))
        best_masks = None if masks is None else select_masks(masks, kept, len(images))
        tables, warning = [score_table(order, columns)], ""
        if baseline_images is not None:
            changes = changes_of(rewards, judge(baseline_images), scores)
            tables.append(change_table(changes))
            warning = hacking_warning(changes, names)
        told = [text for text in (notice, warning, *notes) if text]
        # What is told first, for the page shows two lines on a node
        show_on_node(cls.hidden, "\n".join([*told, f"{names[0]}: best {ranking.max():.4g}, mean {ranking.mean():.4g}"]))
        by_name = {key: values.tolist() for key, values in columns.items()}
        write_to_images(cls.hidden, {"scores": by_name, "kept": [i + 1 for i in kept.tolist()]})
        others = dict(list(columns.items())[1:])
        ranked = ranked_preview(images, ranking, order, others)
        judges = {name: columns[name] for name in names} if held_out else scores_of(reward_model, scores).judges
        shown = sheet_ui(
            images,
            ranking,
            order,
            [*(("", text) for text in told), *score_facts(ranking, judges)],
            reward_name=names[0],
            judges=others,
            kept=[i + 1 for i in kept.tolist()],
        )
        return io.NodeOutput(
            images[kept],
            _or_blocked(best_latents, "latents"),
            _or_blocked(best_masks, "masks"),
            ranking.tolist(),
            "\n\n".join([*tables, *told]),
            ranked,
            ui=shown,
        )  # fmt: skip


def _or_blocked(value, name):
    missing = f"LiDAR Score Images: its output {name} is used, but its input {name} is not connected"
    return ExecutionBlocker(missing) if value is None else value
