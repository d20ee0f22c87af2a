"""The nodes: each translates between ComfyUI's objects and lidar_core or reward_models, and computes nothing itself."""

from comfy_api.latest import ComfyExtension, io

from .apply_guidance import LiDARApplyGuidance
from .checked_input import LiDARCheckedInput
from .combine_rewards import LiDARCombineRewards
from .continue_best import LiDARContinueBest
from .finish_several import LiDARFinishSeveral
from .judge_rows import LiDARJudgeRows
from .keep_best import LiDARKeepBest
from .ksampler import LiDARKSampler
from .load_demo_model import LiDARLoadDemoModel
from .load_lookaheads import LiDARLoadLookaheads
from .look_first import LiDARLookFirst
from .lookahead_config import LiDARLookaheadConfig
from .measure_drafts import LiDARMeasureDrafts
from .merge_lookaheads import LiDARMergeLookaheads
from .pick_lookaheads import LiDARPickLookaheads
from .report_drafts import LiDARReportDrafts
from .reward_model_loader import LiDARRewardModelLoader
from .rewards_from_values import LiDARRewardsFromValues
from .run_report import LiDARRunReport
from .sample_candidates import LiDARSampleCandidates
from .sample_in_parts import LiDARSampleInParts
from .sample_lookaheads import LiDARSampleLookaheads
from .sample_rows import LiDARSampleRows
from .save_lookaheads import LiDARSaveLookaheads
from .score_images import LiDARScoreImages
from .score_lookaheads import LiDARScoreLookaheads
from .start_from_best import LiDARStartFromBest


class LiDARExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            LiDARKSampler,
            LiDARLookaheadConfig,
            LiDARRewardModelLoader,
            LiDARLoadDemoModel,
            LiDARSampleLookaheads,
            LiDARScoreLookaheads,
            LiDARApplyGuidance,
            LiDARCombineRewards,
            LiDARPickLookaheads,
            LiDARRewardsFromValues,
            LiDARScoreImages,
            LiDARStartFromBest,
            LiDARSampleCandidates,
            LiDARContinueBest,
            LiDARMeasureDrafts,
            LiDARSaveLookaheads,
            LiDARLoadLookaheads,
            LiDARMergeLookaheads,
            LiDARCheckedInput,
            LiDARLookFirst,
            LiDARFinishSeveral,
            LiDARSampleInParts,
            LiDARKeepBest,
            LiDARRunReport,
            LiDARSampleRows,
            LiDARJudgeRows,
            LiDARReportDrafts,
        ]
