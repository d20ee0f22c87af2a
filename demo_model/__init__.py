"""The shipped demo model: a 64x64 text-to-image model of coloured shapes, for trying and testing LiDAR on any machine.

grammar.py       the prompts it understands, in GenEval's six kinds, and the held-out split
scenes.py        draws a scene for a prompt
referee.py       judges an image against a prompt; independent of the reward
autoencoder.py   pixels <-> latents
host_objects.py  the weights as ComfyUI's own MODEL, CLIP and VAE objects
train.py         makes the weights (training/ holds its stages); dev.py bench measures them
"""
