"""Rows that were judged in parts, put together: scores, correlations and times."""

import statistics
from collections.abc import Sequence

import torch
from torch import Tensor

from ...lidar_core import Costs
from ..values.draft_advice import Early
from ..values.draft_measures import DraftMeasures
from ..values.rank_correlation import rank_correlation
from ..values.seed_share import seed_share
from .measured_rows import JudgedRows
from .scoring import models_of, scores_of


def measures_of_rows(judged: Sequence[JudgedRows], reward) -> DraftMeasures:
    """Return what drafts and final images of the same rows say; reward: what judged them.

    ValueError where drafts or final images are missing or not of the same rows, and where all final scores are equal.
    """
    drafts, finals = ([each for each in judged if each.drafts is kind] for kind in (True, False))
    final, draft = (_scores(each, reward, 1.0) if each else torch.zeros(0) for each in (finals, drafts))
    if not len(final) == len(draft) >= 2:
        raise ValueError(
            f"judged has {len(draft)} drafts and {len(final)} final images, wanted two or more of the same rows: connect LiDAR "
            "Judge Rows of the ones as before of that of the others"
        )
    if bool((final == final[0]).all()):
        raise ValueError(
            f"all {len(final)} finished pictures have the score {final[0]:.4g}, so there is nothing to choose: connect another "
            "reward_model, or another lookahead of it"
        )
    shares = sorted(share for share in finals[0].scores if share < 1)
    early = {None: draft} | {share: _scores(finals, reward, share) for share in shares}
    ways = [Early(share, rank_correlation(scores, final)) for share, scores in early.items()]
    sampled, decode, score = ([part.seconds[place] for part in finals] for place in range(3))
    typical = statistics.median_low  # the first part loads the models
    costs = Costs(
        draft=typical([part.seconds[0] for part in drafts]),
        judge=typical(decode) + typical(score),
        final=typical(sampled),
    )
    share = seed_share(torch.cat([part.small for part in finals]))
    return DraftMeasures(reward.name, final, early, ways, costs, typical(decode), share)


def _scores(parts: list[JudgedRows], reward, share: float) -> Tensor:
    """What the reward makes of the scores of its models: of all parts together, for a combination standardises them."""
    models = models_of([reward])
    columns = {model: torch.cat([part.scores[share][place] for part in parts]) for place, model in enumerate(models)}
    return scores_of(reward, columns).rewards
