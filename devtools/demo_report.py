"""What the demo found, as values: three groups of images with their rewards and the referee's verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL.Image import Image


@dataclass(frozen=True)
class HeldOut:
    """What was measured over prompts that the demo model was not trained on: shares of right pictures, and the time of LiDAR
    in that of as many plain pictures."""

    prompts: int
    images: int
    vanilla: float
    guided: float
    times: float


HELD_OUT = HeldOut(prompts=201, images=4, vanilla=0.367, guided=0.569, times=1.16)
"""Of docs/benchmarks.md: four images, 14 lookaheads of 1 step by the student, blend."""


@dataclass(frozen=True)
class JudgedImage:
    """One picture; `saved` is what its file shows (the lookaheads' labels included). `correct` is None where the referee
    does not know the prompt."""

    picture: Image
    saved: Image
    file: str
    reward: float
    correct: bool | None
    reason: str

    def summary(self) -> dict[str, Any]:
        return {"file": self.file, "reward": self.reward, "correct": self.correct, "reason": self.reason}


@dataclass(frozen=True)
class DemoReport:
    """Vanilla images in the order of the batch, lookaheads best first, guided images in the order of the lookaheads that they start from."""

    prompt: str
    reward_name: str
    vanilla: Sequence[JudgedImage]
    lookaheads: Sequence[JudgedImage]
    guided: Sequence[JudgedImage]
    seconds: Mapping[str, float]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]

    @property
    def lookahead_seconds(self) -> float:
        """What the lookaheads took, until they were ranked."""
        return sum(self.seconds[phase] for phase in ("lookahead sampling", "lookahead decoding", "scoring"))

    def summary(self) -> dict[str, Any]:
        """The content of summary.json."""
        groups = {"vanilla": self.vanilla, "lookaheads": self.lookaheads, "guided": self.guided}
        return {
            "prompt": self.prompt,
            "reward_model": self.reward_name,
            **{
                name: {
                    "mean_reward": mean_reward(images),
                    "correct": count_correct(images),
                    "count": len(images),
                    "images": [image.summary() for image in images],
                }
                for name, images in groups.items()
            },
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
            "settings": dict(self.settings),
            "versions": dict(self.versions),
        }

    def table(self) -> str:
        """A few lines for the terminal."""
        rows = (
            ("vanilla (host KSampler)", self.vanilla, self.seconds["vanilla sampling"]),
            (f"{len(self.lookaheads)} lookaheads", self.lookaheads, self.lookahead_seconds),
            ("LiDAR with its lookaheads", self.guided, self.lookahead_seconds + self.seconds["guided sampling"]),
        )
        lines = [f"{'':26}{'mean reward':>12}{'referee says right':>22}{'seconds':>10}"]
        for name, images, seconds in rows:
            lines.append(f"{name:26}{mean_reward(images):>12.4f}{verdicts(images):>22}{seconds:>10.1f}")
        return "\n".join(lines)


def mean_reward(images: Sequence[JudgedImage]) -> float:
    return sum(image.reward for image in images) / len(images)


def count_correct(images: Sequence[JudgedImage]) -> int | None:
    return None if any(image.correct is None for image in images) else sum(bool(image.correct) for image in images)


def verdicts(images: Sequence[JudgedImage]) -> str:
    correct = count_correct(images)
    return "not judged" if correct is None else f"{correct} of {len(images)}"
