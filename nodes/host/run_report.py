"""What the last run of a guided MODEL told, for the node behind its sampler; it goes with that MODEL."""

from collections.abc import Callable

from ...lidar_core import LookaheadSet
from ..values.set_name import told_with

_KEY = "lidar_report"  # in the MODEL's model_options


class RunReport:
    """Hands each text on to `write`, with what is told with the lookaheads, and remembers the last one.

    Every run overwrites it, and no sampling reads it.
    """

    def __init__(self, lookaheads: LookaheadSet, write: Callable[[str], None]):
        self._lookaheads = lookaheads
        self._write = write
        self.text = ""

    def __call__(self, text: str) -> None:
        self.text = "\n".join(told_with(self._lookaheads, text))
        self._write(self.text)

    def attach(self, model) -> None:
        """Let `last_report` find it at the ModelPatcher `model` and its clones."""
        model.model_options[_KEY] = self


def last_report(model) -> str:
    """Return what the last run of the MODEL told, "" if there was none."""
    report = model.model_options.get(_KEY)
    return report.text if report else ""
