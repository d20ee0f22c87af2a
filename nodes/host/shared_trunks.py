"""One copy of a CLIP for all reward models that are made of the same file, on disk, in memory and on the GPU.

The tables hold weak references: a trunk goes when the last reward model that uses it goes, and nothing is kept for later.
"""

import os
from weakref import WeakValueDictionary

import comfy.model_management as mm
import comfy.model_patcher
import torch

from ...reward_models.clip_architecture import FOLDER_CONFIG
from ...reward_models.clip_trunk import ClipTrunk, load_clip_trunk

_clip_trunks: WeakValueDictionary[tuple, ClipTrunk] = WeakValueDictionary()
_patchers: WeakValueDictionary[int, comfy.model_patcher.ModelPatcher] = WeakValueDictionary()


def file_state(path: str) -> tuple:
    """Return what tells a file from a later one of the same name, with the architecture file beside it."""
    paths = (os.path.realpath(path), os.path.join(os.path.dirname(path), FOLDER_CONFIG))
    stats = [os.stat(each) for each in paths if os.path.isfile(each)]
    return paths[0], *((stat.st_mtime_ns, stat.st_size) for stat in stats)


def load_clip_once(checkpoint: str, architecture: str) -> ClipTrunk:
    """As `load_clip_trunk`, but the trunk of a reward model that still exists is given again if the files are the same."""
    key = (*file_state(checkpoint), architecture)
    trunk = _clip_trunks.get(key)
    if trunk is None:
        _clip_trunks[key] = trunk = load_clip_trunk(checkpoint, architecture)
    return trunk


def patcher_of(trunk: torch.nn.Module) -> comfy.model_patcher.ModelPatcher:
    """Return the host's handle of the trunk, one for all who share it.

    The first call takes the trunk over: moves it to the offload device, and to half precision where the host prefers
    that (never on the CPU).
    """
    patcher = _patchers.get(id(trunk))  # the handle keeps its trunk alive, so the id is not given to another
    if patcher is None:
        load_device, offload_device = mm.get_torch_device(), mm.unet_offload_device()
        trunk.to(device=offload_device, dtype=_dtype(load_device))
        # Looked up at call time: the host rebinds the class when dynamic VRAM is on
        patcher = comfy.model_patcher.CoreModelPatcher(trunk, load_device=load_device, offload_device=offload_device)
        _patchers[id(trunk)] = patcher
    return patcher


def _dtype(device: torch.device) -> torch.dtype:
    if mm.should_use_fp16(device):
        return torch.float16
    return torch.bfloat16 if mm.should_use_bf16(device) else torch.float32
