"""How many lookaheads fit into memory at once: the host's samplers split no batch, so this pack does."""

import comfy.model_management as mm
import torch


def fitting_chunk(model, latent_shape: torch.Size, most: int) -> int:
    """Return how many latents of shape (*S) the sampler can work on at once, 1 to `most`.

    Free memory of the model's device counts, and what the host can free there by unloading its models, less the
    model's own size and what the host keeps in reserve; an image needs the host's estimate for two rows, as
    classifier-free guidance has them. A model that leaves no room is paged in by the host piece by piece: then half of
    the memory is for images, so that its weights do not come anew for every single one.
    """
    device = model.load_device
    an_image = model.model.memory_required([2, *latent_shape])
    # The host's list may still hold models that are gone
    loaded = [each for each in mm.current_loaded_models if each.device == device and each.model is not None]
    can_be_unloaded = sum(each.model_loaded_memory() for each in loaded)
    memory = mm.get_free_memory(device) + can_be_unloaded - mm.minimum_inference_memory()
    room = memory - model.model_size()
    if room < an_image:
        room = memory / 2
    return max(1, min(most, int(room // an_image)))
