"""How LiDAR answers to its settings, one changed at a time from the preset demo: four images, 16 lookaheads."""

from functools import partial

from .arms import Arm, lidar

VALUES = {
    "count": (4, 8, 16, 32, 64),
    "steps": (4, 5, 8),
    "final_steps": (8,),
    "guidance_scale": (0.0, 0.25, 1.0),
    "reward_strength": (0.0, 300.0),
    "effective_dimension": (16.0, 64.0),
    "end_percent": (0.3, 1.0),
}
FORMS = {
    "paper's form, s = 2": {"preset": "demo (paper)", "guidance_scale": 2.0, "reward_strength": 1000.0, "end_percent": 1.0},
    "paper's form, best lookaheads' noise": {"preset": "demo (paper)", "start_from": "best lookaheads"},
    "paper's form, d = 16, s = 2": {
        "preset": "demo (paper)", "guidance_scale": 2.0, "reward_strength": 1000.0, "end_percent": 1.0,
        "effective_dimension": 16.0,
    },
    "blend, own noise": {"start_from": "own noise"},
    "blend, own noise, d = 16, 0.8": {"start_from": "own noise", "effective_dimension": 16.0, "guidance_scale": 0.8},
    "one score": {"steady_scores": False},
}  # fmt: skip


def arms() -> dict[str, Arm]:
    """Return the arms by name, "count = 4" and so on."""
    changed = {f"{name} = {value:g}": {name: value} for name, values in VALUES.items() for value in values}
    return {name: partial(lidar, budget=0, images=4, **settings) for name, settings in (changed | FORMS).items()}
