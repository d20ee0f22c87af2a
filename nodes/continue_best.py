"""The best candidates go on from where they stand to finished images."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.chunk_size import fitting_chunk
from .host.draw import draw
from .host.finished import finished, told_in
from .host.show_on_node import show_on_node
from .host.socket_types import CandidatesSocket, LookaheadSetSocket
from .settings.definitions import setting_inputs
from .values.origins import noise_rows
from .values.set_name import with_note


class LiDARContinueBest(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARContinueBest",
            display_name="LiDAR Continue Best",
            category="LiDAR",
            description=(
                "Finishes the best candidates from where they stand, with the settings that they began with. No step is done "
                "twice."
            ),
            search_aliases=["lidar", "continue", "resume", "pick best", "finish the best"],
            inputs=[
                io.Model.Input(
                    "model", tooltip="The model of LiDAR Sample Candidates, as it is or through LiDAR Apply Guidance."
                ),
                CandidatesSocket.Input("candidates", tooltip="From LiDAR Sample Candidates."),
                LookaheadSetSocket.Input(
                    "lookaheads", tooltip="Their scores, from LiDAR Score Lookaheads or LiDAR Pick Lookaheads."
                ),
                io.Latent.Input(
                    "latent_image", tooltip="That of LiDAR Sample Candidates: as many go on as its batch holds."
                ),
                *setting_inputs("batch_size"),
                io.Boolean.Input(
                    "lookahead_model_idle",
                    default=False,
                    advanced=True,
                    tooltip="Whether to tell that a lookahead_model is connected and not used, as LiDAR KSampler does.",
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The finished images, for VAE Decode."),
                io.String.Output(display_name="report", tooltip="What was guided and what it took, as text."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(cls, model, candidates, lookaheads, latent_image, batch_size, lookahead_model_idle) -> io.NodeOutput:
        task, count, wanted = candidates.task, len(candidates.states), len(latent_image["samples"])
        best = lookaheads.order()[:wanted].tolist()
        rows = noise_rows(lookaheads, best)
        if max(rows) >= count or wanted > lookaheads.count:
            raise ValueError(
                f"{wanted} images are wanted, of {lookaheads.count} lookaheads for {count} candidates: connect the latent_image of "
                "LiDAR Sample Candidates, and its lookaheads after they were scored"
            )
        sigmas = task.sigmas(model)
        if len(sigmas) <= candidates.cut or float(sigmas[candidates.cut]) != candidates.sigma:
            raise ValueError(
                "model has other noise levels than the one that the candidates began with: connect that of LiDAR Sample "
                "Candidates, as it is or through LiDAR Apply Guidance"
            )
        for note in _notes(wanted, count, lookahead_model_idle):
            lookaheads = with_note(lookaheads, note)
        model, told = told_in(model, lookaheads)
        drawn = draw(
            model,
            task,
            task.noise(rows),
            at_once=fitting_chunk(model, task.start.shape[1:], batch_size),
            first=candidates.cut,
            states=candidates.states[rows],
            what="image",
        )
        numbers = ", ".join(str(index + 1) for index in best)
        goes = "go" if wanted > 1 else "goes"
        report = told(
            f"no. {numbers} of {lookaheads.count} {goes} on from step {candidates.cut + 1} of {len(sigmas) - 1}", drawn
        )
        show_on_node(cls.hidden, report)
        return io.NodeOutput(finished(latent_image | {"batch_index": rows}, drawn.samples), report)


def _notes(wanted: int, count: int, lookahead_model_idle: bool) -> list[str]:
    notes = []
    if lookahead_model_idle:
        notes.append("lookahead_model is not used: start_from is continue the best; choose best lookaheads to use it")
    if count == 1:
        notes.append("one candidate leaves nothing to choose; set count to 8 or more")
    elif wanted == count:
        notes.append(f"all {count} candidates go on, so nothing was chosen at the cut; raise count")
    return notes
