"""python run_cases.py MODULE FOLDER: loads every file of a table of cases and prints one line of JSON for each.

A process of its own, so that a case that kills it, or hangs, is a failed test and no more.
"""

import importlib
import json
import os
import resource
import shutil
import signal
import sys
import time
import warnings
from pathlib import Path

import torch

sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(__file__).parent)]
from reward_models import load_reward_model  # noqa: E402
from reward_models.guess_kind import guess_kind  # noqa: E402

SECONDS = 40  # by the clock, for what waits; what works is measured in seconds of the processor
TOLD = (ValueError, FileNotFoundError, ModuleNotFoundError)


class TooLong(BaseException):
    """A case took longer than it may."""


def peak_memory():
    """Highest memory of this process since `forget_peak`, or since its start where the system cannot forget."""
    try:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def forget_peak():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def outcome(act):
    """Run act: (name of the error or "", message, whether it is one of the errors that the node tells)."""
    try:
        return "" if act() else "scores are not finite", "", False
    except TOLD as error:
        return type(error).__name__, str(error), True
    except TooLong:
        raise
    except BaseException as error:
        return type(error).__name__, repr(error)[:500], False


def score(case):
    model = load_reward_model(case.kind, str(case.path), case.architecture, **case.options)
    pictures = torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(2))
    return bool(model.score(pictures, ["a red cube", "fee"]).isfinite().all())


def run(name, make, folder):
    folder.mkdir()
    made = make(folder)
    stop = made.options.pop("stop", None)
    size = os.stat(made.path).st_blocks * 512 if os.path.isfile(made.path) else 0
    forget_peak()
    before, begin = peak_memory(), time.process_time()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with torch.no_grad():
            results = [outcome(lambda: score(made) or made.other_weights)]
            # Only the loader is raced: the kind would be guessed from whatever is there then
            results += [outcome(lambda: guess_kind(str(made.path)))] if stop is None else []
    except TooLong:
        results = [("TooLong", f"more than {SECONDS} s", False)]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if stop is not None:
            stop.set()
    return {
        "name": name, "file": os.path.basename(made.path), "blamed": made.blamed, "loads": made.loads, "results": results,
        "seconds": time.process_time() - begin, "memory": peak_memory() - before, "size": size,
    }  # fmt: skip


def too_long(*_):
    raise TooLong


def main(module, folder):
    warnings.simplefilter("error")
    torch.set_num_threads(1)
    signal.signal(signal.SIGALRM, too_long)
    cases, warm = importlib.import_module(module).CASES, importlib.import_module("safetensors_cases").CASES["sound"]
    run("warm-up", warm, folder / "warm")
    for number, (name, make) in enumerate(cases.items()):
        print(json.dumps(run(name, make, folder / str(number))), flush=True)
        shutil.rmtree(folder / str(number))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
