"""How the demo model's weights are made, stage by stage: autoencoder, then diffusion model and text encoder, then the reward."""
