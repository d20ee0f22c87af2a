"""How large the numbers may be that lidar_core computes with."""

LARGEST = 1e12
"""Latents, lookaheads, rewards and reward strengths lie between -LARGEST and LARGEST, both included.

Then products of two of them, summed over a latent of up to 1e13 elements, and lambda times a difference of rewards stay
below the 3.4e38 at which float32 ends, and no evaluation needs to look. Latents are of the order of 1 to 100, and
sigma_max is in the thousands at most.
"""
