"""What full-size SDXL costs, with LiDAR and with gradients: `python3 dev.py python benchmarks/full_size.py --size 512`.

Weights are random: time and memory do not ask for them. On a GPU if there is one, which must hold SDXL, its VAE and ImageReward (about 6 GB in
half precision) at once; else on the CPU in float32, where they take 12.3 GB and the gradient 3.4 GB more at 256 x 256, which grows with the
pixels. Attention is PyTorch's on the CPU too, as the host has it on NVIDIA GPUs.

The first table is measured. The second is computed from it, or with --runs measured too, as whole pictures: n lookaheads of 6 steps, decoded and
scored, then the guided pictures, which share them, decoded; all a batch at a time. One thread unless --threads says more.
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence

LOOKAHEAD_STEPS = 6


def computed_pictures(
    seconds: Mapping[str, float], batch: int, *, pictures: int, steps: int, lookaheads: Sequence[int]
) -> dict[str, float]:
    """Return seconds of `pictures` pictures of `steps` steps with each method, from the rows of `evaluation_costs`.

    A guided step is an ordinary one and the guidance alone: single evaluations differ by more than guidance takes.
    """
    from benchmarks import evaluation_cost as rows

    ordinary, decode, score = (seconds[name] for name in (rows.ORDINARY, rows.DECODE, rows.SCORE))
    batches = pictures / batch
    computed = {"vanilla": batches * (steps * ordinary + decode)}
    for n in lookaheads:
        once = n / batch * (LOOKAHEAD_STEPS * ordinary + decode + score)
        each = steps * (ordinary + seconds[rows.guidance_alone(n)]) + decode + seconds[rows.preparing(n)]
        computed[f"LiDAR, n = {n}"] = once + batches * each
    if rows.GRADIENT in seconds:
        computed["universal guidance"] = batches * (steps * seconds[rows.GRADIENT] + decode)
    return computed


def run_pictures(
    world, task, batch: int, *, pictures: int, steps: int, lookaheads: Sequence[int], gradient: bool
) -> dict[str, float]:
    """Return what `computed_pictures` does, by drawing the pictures."""
    import torch

    from benchmarks import evaluation_cost as rows
    from benchmarks.rivals import universal_guidance
    from benchmarks.world import PAPERS_RULE, room

    batches, sigmas = task.noise(pictures).split(batch), world.sigmas(steps)

    def vanilla(model=None) -> None:
        for noise in batches:
            world.decode(world.sample(task, noise, sigmas, phase="sampling", model=model), phase="decoding")

    def lidar(n: int) -> None:
        latents, rewards = [], []
        for noise in task.noise(n, stream=1).split(batch):
            latents.append(world.sample(task, noise, world.sigmas(LOOKAHEAD_STEPS), phase="lookaheads"))
            rewards.append(world.score(world.decode(latents[-1], phase="decoding"), task, phase="scoring"))
        found = room("lidar_core").LookaheadSet(torch.cat(latents), torch.cat(rewards), "ImageReward")
        vanilla(room("nodes").LiDARApplyGuidance.execute(world.model, found, **PAPERS_RULE).result[0])

    def universal() -> None:
        for noise in batches:
            latents = universal_guidance.draw(world, task, count=len(noise), steps=steps)
            world.decode(latents, phase="decoding")

    methods: dict[str, Callable[[], None]] = {"vanilla": vanilla}
    methods |= {f"LiDAR, n = {n}": lambda n=n: lidar(n) for n in lookaheads}
    if gradient:
        methods["universal guidance"] = universal
    readings: list[rows.Reading] = []
    for draw in methods.values():
        with torch.no_grad(), rows.metered(readings):
            draw()
    return {name: reading.seconds for name, reading in zip(methods, readings, strict=True)}


def cost_lines(size: int, batch: int, costs: Mapping) -> list[str]:
    """Return the lines of a Markdown table for the rows of `evaluation_costs`."""
    ordinary = next(iter(costs.values())).seconds
    return [
        f"| {size} | {batch} | {name} | {each.seconds:.4g} | {each.seconds / ordinary:.3g} | "
        + ("|" if math.isnan(each.gigabytes) else f"{each.gigabytes:.2f} |")
        for name, each in costs.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[1024], help="pixels of a side (default: 1024)")
    parser.add_argument("--batch", type=int, nargs="+", default=[1], help="images at once (default: 1)")
    parser.add_argument("--lookaheads", type=int, nargs="+", default=[16, 50], help="n (default: 16 50)")
    parser.add_argument("--pictures", type=int, nargs="+", default=[1, 4], help="of one prompt (default: 1 4)")
    parser.add_argument("--steps", type=int, default=30, help="of a whole picture (default: 30)")
    parser.add_argument("--repeats", type=int, default=3, help="of each measurement (default: 3)")
    parser.add_argument("--warm-up", type=int, default=1, help="measurements left out before them (default: 1)")
    parser.add_argument("--threads", type=int, default=1, help="on the CPU (default: 1)")
    parser.add_argument(
        "--no-gradient", action="store_true", help="leave out universal guidance, which takes most memory"
    )
    parser.add_argument("--runs", action="store_true", help="draw whole pictures instead of computing their seconds")
    options = parser.parse_args()

    import torch
    from comfy.cli_args import args as host_options

    # Before anything else of the host is imported
    host_options.cpu = not torch.cuda.is_available()
    host_options.use_pytorch_cross_attention = host_options.cpu
    torch.set_num_threads(options.threads)
    from benchmarks.evaluation_cost import evaluation_costs
    from benchmarks.random_sdxl import random_objects, random_task
    from benchmarks.world import World

    world = World(random_objects())
    kind = world.model.model.get_dtype()
    where = f"CPU, processor time, {options.threads} thread" if host_options.cpu else torch.cuda.get_device_name()
    print(f"{where}; UNet {kind}, VAE {world.vae.vae_dtype}, torch {torch.__version__}, random weights\n")
    print("| side | batch | what | seconds | times the ordinary | GB above the models |\n|---|---|---|---|---|---|")
    wholes, shared = [], {"lookaheads": options.lookaheads, "gradient": not options.no_gradient}
    for size in options.size:
        for batch in options.batch:
            task = random_task(size)
            costs = evaluation_costs(world, task, batch, warm_up=options.warm_up, repeats=options.repeats, **shared)
            print("\n".join(cost_lines(size, batch, costs)), flush=True)
            seconds = {name: reading.seconds for name, reading in costs.items()}
            for pictures in options.pictures:
                given = {"pictures": pictures, "steps": options.steps}
                if options.runs:
                    whole = run_pictures(world, task, batch, **given, **shared)
                else:
                    whole = computed_pictures(seconds, batch, **given, lookaheads=options.lookaheads)
                wholes.append((size, batch, pictures, whole))
    print(f"\n{'Measured' if options.runs else 'Computed'}: seconds of whole pictures of {options.steps} steps\n")
    names = list(wholes[0][-1])
    print("| side | batch | pictures | " + " | ".join(names) + " |\n|" + "---|" * (3 + len(names)))
    for *given, whole in wholes:
        print("| " + " | ".join(map(str, given)) + " | " + " | ".join(f"{each:.4g}" for each in whole.values()) + " |")


if __name__ == "__main__":
    main()
