"""Renews tests/rewards/references/clip_family.json: what other people's code makes of tiny models whose weights are formulas.

    python3 dev.py python benchmarks/reward_references/clip_family_tiny.py --hpsv2 hps

hps: the unpacked wheel, see `clip_family.py`. The tests then compare ours with these figures, and need none of the other packages.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import torch
from PIL import Image

REFERENCES = Path(__file__).resolve().parents[2] / "tests" / "rewards" / "references"
# Python is started by dev.py without even the script's own folder
sys.path[:0] = [str(Path(__file__).parent), str(REFERENCES)]

from clip_oracles import HEAD_LAYERS, AestheticOracle, HpsOracle, PickScoreOracle, transformers_clip  # noqa: E402
from closed_form import closed_form_picture, closed_form_weights  # noqa: E402

LOGIT_SCALE = 4.6052
PROMPTS = (
    "a red cube on a table",
    "Fog.",
    "Cafe\u0301 au lait, na\u00efve \u2014 \u6771\u4eac \U0001f600 don't  (3.5x)",
    "an old sailor, " * 60,
)
SIZES = ((32, 32), (57, 33), (20, 41), (39, 64))
HEAD_SIZES = (24, 10, 8, 6, 4, 1)
OPEN_CLIP = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 48, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 20, "vocab_size": 49408, "width": 40, "heads": 4, "layers": 2},
}
VISION = {
    "image_size": 32,
    "patch_size": 8,
    "hidden_size": 48,
    "intermediate_size": 192,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
}
TEXT = {
    "hidden_size": 40,
    "intermediate_size": 160,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 20,
}


def head_shapes(sizes) -> dict[str, tuple]:
    """Shapes of LAION aesthetic's own tensors, from the width of the embedding to 1."""
    shapes = {}
    for index, given, wanted in zip(HEAD_LAYERS, sizes, sizes[1:], strict=False):
        shapes |= {f"layers.{index}.weight": (wanted, given), f"layers.{index}.bias": (wanted,)}
    return shapes


def figures(oracle, images) -> dict:
    """Shapes of the weights, scores (images, prompts), token ids where there are any, and every 42nd pixel."""
    state = oracle.model.state_dict()
    shapes = {key: list(value.shape) for key, value in state.items() if value.is_floating_point()}
    oracle.model.load_state_dict(closed_form_weights(shapes), strict=False)
    oracle.model.logit_scale.fill_(LOGIT_SCALE)
    pixels = torch.cat([oracle.pixels(image) for image in images])
    found = {"shapes": shapes, "pixels": pixels[:, :, 1::6, 2::7].tolist()}
    found["scores"] = oracle.scores(pixels, PROMPTS).tolist()
    return found | ({"ids": oracle.tokens(PROMPTS).tolist()} if hasattr(oracle, "tokens") else {})


@torch.no_grad()
def main() -> None:
    import open_clip
    import transformers

    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hpsv2", type=Path, required=True, help="the unpacked wheel of hpsv2 1.2.0")
    package = parser.parse_args().hpsv2
    head = head_shapes(HEAD_SIZES)
    openai = transformers_clip(VISION, TEXT, 24, "quick_gelu")
    oracles = {
        "PickScore": PickScoreOracle(transformers_clip(VISION, TEXT, 24, "gelu"), size=32, context=20),
        "HPS v2.1": HpsOracle(package, OPEN_CLIP, size=32),
        "LAION aesthetic v2": AestheticOracle(openai, closed_form_weights(head), size=32),
    }
    images = [Image.fromarray(closed_form_picture(*size, number).numpy()) for number, size in enumerate(SIZES)]
    versions = {"hpsv2": "1.2.0", "open_clip": open_clip.__version__, "transformers": transformers.__version__}
    shared = {"versions": versions, "config": OPEN_CLIP, "prompts": PROMPTS, "sizes": SIZES}
    shared |= {"logit_scale": LOGIT_SCALE, "head": head}
    found = {name: figures(oracle, images) for name, oracle in oracles.items()}
    (REFERENCES / "clip_family.json").write_text(json.dumps(shared | found) + "\n")


if __name__ == "__main__":
    main()
