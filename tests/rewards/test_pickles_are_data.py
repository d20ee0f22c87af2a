"""Pickles that try to run code do not, whatever their form; sound ones are read as torch.load reads them."""

import collections
import os
import pickle
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from reward_models.checkpoint_file import read_checkpoint

sys.path.insert(0, str(Path(__file__).parent))
from planted import MARKER, end_of, markers  # noqa: E402

SYSTEM = os.system  # the tests replace it


class Reduced:
    """Pickles as whatever `parts` says, which unpickling would run."""

    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return self.parts


def write_marker(folder):
    return f"open({str(folder / MARKER)!r}, 'w').write('ran')"


PICKLES = {
    "eval": lambda folder: Reduced(eval, (write_marker(folder),)),
    "exec": lambda folder: Reduced(exec, (write_marker(folder),)),
    "os.system": lambda folder: Reduced(SYSTEM, (f"touch {folder / MARKER}",)),
    "open": lambda folder: Reduced(open, (str(folder / MARKER), "w")),
    "a setter of state": lambda folder: Reduced(list, (), write_marker(folder), None, None, eval),
    "items": lambda folder: Reduced(list, (), None, iter([Reduced(eval, (write_marker(folder),))])),
    "torch.load": lambda folder: Reduced(torch.load, (str(folder / "inner.pt"),)),
    "torch.hub": lambda folder: Reduced(torch.hub.load, (str(folder), "evil")),
    "an attribute": lambda folder: Reduced(getattr, ("x", "__class__")),
    "as a key": lambda folder: {Reduced(eval, (write_marker(folder),)): 1},
}  # fmt: skip


@pytest.mark.parametrize("form", ["zip", "protocol 4", "old", "bare", "wrapped in safetensors' name"])
@pytest.mark.parametrize("way", PICKLES)
def test_a_pickle_is_read_and_never_run(attempts, way, form):
    folder, tried = attempts
    state = load_file(folder / "open_clip_model.safetensors")
    path = folder / ("x.safetensors" if "safetensors" in form else "x.pt")
    content = {"state_dict": state, "extra": PICKLES[way](folder)}
    if form == "bare":
        path.write_bytes(pickle.dumps({"extra": content["extra"]}, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form != "old", pickle_protocol=4 if "4" in form else 2)
    assert end_of(folder, path.name)
    assert not markers(folder.parent) and not tried


def raw_pickles(folder):
    """Pickles that Python's own library would not write."""
    run = write_marker(folder).encode()
    return {
        "text": b"c__builtin__\neval\n(V" + run + b"\ntR.",
        "instance": b"\x80\x02(V" + run + b"\ni__builtin__\neval\n.",
        "object": b"\x80\x02(c__builtin__\neval\nV" + run + b"\no.",
        "stack names": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c" + bytes([len(run)]) + run + b"\x85R.",
        "dotted names": b"\x80\x04\x8c\x02os\x8c\x0bpath.os.sys\x93.",
        "new object": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c" + bytes([len(run)]) + run + b"\x85}\x92.",
        "persistent": b"\x80\x02(X\x07\x00\x00\x00storagec__builtin__\neval\nX\x01\x00\x00\x00aX\x01\x00\x00\x00bK\x01tQ.",
        "extension": b"\x80\x02\x82\x01.",
    }


@pytest.mark.parametrize("form", ["bare", "zip", "after the magic number"])
@pytest.mark.parametrize("way", raw_pickles(Path("/")))
def test_no_instruction_of_a_pickle_runs(attempts, way, form):
    folder, tried = attempts
    content = raw_pickles(folder)[way]
    if form == "zip":
        with zipfile.ZipFile(folder / "x.pt", "w") as archive:
            archive.writestr("x/data.pkl", content)
    else:
        magic = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) if "magic" in form else b""
        (folder / "x.pt").write_bytes(magic + content)
    assert end_of(folder, "x.pt")
    assert not markers(folder.parent) and not tried


def awkward_state():
    """Tensors of every kind that a state_dict may hold: views, transposed, empty, scalar, of all types, in one storage."""
    torch.manual_seed(6)
    flat = torch.randn(60)
    state = {"first": flat[:20].view(4, 5), "second": flat[20:50].view(5, 6).T, "every other": flat[::2], "all": flat}
    state |= {
        str(dtype): torch.randn(3, 2).mul(50).to(dtype) for dtype in (torch.float16, torch.bfloat16, torch.float64)
    }
    whole = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)
    state |= {str(dtype): torch.arange(6).to(dtype) for dtype in whole}
    state |= {"scalar": torch.tensor(2.5), "empty": torch.ones(0, 3), "complex": torch.randn(2, dtype=torch.complex64)}
    return state | {"parameter": torch.nn.Parameter(torch.randn(2, 2)), "\u6a21\u578b": torch.ones(1)}


@pytest.mark.parametrize(("zipped", "protocol"), [(True, 2), (True, 4), (False, 2)])
@pytest.mark.parametrize("container", [dict, collections.OrderedDict])
def test_the_tensors_are_those_of_torch_load(tmp_path, container, zipped, protocol):
    path = tmp_path / "x.pt"
    torch.save(container(awkward_state()), path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    truth, found = torch.load(path, weights_only=protocol == 2), read_checkpoint(str(path))
    assert list(found) == list(truth)
    for key, tensor in truth.items():
        assert found[key].dtype == tensor.dtype and torch.equal(found[key], tensor), key
        assert found[key].untyped_storage().nbytes() == tensor.numel() * tensor.element_size(), "memory of its own"


def test_a_modules_own_state_is_read(tmp_path):
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    torch.save(module.state_dict(), tmp_path / "x.pt")
    found = read_checkpoint(str(tmp_path / "x.pt"))
    assert found.keys() == module.state_dict().keys()
    assert all(torch.equal(found[key], tensor) for key, tensor in module.state_dict().items())
