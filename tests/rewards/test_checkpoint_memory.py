"""What reading a checkpoint takes: the size of the file and no more, nothing for its kind, and no tie to the file after."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG

READ = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from reward_models.checkpoint_file import read_checkpoint
from reward_models.guess_kind import guess_kind

def peak():
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

begin = peak()
guess_kind(sys.argv[1])
guessed = peak()
state = read_checkpoint(sys.argv[1])
print(guessed - begin, peak() - guessed)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="Linux counts the memory of a process there")
@pytest.mark.parametrize("name", ["x.safetensors", "x.pt", "old.pt"])
def test_reading_takes_the_memory_of_one_file(tmp_path, name, record_figure):
    state = {f"visual.{index}": torch.full((16, 2**20), float(index)) for index in range(4)}
    path = tmp_path / name
    if name == "x.safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=name == "x.pt")
    command = [sys.executable, "-c", READ, str(path), str(Path(__file__).parents[2])]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    guessing, reading = (int(each) / os.path.getsize(path) for each in run.stdout.split())
    record_figure(
        f"{name}: peak memory of guessing its kind and of reading it, by its size", f"{guessing:.3f}, {reading:.3f}"
    )
    assert guessing < 0.2, "the old form is read from its beginning, 16 MB"
    assert 0.8 < reading < 1.05


def test_the_memory_of_a_file_is_not_shared_with_the_file(tiny_folder, tiny_clip):
    """A model that is loaded does not change, and does not die, when its file is overwritten."""
    torch.save(tiny_clip.state_dict(), tiny_folder / "x.pt")
    save_file(tiny_clip.state_dict(), tiny_folder / "x.safetensors")
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    for name in ("x.pt", "x.safetensors"):
        model = load_reward_model("CLIP score", str(tiny_folder / name), FOLDER_CONFIG)
        before = model.score(picture, ["fog"])
        with open(tiny_folder / name, "r+b") as file:
            file.write(bytes(os.path.getsize(tiny_folder / name) // 2))
            file.truncate()
        assert torch.equal(model.score(picture, ["fog"]), before)
