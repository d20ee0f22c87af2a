"""What the scores of several images say, in a few words: how far they spread, and whether judges agree."""

import itertools
from collections.abc import Mapping

from torch import Tensor

from .rank_correlation import spearman

_FEWEST = 3  # images, for a rank correlation that is not +-1 by force


def score_facts(rewards: Tensor, judges: Mapping[str, Tensor]) -> list[tuple[str, str]]:
    """Return (what, how much) pairs of few digits: the range of the scores, their spread, the best one's lead, agreement.

    rewards: (n,), higher is better; spread is their standard deviation, and the lead is from the mean of the rest, in
    spreads. judges: scores of single judges by name, (n,) each, higher is better; with two or more the agreement is the
    mean of their rank correlations in pairs, and the least of these where there are several.
    """
    facts = [("scores", f"{rewards.min():.3g} to {rewards.max():.3g}")]
    spread = rewards.double().std(correction=1) if len(rewards) > 1 else rewards.new_zeros(())
    if spread > 0:
        best = rewards.argmax()
        rest = (rewards.double().sum() - rewards[best]) / (len(rewards) - 1)
        facts += [
            ("spread of the scores", f"{spread:.2g}"),
            ("the best is ahead of the others by", f"{(rewards[best] - rest) / spread:.2g} spreads"),
        ]
    pairs = [float(spearman(one, other)) for one, other in itertools.combinations(judges.values(), 2)]
    if pairs and len(rewards) >= _FEWEST:
        least = f", least {min(pairs):.2f}" if len(pairs) > 1 else ""
        facts.append(("judges agree", f"{sum(pairs) / len(pairs):.2f} of 1{least}"))
    return facts
