"""The best candidates go on from where they stand to finished images."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.chunk_size import fitting_chunk
from .host.draw import draw
from .host.finished import finished, told_in
from .host.show_on_node import show_on_node
from .host.socket_types import CandidatesSocket
from .settings.definitions import setting_inputs


class LiDARContinueBest(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARContinueBest",
            display_name="LiDAR Continue Best",
            category="LiDAR",
            description=(
                "Finishes the candidates that LiDAR Start From Best has chosen, from where they stand, with the settings that "
                "they began with. No step is done twice."
            ),
            search_aliases=["lidar", "continue", "resume", "finish the best"],
            inputs=[
                io.Model.Input(
                    "model", tooltip="The model of LiDAR Sample Candidates, as it is or through LiDAR Apply Guidance."
                ),
                CandidatesSocket.Input("candidates", tooltip="From LiDAR Sample Candidates."),
                io.Latent.Input(
                    "latent_image",
                    tooltip="From LiDAR Start From Best: its batch_index names the candidates that go on, as many as it holds.",
                ),
                *setting_inputs("batch_size"),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The finished images, for VAE Decode."),
                io.String.Output(display_name="report", tooltip="What was guided and what it took, as text."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(cls, model, candidates, latent_image, batch_size) -> io.NodeOutput:
        task, count = candidates.task, len(candidates.states)
        rows = latent_image.get("batch_index")
        if rows is None or max(rows) >= count:
            named = (
                "names no candidates"
                if rows is None
                else f"names row {max(rows)} of the noise, and there are rows 0 to {count - 1}"
            )
            raise ValueError(
                f"latent_image {named}: connect LiDAR Start From Best, with the scored lookaheads of the same LiDAR Sample Candidates"
            )
        sigmas = task.sigmas(model)
        if len(sigmas) <= candidates.cut or float(sigmas[candidates.cut]) != candidates.sigma:
            raise ValueError(
                "model has other noise levels than the one that the candidates began with: connect that of LiDAR Sample "
                "Candidates, as it is or through LiDAR Apply Guidance"
            )
        model, told = told_in(model)
        drawn = draw(
            model,
            task,
            task.noise(rows),
            at_once=fitting_chunk(model, task.start.shape[1:], batch_size),
            first=candidates.cut,
            states=candidates.states[rows],
            what="image",
        )
        report = told(
            f"{len(rows)} image{'s' * (len(rows) > 1)} from step {candidates.cut + 1} of {len(sigmas) - 1} on", drawn
        )
        show_on_node(cls.hidden, report)
        return io.NodeOutput(finished(latent_image, drawn.samples), report)
