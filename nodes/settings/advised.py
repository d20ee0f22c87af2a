"""A plan as settings of LiDAR KSampler."""

from dataclasses import replace

from ...lidar_core import Plan
from .config import LookaheadConfig
from .definitions import BEST_LOOKAHEADS, CONTINUE_BEST, largest


def advised(config: LookaheadConfig, share: float | None, plan: Plan, wanted: int) -> LookaheadConfig:
    """Return the config with the plan in it; how it guides stays.

    share: of the final steps that are done when candidates are judged; None: by drafts; 1: all are finished, the best of N,
    for which all candidates go on. wanted: images that are kept.
    """
    finish = 1 if plan.finished <= wanted else plan.finished
    changes = {"count": min(plan.drafts, largest("count")), "finish": min(finish, largest("finish"))}
    if share is None:
        return replace(config, start_from=BEST_LOOKAHEADS, **changes)
    if share == 1:
        return replace(config, start_from=CONTINUE_BEST, **changes)
    return replace(config, start_from=CONTINUE_BEST, cut_percent=round(share, 2), **changes)
