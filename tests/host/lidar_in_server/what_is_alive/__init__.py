"""A custom node for the test server: tells what is alive in its process, and what hangs on a model."""

import gc
from collections import Counter

import comfy.model_management
import psutil

OF_A_RUN = ("Guidance", "GuidedRun", "Particles", "LookaheadSet", "CFGGuider", "KSampler", "HostedRewardModel")


def lengths(value):
    """How many things are in a nest of dicts and lists."""
    if isinstance(value, dict):
        return sum(map(lengths, value.values()))
    return sum(map(lengths, value)) if isinstance(value, (list, tuple)) else 1


class WhatIsAlive:
    CATEGORY, FUNCTION, RETURN_TYPES, OUTPUT_NODE = "test", "tell", (), True

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"model": ("MODEL",), "after": ("*",), "run": ("INT", {"default": 0})}}

    @classmethod
    def VALIDATE_INPUTS(cls, input_types):
        return True

    def tell(self, model, after, run):
        gc.collect()
        names = Counter(type(each).__name__ for each in gc.get_objects())
        told = {name: names[name] for name in OF_A_RUN}
        told["ModelPatcher"] = sum(count for name, count in names.items() if name.startswith("ModelPatcher"))
        told["tensors"] = names["Tensor"] + names["Parameter"]
        told["loaded models"] = len(comfy.model_management.current_loaded_models)
        for place in (
            "model_options",
            "patches",
            "object_patches",
            "hook_patches",
            "wrappers",
            "callbacks",
            "attachments",
        ):
            told[f"of the model: {place}"] = lengths(getattr(model, place))
        network = [module for module in model.model.modules()]
        told["of the network: hooks"] = sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in network)
        told["megabytes"] = psutil.Process().memory_info().rss / 2**20
        told["all objects"] = sum(names.values())
        return {"ui": {"alive": [told]}}


NODE_CLASS_MAPPINGS = {"WhatIsAlive": WhatIsAlive}
