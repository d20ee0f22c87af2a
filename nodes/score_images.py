"""Scores any images as a tool of its own: ranks them, keeps the best, and shows whether other rewards agree."""

import torch
from comfy_api.latest import io, ui
from comfy_execution.graph_utils import ExecutionBlocker

from .batch_selection import select_latents, select_masks
from .checked_inputs import checked
from .held_out import Change, change, hacked
from .image_metadata import saved_with, write_to_images
from .lookahead_settings import LookaheadConfig
from .ranked_preview import ranked_preview
from .score_table import change_table, score_table
from .scoring import models_of, score_with_models, scores_of, unused_name
from .setting_inputs import batch_size_input, reward_prompt_input, steady_scores_input
from .show_on_node import show_on_node
from .socket_types import RewardModelSocket

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
                "best of n",
                "rank images",
                "filter images",
                "image quality",
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
                batch_size_input(LookaheadConfig),
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
                steady_scores_input(LookaheadConfig),
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
        )

    @classmethod
    @checked
    def execute(
        cls,
        images,
        reward_model,
        prompt="",
        prompt_per_line=False,
        top_k=1,
        use_threshold=False,
        threshold=0.0,
        batch_size=LookaheadConfig.batch_size,
        latents=None,
        masks=None,
        baseline_images=None,
        held_out=None,
        steady_scores=LookaheadConfig.steady_scores,
    ) -> io.NodeOutput:
        others = [held_out[name] for name in HELD_OUT if held_out and held_out.get(name) is not None]
        rewards = [reward_model, *others]
        prompts = [line for line in prompt.splitlines() if line.strip()] if prompt_per_line else prompt
        if prompt_per_line and len(prompts) != len(images):
            raise ValueError(
                f"prompt has {len(prompts)} lines for {len(images)} images: write one line for each image, or switch "
                "prompt_per_line off"
            )
        scores = score_with_models(models_of(rewards), images, prompts, batch_size, steady=steady_scores)
        columns, names = _columns(rewards, scores)
        ranking = columns[names[0]]
        order = torch.argsort(ranking, descending=True, stable=True)
        kept, notice = _kept(order, ranking, top_k, threshold if use_threshold else None)
        best_latents = None if latents is None else select_latents(latents, kept, len(images))
        best_masks = None if masks is None else select_masks(masks, kept, len(images))
        table = score_table(order, columns)
        warning = ""
        if baseline_images is not None:
            before = score_with_models(models_of(rewards), baseline_images, prompts, batch_size, steady=steady_scores)
            changes = _changes(rewards, before, scores)
            warning = _hacking(changes, names)
            table += "\n\n" + change_table(changes)
        told = [text for text in (notice, warning) if text]
        table = "\n\n".join([table, *told])
        # What is told first, for the page shows two lines on a node
        show_on_node(cls.hidden, "\n".join([*told, f"{names[0]}: best {ranking.max():.4g}, mean {ranking.mean():.4g}"]))
        write_to_images(
            cls.hidden,
            {
                "scores": {key: values.tolist() for key, values in columns.items()},
                "kept": [i + 1 for i in kept.tolist()],
            },
        )
        ranked = ranked_preview(images, ranking, order, dict(list(columns.items())[1:]))
        return io.NodeOutput(
            images[kept],
            _or_blocked(best_latents, "latents"),
            _or_blocked(best_masks, "masks"),
            ranking.tolist(),
            table,
            ranked,
            ui=ui.PreviewImage(ranked, cls=saved_with(cls)),
        )


def _columns(rewards, scores) -> tuple[dict[str, torch.Tensor], list[str]]:
    """The scores by name, each reward followed by the members that it is made of; and the names of the rewards alone."""
    columns, names = {}, []
    for reward in rewards:
        result = scores_of(reward, scores)
        names.append(unused_name(result.name, columns))
        columns[names[-1]] = result.rewards
        if len(result.columns) > 1:
            columns |= {unused_name(name, columns): values for name, values in result.columns.items()}
    return columns, names


def _changes(rewards, before, after) -> dict[str, Change]:
    """Each column's change. A combination is standardised over both batches together, or it could not be compared."""
    both, _ = _columns(rewards, {model: torch.cat((before[model], after[model])) for model in after})
    count = len(next(iter(before.values())))
    return {name: change(values[:count], values[count:]) for name, values in both.items()}


def _kept(order, ranking, top_k, threshold) -> tuple[torch.Tensor, str]:
    best = order[:top_k]
    if threshold is None:
        return best, ""
    passing = best[ranking[best] >= threshold]
    if len(passing):
        return passing, ""
    return best[:1], f"no image reaches the threshold {threshold:g}: the best one, no. {best[0] + 1}, is handed on"


def _hacking(changes, names) -> str:
    guided, *held_out = names
    fallen = hacked(changes[guided], {name: changes[name] for name in held_out})
    return f"looks like reward hacking: {guided} rises while {', '.join(fallen)} fall" if fallen else ""


def _or_blocked(value, name):
    missing = f"LiDAR Score Images: its output {name} is used, but its input {name} is not connected"
    return ExecutionBlocker(missing) if value is None else value
