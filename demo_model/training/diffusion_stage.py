"""Stage 2: the diffusion model and its text encoder together, on cached latents, predicting the noise (epsilon loss, DDPM's schedule).

The text encoder is trained as transformers' CLIPTextModelWithProjection, whose weights ComfyUI's class takes as they are, over the token rows
that the grammar uses.
"""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import host_objects
from ..grammar import PROMPTS
from .loop import LoopConfig, train

BATCH = 64
STEPS = 5300
EMPTY_PROMPT_SHARE = 0.1


class TextToImage(nn.Module):
    """The trained pair, with the token ids (T,) of the compact table."""

    def __init__(self):
        super().__init__()
        from transformers import CLIPTextConfig, CLIPTextModelWithProjection

        tokenizer = host_objects._WordTokenizer()
        texts = ["", *PROMPTS]
        rows = torch.tensor([[t[0] for t in tokenizer.tokenize_with_weights(text)[0]] for text in texts])
        self.token_ids, compact = rows.unique(return_inverse=True)
        self.compact = dict(zip(texts, compact, strict=True))
        settings = {
            **host_objects.TEXT_CONFIG,
            "eos_token_id": len(self.token_ids) - 1,
            "vocab_size": len(self.token_ids),
            "projection_dim": host_objects.TEXT_WIDTH,
        }
        self.text_encoder = CLIPTextModelWithProjection(CLIPTextConfig(**settings, attention_dropout=0.0))
        self.host_model = host_objects.new_denoiser()
        self.host_model.diffusion_model.requires_grad_(True)
        _initialise(self.host_model.diffusion_model)

    def predict_noise(self, noisy: Tensor, sigma: Tensor, texts: list[str]) -> Tensor:
        """x = z + sigma * noise (B,4,8,8) and sigma (B,) -> the predicted noise (B,4,8,8)."""
        tokens = torch.stack([self.compact[t] for t in texts]).to(noisy.device)
        encoded = self.text_encoder(tokens)
        y = torch.cat([encoded.text_embeds, self._size_embedding(noisy).expand(len(texts), -1)], dim=1)
        sampling = self.host_model.model_sampling
        scaled = sampling.calculate_input(sigma[:, None, None, None], noisy)
        return self.host_model.diffusion_model(
            scaled, sampling.timestep(sigma).float(), context=encoded.last_hidden_state, y=y
        )

    def _size_embedding(self, noisy: Tensor) -> Tensor:
        pixels = 8 * noisy.shape[-1]
        sizes = torch.tensor([pixels, pixels, 0, 0, pixels, pixels], dtype=torch.float32, device=noisy.device)
        return self.host_model.embedder(sizes).flatten()[None]


def _initialise(unet: nn.Module) -> None:
    """PyTorch's own initialisation, which the host's layers skip; every residual branch starts at zero."""
    for module in unet.modules():
        for kind in (nn.Linear, nn.Conv2d, nn.GroupNorm, nn.LayerNorm):
            if isinstance(module, kind):
                kind.reset_parameters(module)
        for branch in ("out_layers", "proj_out"):
            last = getattr(module, branch, None)
            last = last[-1] if isinstance(last, nn.Sequential) else last
            if isinstance(last, (nn.Linear, nn.Conv2d)):
                nn.init.zeros_(last.weight)
                nn.init.zeros_(last.bias)
    nn.init.zeros_(unet.out[-1].weight)
    nn.init.zeros_(unet.out[-1].bias)


def train_diffusion(
    latents: Tensor, prompts: list[str], work: Path, device: torch.device, steps: int = STEPS
) -> TextToImage:
    """`latents` (N,4,8,8) of unit scale, each with its prompt; a tenth of the prompts is emptied, for classifier-free guidance."""
    torch.manual_seed(2)
    model = TextToImage().to(device)
    sigmas = model.host_model.model_sampling.sigmas

    def loss_of_step(rng, generator) -> Tensor:
        rows = rng.integers(len(latents), size=BATCH)
        emptied = rng.random(BATCH) < EMPTY_PROMPT_SHARE
        texts = ["" if e else prompts[i] for i, e in zip(rows, emptied, strict=True)]
        clean = latents[torch.from_numpy(rows)].to(device)
        noise = torch.randn(clean.shape, generator=generator).to(device)
        sigma = sigmas[torch.randint(len(sigmas), (BATCH,), generator=generator).to(device)]
        return F.mse_loss(model.predict_noise(clean + sigma[:, None, None, None] * noise, sigma, texts), noise)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train(model, loss_of_step, LoopConfig("diffusion", steps, 1e-3, 0.9995, work / "diffusion.pt"))
    return model.eval()
