"""A child of LiDAR KSampler: makes room in the batch for all images that are finished."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.show_on_node import show_on_node
from .settings.definitions import setting_inputs
from .values.batch_selection import longer_batch
from .values.finish import evaluations, finish_count


class LiDARFinishSeveral(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        def number(kind, name, tooltip, **options):
            return kind.Input(name, min=0, max=10000, tooltip=f"{tooltip} 0 costs nothing.", **options)

        return io.Schema(
            node_id="LiDARFinishSeveral",
            display_name="LiDAR Finish Several",
            category="LiDAR",
            description="Part of LiDAR KSampler: decides how many images are finished, and makes the batch as large.",
            search_aliases=["lidar"],
            is_dev_only=True,
            inputs=[
                io.Latent.Input("latent_image", tooltip="The latent of LiDAR KSampler."),
                *setting_inputs("finish", "count"),
                number(io.Float, "lookahead_steps", "Steps of a lookahead that are done.", default=6.0),
                number(io.Float, "lookahead_cfg", "Its cfg.", default=1.0),
                io.Float.Input(
                    "image_steps", default=20.0, min=1, max=10000, tooltip="Steps of a final image; 0 is not possible."
                ),
                number(io.Float, "image_cfg", "Its cfg.", default=1.0),
                io.Float.Input(
                    "share",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    tooltip="The part of lookahead_steps that is done; 0 costs nothing.",
                ),
                io.Int.Input(
                    "favourites",
                    default=0,
                    min=0,
                    max=1024,
                    tooltip="How many lookaheads a person has picked: just as many are finished, or the batch. With 0 finish counts.",
                ),
                io.Boolean.Input(
                    "from_best",
                    default=True,
                    tooltip="Whether the images start from the lookaheads: with noise of their own none belongs to a favourite.",
                ),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent_image", tooltip="The same latent, as many times as images are finished."
                ),
                io.Int.Output(display_name="wanted", tooltip="How many of them are wanted."),
                io.Int.Output(display_name="at_once", tooltip="How many the batch held."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(
        cls,
        latent_image,
        finish,
        count,
        lookahead_steps,
        lookahead_cfg,
        image_steps,
        image_cfg,
        share,
        favourites,
        from_best,
    ) -> io.NodeOutput:
        batch = len(latent_image["samples"])
        favourites *= from_best
        wanted = max(batch, favourites)
        lookahead, image = evaluations(lookahead_steps * share, lookahead_cfg), evaluations(image_steps, image_cfg)
        total = (
            wanted if favourites else finish_count(finish, wanted=wanted, count=count, lookahead=lookahead, image=image)
        )
        cost, done = "lookahead costs" if count == 1 else "lookaheads cost", "is" if total == 1 else "are"
        told = f"{count} {cost} as much as {count * lookahead / image:.3g} images\n{total} {done} finished, {wanted} wanted"
        show_on_node(cls.hidden, _of_picks(favourites, batch) if favourites else told)
        return io.NodeOutput(longer_batch(latent_image, total), wanted, batch)


def _of_picks(favourites: int, batch: int) -> str:
    one, images = "pick" if favourites == 1 else "picks", max(favourites, batch)
    return f"{favourites} {one}, a batch of {batch}: {images} image{'s' * (images > 1)}"
