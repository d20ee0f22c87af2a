"""The socket types that this pack adds to ComfyUI, each with the Python object that travels through it."""

from comfy_api.latest import io

RewardModelSocket = io.Custom("LIDAR_REWARD_MODEL")  # HostedRewardModel
LookaheadSetSocket = io.Custom("LIDAR_LOOKAHEAD_SET")  # lidar_core.LookaheadSet
LookaheadConfigSocket = io.Custom("LIDAR_LOOKAHEAD_CONFIG")  # LookaheadConfig
CandidatesSocket = io.Custom("LIDAR_CANDIDATES")  # Candidates
SampledRowsSocket = io.Custom("LIDAR_SAMPLED_ROWS")  # SampledRows
JudgedRowsSocket = io.Custom("LIDAR_JUDGED_ROWS")  # tuple[JudgedRows, ...]
