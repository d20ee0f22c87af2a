"""An open_clip model out of a configuration and a checkpoint: first its sizes alone, then its weights."""

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from .checkpoint_file import Checkpoint
from .clip_architecture import ClipArchitecture
from .clip_shape import mismatch
from .printable import printable
from .transformers_clip import is_transformers_clip, to_open_clip
from .weights import check_numbers, check_types

# Written into OpenAI's own files beside the weights
_NOT_WEIGHTS = ("input_resolution", "context_length", "vocab_size")
# Not read by a cosine, so a file may lack them
_NOT_NEEDED = ("logit_scale", "logit_bias")
# The captions of CoCa are not scored
_NOT_SCORED = "text_decoder."
# exp(50) times a cosine is far from what float32 can hold, and CLIPs are trained with at most log(100)
_LARGEST_SCALE = 50
# What open_clip, timm and torch raise for sizes and names that do not work together
_CANNOT_BUILD = (
    TypeError, KeyError, AssertionError, ValueError, RuntimeError, IndexError, AttributeError, ArithmeticError,
)  # fmt: skip

State = dict[str, torch.Tensor]


def build_clip(
    architecture: ClipArchitecture, checkpoint: Checkpoint, *, asked: str
) -> tuple[torch.nn.Module, float | None]:
    """Build the model and fill it, on the CPU, in the dtypes of the file. Returns it with the logit_scale of the file.

    asked: the architecture that people chose. Nothing is read before the sizes agree. ValueError: one line that names the
    file or the configuration, and what to change.
    """
    model_class = _model_class(architecture)
    with torch.device("meta"):
        sketch = model_class()
    scales = _read_scales(checkpoint)
    needed = {key: tensor for key, tensor in sketch.state_dict().items() if key not in _NOT_NEEDED}
    tensors = _in_open_clips_names(checkpoint.tensors, sketch)
    problem = mismatch(tensors, needed, file=checkpoint.name, asked=printable(asked, 80))
    if problem:
        raise ValueError(problem)
    counters = [key for key, tensor in needed.items() if not tensor.is_floating_point()]
    check_types({key: tensors[key] for key in needed if key not in counters}, checkpoint.name)
    if architecture.file is not None:
        _try_out(sketch, architecture)
    clip = model_class()
    weights = _in_open_clips_names(checkpoint.read([key for key in checkpoint.tensors if _is_weight(key)]), sketch)
    scored = [key for key in needed if key not in counters and not key.startswith(_NOT_SCORED)]
    check_numbers({key: weights[key] for key in scored}, checkpoint.name)
    given = clip.state_dict()
    weights |= {key: given[key] for key in counters}  # batches seen in training: read by nothing
    for key in given.keys() - needed.keys():
        weights[key] = torch.full_like(given[key], scales[key]) if key in scales else given[key]
    clip.load_state_dict(weights, assign=True)
    return clip, scales.get("logit_scale")


class _SkipRandomWeights(TorchFunctionMode):
    """Leaves new weights unfilled: strict loading overwrites them, and drawing them takes 12 s for ViT-H/14."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func in (torch.Tensor.normal_, torch.Tensor.uniform_) or getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def _model_class(architecture: ClipArchitecture) -> Callable[[], torch.nn.Module]:
    """Return what builds the model without weights, by open_clip's own classes; its factory would warn of random weights."""
    import open_clip

    model_cfg = dict(architecture.model_cfg)
    custom_text = model_cfg.pop("custom_text", False)
    vision_cfg = model_cfg["vision_cfg"]
    timm_name = vision_cfg.get("timm_model_name")
    if timm_name:
        _check_timm_name(timm_name, architecture)
        model_cfg["vision_cfg"] = {**vision_cfg, "timm_model_pretrained": False}
    if "multimodal_cfg" in model_cfg:
        model_class = open_clip.CoCa
    else:
        model_class = open_clip.CustomTextCLIP if custom_text else open_clip.CLIP

    def build() -> torch.nn.Module:
        try:
            with _SkipRandomWeights():
                return model_class(**model_cfg).eval()
        except _CANNOT_BUILD as error:
            raise _cannot_build(architecture, printable(error)) from error

    return build


def _check_timm_name(name: str, architecture: ClipArchitecture) -> None:
    """Only timm's own list counts: other names make it look for code and weights in folders and on hubs."""
    try:
        import timm
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{architecture.label} needs the package timm: run 'python -m pip install timm' with ComfyUI's Python",
            name="timm",
        ) from error
    if not timm.is_model(name):
        raise _cannot_build(architecture, f"timm has no model {printable(name, 80)}")


@torch.no_grad()
def _try_out(sketch: torch.nn.Module, architecture: ClipArchitecture) -> None:
    """Embed nothing, on the meta device: settings that do not work together show before anything is scored."""
    size, context = sketch.visual.image_size, architecture.model_cfg["text_cfg"].get("context_length", 77)
    size = (size, size) if isinstance(size, int) else tuple(size)
    try:
        image = sketch.encode_image(torch.empty(1, 3, *size, device="meta"))
        text = sketch.encode_text(torch.zeros(1, context, dtype=torch.int64, device="meta"))
        shapes = tuple(image.shape), tuple(text.shape)
    except _CANNOT_BUILD as error:
        raise _cannot_build(architecture, printable(error)) from error
    if set(shapes) != {(1, architecture.model_cfg["embed_dim"])}:
        raise _cannot_build(architecture, f"its towers give {shapes[0]} and {shapes[1]} for one picture and one text")


def _cannot_build(architecture: ClipArchitecture, why: str) -> ValueError:
    source = "open_clip's list" if architecture.file is None else printable(architecture.file, 400)
    return ValueError(
        f"open_clip cannot build the configuration of {architecture.label} from {source} ({why}): take the file that came "
        "with the checkpoint, or choose an architecture by name"
    )


def _in_open_clips_names(state: State, clip: torch.nn.Module) -> State:
    """Return what belongs to the model, under the names of its class."""
    from open_clip.model import CustomTextCLIP, convert_to_custom_text_state_dict

    if is_transformers_clip(state):
        state = to_open_clip(state)
    state = {key: tensor for key, tensor in state.items() if _is_weight(key)}
    if isinstance(clip, CustomTextCLIP) and "positional_embedding" in state:
        state = convert_to_custom_text_state_dict(state)
    return state


def _is_weight(key: str) -> bool:
    return key not in _NOT_WEIGHTS + _NOT_NEEDED and not key.endswith(".position_ids")


def _read_scales(checkpoint: Checkpoint) -> dict[str, float]:
    """The numbers of the file that scale cosines: scalars in some files, vectors of one in others."""
    found = {key: checkpoint.tensors[key] for key in _NOT_NEEDED if key in checkpoint.tensors}
    check_types(found, checkpoint.name)
    for key, tensor in found.items():
        if tensor.numel() != 1:
            raise ValueError(
                f"{checkpoint.name} holds {tensor.numel()} numbers in {key}, and one is wanted: choose another file"
            )
    scales = {key: tensor.item() for key, tensor in checkpoint.read(found).items()}
    for key, value in scales.items():
        if not abs(value) <= _LARGEST_SCALE:
            raise ValueError(
                f"{checkpoint.name} holds {value:g} in {key}, which is no scale of a CLIP: choose another file"
            )
    return scales
