"""What reward models make of a prompt: plain words, as many as each of them takes, and a note where that is not all."""

from collections.abc import Sequence

from ..values.plain_words import plain_words, unmade_choices
from .hosted_reward_model import HostedRewardModel


def prompts_as_read(models: Sequence[HostedRewardModel], prompts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the prompts in plain words, and a line for each thing in them that the models do not read as it was written.

    Of several prompts that are too long for a model the longest is told. None is told where no model reads a text.
    """
    plain = [plain_words(prompt) for prompt in prompts]
    readers = [model for model in models if model.model.reads_prompt]
    if not readers:
        return plain, []
    notes = [line for prompt in dict.fromkeys(prompts) for line in unmade_choices(prompt)][:2]
    longest = max(plain, key=lambda prompt: len(prompt.split()), default="")
    count = len(longest.split())
    for model in readers:
        read = model.model.words_read(longest)
        if read < count:
            notes.append(f"{model.name} reads the first {read} of {count} words of the prompt")
    return plain, notes
