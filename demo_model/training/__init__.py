"""How the miniature's weights are made, stage by stage: autoencoder, then diffusion model and text encoder, then the reward."""
