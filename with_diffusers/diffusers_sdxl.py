"""LiDAR with a diffusers SDXL pipeline, from lookaheads to the guided picture.

    python3 dev.py python -m with_diffusers.diffusers_sdxl             a tiny pipeline with random weights, seconds
    python3 -m with_diffusers.diffusers_sdxl stabilityai/sdxl-turbo    a real one, by name or folder; it needs torch and diffusers

The reward here is how red a picture is: put your own function of pictures in its place.
"""

import argparse

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from torch import Tensor

from lidar_core import LookaheadSet, Particles, blend_shift, standardise

from .guided_scheduler import Shift, guided_scheduler

UNET = {
    "sample_size": 8, "block_out_channels": (32, 64, 64), "layers_per_block": 1, "cross_attention_dim": 64,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), "attention_head_dim": 1,
    "use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}  # fmt: skip
"""A tiny UNet of SDXL's kind: heads are 64 wide."""

SDXL_NOISE = {
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1, "timestep_spacing": "leading",
}  # fmt: skip


def tiny_pipeline(seed: int = 0) -> StableDiffusionXLPipeline:
    """Return a StableDiffusionXLPipeline of random weights for latents (4, 8, 8), without text encoders."""
    torch.manual_seed(seed)
    vae = AutoencoderKL(
        block_out_channels=(32,) * 4, down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        scaling_factor=0.13025,
    )  # fmt: skip
    scheduler = EulerDiscreteScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1
    )
    parts = dict.fromkeys(("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"))
    return StableDiffusionXLPipeline(
        vae=vae.eval(), unet=UNet2DConditionModel(**UNET).eval(), scheduler=scheduler, **parts
    )


def redness(pictures: Tensor) -> Tensor:
    """Return (n,), higher is better, of pictures (n, 3, H, W) in [0, 1]."""
    red, green, blue = pictures.mean(dim=(2, 3)).unbind(dim=1)
    return red - (green + blue) / 2


def steer(
    lookaheads: LookaheadSet, *, guidance_scale: float = 0.5, reward_strength: float = 4.0, down_to: float = 1.0
) -> Shift:
    """Return the shift towards the best lookaheads while sigma / alpha is above `down_to`."""
    particles, rewards = Particles(lookaheads.latents), standardise(lookaheads.rewards)

    def shift(x, denoised, *, alpha, sigma):
        if bool((sigma <= down_to * alpha).all()):
            return torch.zeros_like(x)
        towards, _ = blend_shift(
            x, denoised, particles, rewards.to(x.device), alpha=alpha, sigma=sigma, reward_strength=reward_strength
        )
        return guidance_scale * towards

    return shift


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("model", nargs="?", help="a name or folder for from_pretrained; none: tiny and random")
    options.add_argument("--prompt", default="a fox in the snow")
    options.add_argument("--count", type=int, default=8, help="lookaheads")
    options.add_argument("--seed", type=int, default=3)
    given = options.parse_args()
    if given.model:
        pipeline, asked = StableDiffusionXLPipeline.from_pretrained(given.model), {"prompt": given.prompt}
        pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
    else:
        pipeline, words = tiny_pipeline(), torch.Generator().manual_seed(1)
        asked = {
            "prompt_embeds": torch.randn(1, 77, 64, generator=words),
            "pooled_prompt_embeds": torch.randn(1, 1280, generator=words),
            "guidance_scale": 1.0, "height": 64, "width": 64,
        }  # fmt: skip

    def draw(rows: list[int], steps: int) -> Tensor:
        """Latents (n, *S) in model space, a seed each."""
        seeds = [torch.Generator().manual_seed(given.seed + row) for row in rows]
        many = {"num_images_per_prompt": len(rows), "generator": seeds}
        return pipeline(num_inference_steps=steps, output_type="latent", **many, **asked).images

    @torch.no_grad()
    def score(latents: Tensor) -> Tensor:
        decoded = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
        return redness(pipeline.image_processor.postprocess(decoded, output_type="pt")).cpu()

    latents = draw(list(range(given.count)), steps=6)
    lookaheads = LookaheadSet(latents, score(latents), "redness")
    best = lookaheads.rewards.argsort(descending=True)[:2].tolist()
    plain = draw([0, 1], steps=20)
    pipeline.scheduler = guided_scheduler(pipeline.scheduler, steer(lookaheads))
    guided = draw(best, steps=20)  # from the noise of the best lookaheads, and towards them
    print(f"redness of the lookaheads {lookaheads.rewards.mean():.4f}, of the best {lookaheads.rewards.max():.4f}")
    print(f"of two pictures: plain {score(plain).mean():.4f}, guided {score(guided).mean():.4f}")


if __name__ == "__main__":
    main()
