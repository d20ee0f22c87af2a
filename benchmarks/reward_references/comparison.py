"""How far the scores and the pixels of one of our reward models are from those of another implementation, and a table of it."""

import torch
from clip_oracles import OPENAI_STD
from pictures import image_batch

from reward_models.image_batch import ImageBatch


class Batches:
    """Each picture as a batch of its own: with the pixels of our preprocessing, and with those of the other's.

    images: of `given_images`; pixels: (n, 3, S, S), what the other made of them. Models with one trunk may share this:
    every picture is embedded once.
    """

    def __init__(self, images, pixels: torch.Tensor, preprocessing):
        self.names = [name for name, _, _ in images]
        self.preprocessing = preprocessing
        self.own, self.given = ([image_batch(image) for _, _, image in images] for _ in range(2))
        for batch, ready in zip(self.given, pixels, strict=True):
            batch.once(preprocessing, lambda ready=ready: ready[None])
        ours = torch.cat([batch.preprocessed(preprocessing) for batch in self.own])
        self.steps = (ours - pixels).mul(torch.tensor(OPENAI_STD).view(3, 1, 1) * 255).abs().flatten(1)


def preprocessing_of(model):
    return getattr(model, "preprocessing", model.trunk.preprocessing)


def ours_of(model, batches: list[ImageBatch], preprocessing, prompts) -> torch.Tensor:
    """(n, p) float64 of n batches of one image and p prompts; every image and every text is embedded once."""
    embedded = torch.cat([model.trunk.embed_images(batch, preprocessing) for batch in batches])
    pairs = ImageBatch(torch.empty(len(batches) * len(prompts), 3, 1, 1))
    pairs.once((model.trunk, preprocessing), lambda: embedded.repeat_interleave(len(prompts), dim=0))
    return model.score_batch(pairs, list(prompts) * len(batches)).view(len(batches), -1).double()


def compare(name: str, model, batches: Batches, truth: torch.Tensor, prompts) -> dict:
    """Differences of the scores with equal pixels, of the pixels, and of the scores with each one's own pixels.

    truth: the other's scores of its own pixels, (n, p) float64.
    """
    return {
        "name": name,
        "images": batches.names,
        "scores": truth.tolist(),
        "same_pixels": (ours_of(model, batches.given, batches.preprocessing, prompts) - truth).abs().tolist(),
        "own_pixels": (ours_of(model, batches.own, batches.preprocessing, prompts) - truth).abs().tolist(),
        "mean_steps": batches.steps.mean(dim=1).tolist(),
        "max_steps": batches.steps.amax(dim=1).tolist(),
    }


def table(results: list[dict]) -> str:
    lines = [
        "| reward | pictures, pairs | scores, standard deviation | same pixels: largest difference, by the largest score | "
        "pixels, in 8-bit steps: mean, largest | own pixels: mean difference, largest, by the largest score |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        what = ("scores", "same_pixels", "own_pixels", "mean_steps", "max_steps")
        scores, same, own, mean_steps, max_steps = (torch.tensor(result[key], dtype=torch.float64) for key in what)
        top = scores.abs().max()
        lines.append(
            f"| {result['name']} | {len(scores)}, {scores.numel()} | "
            f"{scores.min():.4g} to {scores.max():.4g}, {scores.std():.3g} | "
            f"{same.max():.2g}, {same.max() / top:.2g} | {mean_steps.mean():.2g}, {max_steps.max():.3g} | "
            f"{own.mean():.2g}, {own.max():.2g}, {own.max() / top:.2g} |"
        )
    return "\n".join(lines)
