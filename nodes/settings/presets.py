"""Settings known to work, by the name that the page offers at LiDAR Lookahead Config; each names the widgets that it writes.

What speaks for a value, by preset:
- recommended: published scores (arXiv 2511.22242: a picture's clean prediction at 40 to 50 % of the steps foretells its final
  score by .6 to .7 on SDXL, .7 to .8 on FLUX), a Gaussian model of both scores, and the demo model (docs/benchmarks.md).
- distilled: the demo model with its own distilled one; steps, sampler and scheduler are the makers'.
- few-step lookaheads: the demo model, which flatters them: there 6 steps foretell the final score by .8, on SD1.5 by .43.
- (paper): arXiv 2602.03211, Appendix B.1 and its official code; there the rewards are raw ImageReward scores, whose spread
  within a prompt is near 1, so that its lambda carries over to standardised rewards. Its guidance window [1.0, 0.2] in
  fractions of T is end_percent 0.8, and Flux's [1.0, 0.95] is 0.05.
"""

from collections.abc import Mapping

from .definitions import BEST_LOOKAHEADS, DEFAULTS, GUIDANCE

RECOMMENDED, DISTILLED = "recommended", "distilled (Lightning, Hyper)"

_PAPER = {
    "reward_strength": 5000.0,
    "reward_scale": "standardised",
    "start_percent": 0.0,
    "end_percent": 0.8,
    "guidance_form": "difference",
    "effective_dimension": 0.0,
    "start_from": "own noise",
    "finish": 1,
    "steady_scores": False,
}
_GUIDED = {name: DEFAULTS[name] for name in (*GUIDANCE, "steady_scores")}
# cfg, sampler and scheduler are the model family's, memory the user's
_RECOMMENDED = {name: DEFAULTS[name] for name in ("count", "steps", "start_from", "cut_percent", "finish")} | _GUIDED
_FROM_BEST = _GUIDED | {"count": 16, "start_from": BEST_LOOKAHEADS, "finish": 0}
_DISTILLED = _FROM_BEST | {"steps": 4, "cfg": 1.0, "sampler_name": "euler", "scheduler": "sgm_uniform"}
_DPM = {"sampler_name": "dpmpp_2m", "scheduler": "karras", "cfg": 7.5}

PRESETS: Mapping[str, Mapping[str, int | float | str]] = {
    RECOMMENDED: _RECOMMENDED,
    DISTILLED: _DISTILLED,
    "distilled (DMD2, LCM)": _DISTILLED | {"sampler_name": "lcm"},
    "distilled (Flux, Qwen)": _DISTILLED | {"count": 12, "steps": 8, "scheduler": "simple"},
    "few-step lookaheads": _FROM_BEST | {"steps": 6, "finish": 1},
    "SD1.5 (paper)": _PAPER | _DPM | {"count": 50, "steps": 5, "guidance_scale": 12.5},
    "SDXL (paper)": _PAPER | _DPM | {"count": 50, "steps": 8, "guidance_scale": 8.0},
    # One step of any sampler is the model's own prediction; lcm also suits the same models at 2 to 8 steps.
    "SDXL one-step (paper)": _PAPER
    | {"sampler_name": "lcm", "scheduler": "sgm_uniform", "cfg": 1.0}
    | {"count": 100, "steps": 1, "guidance_scale": 8.0},
    # Flux takes its guidance of 3.5 from the Flux Guidance node: classifier-free guidance stays off, cfg 1.
    "Flux (paper)": _PAPER
    | {"sampler_name": "euler", "scheduler": "simple", "cfg": 1.0}
    | {"count": 50, "steps": 8, "guidance_scale": 40.0, "end_percent": 0.05},
    "demo": _DISTILLED | {"count": 32, "steps": 2},
    # Chosen by measurement on 24 training prompts of the demo model: a hard pull in the first steps alone gained most, within
    # noise of its neighbours; wide windows lost. Its latents of 256 numbers, against SDXL's 65,536, want less strength.
    "demo (paper)": _PAPER
    | {"sampler_name": "dpmpp_2m", "scheduler": "karras", "cfg": 3.0}
    | {"count": 16, "steps": 6, "guidance_scale": 40.0, "reward_strength": 30.0, "end_percent": 0.1},  # sigma 8.3
}
