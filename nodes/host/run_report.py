"""What the last run of a guided MODEL told, for the node behind its sampler; it goes with that MODEL."""

from collections.abc import Callable

_KEY = "lidar_report"  # in the MODEL's model_options


class RunReport:
    """Hands each text on to `write` and remembers the last one. Every run overwrites it, and no sampling reads it."""

    def __init__(self, write: Callable[[str], None]):
        self._write = write
        self.text = ""

    def __call__(self, text: str) -> None:
        self.text = text
        self._write(text)

    def attach(self, model) -> None:
        """Let `guided_facts` find it at the ModelPatcher `model` and its clones."""
        model.model_options[_KEY] = self


def guided_facts(model) -> list[tuple[str, str]]:
    """Return a (what, how much) pair of what the last run of the MODEL guided, ("guided", "6 of 20 steps"), or why it guided nothing."""
    report = model.model_options.get(_KEY)
    lines = report.text.split("\n") if report else []
    guided = [("guided", line.removeprefix("guided ")) for line in lines if line.startswith("guided ")]
    return guided or [("", line) for line in lines[:1] if line]
