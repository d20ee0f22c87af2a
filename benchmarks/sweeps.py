"""How LiDAR answers to its settings: four images of the preset demo with one changed at a time, and other forms."""

from functools import partial

from .arms import STEPS, Arm, lidar
from .world import room

BASE = "preset demo"
VALUES = {
    "count": (4, 8, 32, 64),
    "steps": (5, 6, 8),
    "final_steps": (8, 12),
    "guidance_scale": (0.0, 0.25, 1.0),
    "reward_strength": (0.0, 300.0),
    "effective_dimension": (16.0, 64.0),
    "end_percent": (0.1, 0.7, 1.0),
}
FORMS = {
    "paper's form, s = 2": {"preset": "demo (paper)", "guidance_scale": 2.0, "reward_strength": 1000.0, "end_percent": 1.0},
    "paper's form, best lookaheads' noise": {"preset": "demo (paper)", "start_from": "best lookaheads"},
    "blend, own noise": {"start_from": "own noise"},
    "blend, own noise, d = 16, 0.8": {"start_from": "own noise", "effective_dimension": 16.0, "guidance_scale": 0.8},
    "steady scores": {"steady_scores": True},
}  # fmt: skip


def arms() -> dict[str, Arm]:
    """Return the arms by name: the preset itself, "count = 4" and so on."""
    changed = {f"{name} = {value:g}": {name: value} for name, values in VALUES.items() for value in values}
    return {
        name: partial(lidar, budget=0, images=4, **settings)
        for name, settings in ({BASE: {}} | changed | FORMS).items()
    }


def own_values() -> dict[str, float]:
    """Return what the preset itself says of the settings that are swept."""
    preset = {"final_steps": STEPS} | room("nodes.settings.presets").PRESETS["demo"]
    return {name: float(preset[name]) for name in VALUES}
