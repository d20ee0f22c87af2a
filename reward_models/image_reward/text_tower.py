"""The text half of BLIP: a BERT whose every layer also looks at the image tokens.

J. Devlin et al., "BERT", NAACL 2019; J. Li et al., "BLIP", ICML 2022, section 3.1, the image-grounded text encoder.
Parameters are named as in BLIP's checkpoints.
"""

import torch
import torch.nn.functional as F
from torch import nn

HEAD_WIDTH = 64
# As BERT was trained
NORM_EPSILON = 1e-12


class _Heads(nn.Module):
    def __init__(self, width: int, source_width: int):
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(source_width, width)
        self.value = nn.Linear(source_width, width)

    def forward(self, tokens: torch.Tensor, source: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        projected = (self.query(tokens), self.key(source), self.value(source))
        split = (each.unflatten(-1, (-1, HEAD_WIDTH)).transpose(1, 2) for each in projected)  # (b, heads, t, 64)
        return F.scaled_dot_product_attention(*split, attn_mask=mask).transpose(1, 2).flatten(2)


class _AddAndNorm(nn.Module):
    def __init__(self, given: int, width: int):
        super().__init__()
        self.dense = nn.Linear(given, width)
        self.LayerNorm = nn.LayerNorm(width, eps=NORM_EPSILON)

    def forward(self, change: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        return self.LayerNorm(self.dense(change) + tokens)


class _Attention(nn.Module):
    def __init__(self, width: int, source_width: int):
        super().__init__()
        self.self = _Heads(width, source_width)
        self.output = _AddAndNorm(width, width)

    def forward(self, tokens: torch.Tensor, source: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        return self.output(self.self(tokens, source, mask), tokens)


class _Intermediate(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.dense = nn.Linear(width, hidden)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return F.gelu(self.dense(tokens))


class _Layer(nn.Module):
    def __init__(self, width: int, hidden: int, image_width: int):
        super().__init__()
        self.attention = _Attention(width, width)
        self.crossattention = _Attention(width, image_width)
        self.intermediate = _Intermediate(width, hidden)
        self.output = _AddAndNorm(hidden, width)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor, image_tokens: torch.Tensor) -> torch.Tensor:
        tokens = self.crossattention(self.attention(tokens, tokens, mask), image_tokens)
        return self.output(self.intermediate(tokens), tokens)


class _Embeddings(nn.Module):
    def __init__(self, vocabulary: int, positions: int, width: int):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocabulary, width)
        self.position_embeddings = nn.Embedding(positions, width)
        self.LayerNorm = nn.LayerNorm(width, eps=NORM_EPSILON)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.LayerNorm(self.word_embeddings(ids) + self.position_embeddings.weight[: ids.shape[1]])


class _Encoder(nn.Module):
    def __init__(self, width: int, hidden: int, depth: int, image_width: int):
        super().__init__()
        self.layer = nn.ModuleList(_Layer(width, hidden, image_width) for _ in range(depth))


class TextTower(nn.Module):
    """Token ids and mask, (b, t) each, and image tokens (b, s, image_width) -> the first token, (b, width)."""

    def __init__(self, *, width: int, hidden: int, depth: int, image_width: int, vocabulary: int, positions: int):
        super().__init__()
        self.embeddings = _Embeddings(vocabulary, positions, width)
        self.encoder = _Encoder(width, hidden, depth, image_width)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, image_tokens: torch.Tensor) -> torch.Tensor:
        tokens = self.embeddings(ids)
        for layer in self.encoder.layer:
            tokens = layer(tokens, mask[:, None, None, :], image_tokens)
        return tokens[:, 0]
