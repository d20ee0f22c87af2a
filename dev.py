#!/usr/bin/env python3
"""One door for people without a ComfyUI: python3 dev.py demo | serve | compare | test | bench | train-demo | release-check | python ...

Any Python, 2.7 too, must be able to parse this file, so that an old one can say which is needed.
"""

import os
import subprocess
import sys

SUPPORTED = ((3, 10), (3, 13))


def main():
    ensure_supported_python()
    from devtools.command_line import run

    return run(sys.argv[1:])


def ensure_supported_python():
    """Starts again under a Python of a supported version where this one is not and another is at hand."""
    lowest, highest = SUPPORTED
    if lowest <= sys.version_info[:2] <= highest:
        return
    for minor in (12, 11, 13, 10):
        other = "python3." + str(minor)
        if os.name != "nt" and starts(other):
            os.execvp(other, [other] + sys.argv)
    version, first, last = (".".join(map(str, numbers)) for numbers in (sys.version_info[:2], lowest, highest))
    sys.stderr.write(
        "dev.py: this is Python " + version + "; Python " + first + " to " + last + " is needed (torch 2.11.0 and "
        "ComfyUI 0.30.0 run there). Install one, or start dev.py with one.\n"
    )
    sys.exit(2)


def starts(program):
    with open(os.devnull, "w") as nothing:
        try:
            return subprocess.call([program, "-c", ""], stderr=nothing) == 0
        except OSError:
            return False


if __name__ == "__main__":
    sys.exit(main())
