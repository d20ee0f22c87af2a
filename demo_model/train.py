"""Make the demo model's weights: `python3 dev.py train-demo`. Stops anywhere and goes on from its last checkpoint.

Four stages (autoencoder, diffusion, reward, student), each with its progress line; each writes its weights when it is done.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

DEFAULT_WORK = Path(__file__).parent.parent / ".dev" / "training"
SCENE_COUNT, SCENE_SEED, CHECK_COUNT, CHECK_SEED = 40_000, 1, 1000, 2


def _use_the_host_for_training(device: torch.device) -> None:
    from comfy.cli_args import args

    args.cpu = device.type == "cpu"
    args.use_pytorch_cross_attention = True


def _half(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {k: v.detach().cpu().half().contiguous() for k, v in weights.items()}


def train_others(work: Path, output: Path, device: torch.device) -> None:
    """The stages that need nothing of each other's written weights: autoencoder, diffusion, reward."""
    from . import host_objects
    from .training.autoencoder_stage import encode_all, peak_signal_to_noise, train_autoencoder
    from .training.dataset import draw_dataset
    from .training.diffusion_stage import train_diffusion
    from .training.reward_stage import ranking_accuracy, save_reward, train_reward

    print(f"[scenes] drawing {SCENE_COUNT + CHECK_COUNT}", flush=True)
    scenes, check = draw_dataset(SCENE_COUNT, SCENE_SEED), draw_dataset(CHECK_COUNT, CHECK_SEED)

    autoencoder = train_autoencoder(scenes, work, device)
    print(
        f"[autoencoder] {peak_signal_to_noise(autoencoder, check.images):.1f} dB on {CHECK_COUNT} fresh scenes",
        flush=True,
    )
    save_file(_half(autoencoder.state_dict()), output / host_objects.AUTOENCODER_FILE)

    pair = train_diffusion(encode_all(autoencoder, scenes.images), scenes.prompts, work, device)
    save_file(_half(pair.host_model.diffusion_model.state_dict()), output / host_objects.DENOISER_FILE)
    text_weights = _half(pair.text_encoder.state_dict())
    rows = text_weights.pop("text_model.embeddings.token_embedding.weight")
    text_weights.pop("text_model.embeddings.position_ids", None)
    text_weights |= {"token_rows": rows, "token_ids": pair.token_ids.int()}
    save_file(text_weights, output / host_objects.TEXT_ENCODER_FILE)

    reward = train_reward(scenes, autoencoder, work, device)
    print(
        f"[reward] ranks the right prompt above one that is wrong by a word on {ranking_accuracy(reward, check):.1%} of fresh scenes",
        flush=True,
    )
    save_reward(reward, output / Path(host_objects.REWARD_FILE).parent)


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py train-demo", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--work", type=Path, default=DEFAULT_WORK, help="folder of the checkpoints (default: %(default)s)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).parent / "weights",
        help="folder of the weights (default: %(default)s)",
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--only-student", action="store_true", help="the last stage alone, from the weights in the output folder"
    )
    options = parser.parse_args()
    device = torch.device(options.device)
    _use_the_host_for_training(device)

    from . import host_objects
    from .training.student_stage import train_student

    options.work.mkdir(parents=True, exist_ok=True)
    options.output.mkdir(parents=True, exist_ok=True)
    if not options.only_student:
        train_others(options.work, options.output, device)
    student = train_student(options.output, options.work, device)
    save_file(_half(student.host_model.diffusion_model.state_dict()), options.output / host_objects.STUDENT_FILE)
    print(f"Weights written to {options.output}")


if __name__ == "__main__":
    main()
