"""LiDAR (arXiv 2602.03211) on plain tensors: torch and the standard library, no host, no files, no prompts.

sample       karras_sigmas, sample_ddim, sample_dpmpp_2m     samplers.py          draw lookaheads, and the final sample
keep         LookaheadSet                                    lookahead_set.py     latents + rewards, immutable
             Origin                                          origin.py            seed and row of each, and what drew it
             merge                                           merge.py             several sets as one, whatever their order
             to_tensors, from_tensors, FORMAT_VERSION        lookahead_format.py  as safetensors contents
             LARGEST                                         number_range.py      what latents and rewards may be
scale        standardise                                     reward_scale.py      one reward strength for every reward
             combine, Combination                            combination.py       several rewards as one, as data
prepare      Particles                                       particles.py         the lookaheads of a run, read at every x_t
weigh        log_likelihood, effective_sample_size           weights.py           log-weights of the lookaheads at x_t
guide        difference_shift, blend_shift, TiltInfo         guidance.py          add s * shift to denoised
             GUIDANCE_FORMS                                  guidance.py          either form by its name
plan         expected_gain, best_of_n, finish_best,          expected_gain.py     what choosing among drafts is worth in a given time
             continue_best, Costs, Plan

Symbols: B batch, n lookaheads, *S latent shape without batch, D its size; x noisy latent, z clean lookahead,
x = alpha * z + sigma * noise.
"""

from .combination import Combination, combine
from .expected_gain import Costs, Plan, best_of_n, continue_best, expected_gain, finish_best
from .guidance import GUIDANCE_FORMS, TiltInfo, blend_shift, difference_shift
from .lookahead_format import FORMAT_VERSION, from_tensors, to_tensors
from .lookahead_set import LookaheadSet
from .merge import merge
from .number_range import LARGEST
from .origin import Origin
from .particles import Particles
from .reward_scale import standardise
from .samplers import karras_sigmas, sample_ddim, sample_dpmpp_2m
from .weights import effective_sample_size, log_likelihood

__all__ = [
    "Combination",
    "Costs",
    "FORMAT_VERSION",
    "GUIDANCE_FORMS",
    "LARGEST",
    "LookaheadSet",
    "Origin",
    "Particles",
    "Plan",
    "TiltInfo",
    "best_of_n",
    "blend_shift",
    "combine",
    "continue_best",
    "difference_shift",
    "effective_sample_size",
    "expected_gain",
    "finish_best",
    "from_tensors",
    "karras_sigmas",
    "log_likelihood",
    "merge",
    "sample_ddim",
    "sample_dpmpp_2m",
    "standardise",
    "to_tensors",
]
