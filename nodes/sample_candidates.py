"""Lookaheads that are the final images themselves, up to a cut: judged there, the best of them can go on."""

from comfy_api.latest import io

from .host.candidates import Candidates
from .host.checked_inputs import checked
from .host.chunk_size import fitting_chunk
from .host.draw import Task, draw
from .host.model_in_prompt import model_in_prompt
from .host.noise_levels import require_steerable
from .host.one_for_all import require_one_for_all
from .host.show_on_node import show_on_node
from .host.socket_types import CandidatesSocket
from .host.starting_latent import latents_like, starting_latent
from .settings.definitions import setting_inputs
from .settings.final_sampler import final_sampler_inputs
from .values.finish import cut_step


class LiDARSampleCandidates(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARSampleCandidates",
            display_name="LiDAR Sample Candidates",
            category="LiDAR",
            description=(
                "Begins count final images and stops them at cut_percent of their steps: the candidates. Decode what they are predicted to "
                "become, score it with LiDAR Score Lookaheads, and let the best go on with LiDAR Continue Best."
            ),
            search_aliases=[
                "lidar",
                "candidates",
                "draft",
                "prune",
                "early stop",
                "best of n",
                "seed search",
                "partial denoise",
            ],
            inputs=[
                io.Model.Input("model", tooltip="The model that makes the final images, without guidance."),
                io.Conditioning.Input("positive", tooltip="What the images should show."),
                io.Conditioning.Input("negative", tooltip="What the images should not show."),
                io.Latent.Input(
                    "latent_image",
                    tooltip=(
                        "The latent to denoise, as for KSampler. Of a batch the first entry is used; there are as many candidates "
                        "as it holds at least."
                    ),
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="Candidate no. 3 begins as the third image that KSampler makes of this seed in a batch. 0 is a seed like any other.",
                ),
                *final_sampler_inputs(),
                *setting_inputs("count", "cut_percent", "batch_size"),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="lookaheads",
                    tooltip="What each candidate is predicted to become, for VAE Decode and scoring.",
                ),
                CandidatesSocket.Output(
                    display_name="candidates", tooltip="Where they stand, for LiDAR Continue Best."
                ),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(
        cls, model, positive, negative, latent_image, count, cut_percent, batch_size, denoise, **settings
    ) -> io.NodeOutput:
        require_steerable(model)
        start, mask = starting_latent(model, latent_image, denoise=denoise)
        prompt = {"positive": positive, "negative": negative}
        require_one_for_all(prompt, dimensions=start.ndim - 2)
        task = Task(start=start, noise_mask=mask, denoise=denoise, **prompt, **settings)
        sigmas, count = task.sigmas(model), max(count, len(latent_image["samples"]))
        cut = cut_step(cut_percent, len(sigmas) - 1)
        at_once = fitting_chunk(model, start.shape[1:], batch_size)
        drawn = draw(model, task, task.noise(range(count)), at_once=at_once, last=cut, what="candidate")
        show_on_node(
            cls.hidden,
            f"{count} candidates after {cut} of {len(sigmas) - 1} steps: {drawn.evaluations} model evaluations",
        )
        candidates = Candidates(task, drawn.states, cut, float(sigmas[cut]))
        origins = task.origins(range(count), model_in_prompt(cls.hidden, "model"), cut)
        return io.NodeOutput(latents_like(latent_image, drawn, mask, origins), candidates)
