"""The settings of a LiDAR Lookahead Config, read out of the queued prompt before the host has run that node.

ComfyUI's default cache drops, whenever any node ends, all results that the present run has not yet asked for. Results
of expanded nodes are asked for when their parent expands: LiDAR KSampler must do so before its config node runs, or
the lookaheads of the last run are gone, and a change of guidance_scale alone would draw them all again.
"""

from dataclasses import asdict, fields

from comfy_execution.graph_utils import is_link

from .checked_inputs import check_value, named
from .lookahead_config import LiDARLookaheadConfig
from .lookahead_settings import LookaheadConfig
from .show_on_node import show_on_node


def must_run_first(hidden) -> bool:
    """Tell whether only running the node at lookahead_config tells the settings; hidden: of the LiDAR KSampler.

    So it is where another node hands the config on, or a link chooses start_from, which decides what nodes there will be.
    """
    config_id = _connected(hidden)
    return config_id is not None and _settings_in_prompt(hidden, config_id) is None


def connected_settings(hidden, evaluated: LookaheadConfig | None) -> dict:
    """Return the settings by name, each a value or a link to one; {} if nothing is connected at lookahead_config.

    hidden: of the LiDAR KSampler; evaluated: the config if the host has run its node.
    """
    config_id = _connected(hidden)
    if evaluated is not None:
        return asdict(evaluated)
    if config_id is None:
        return {}
    told = _settings_in_prompt(hidden, config_id)
    if told is None:  # the host has run the node, and None came through the link
        return {}
    settings = asdict(LookaheadConfig()) | told
    schema = LiDARLookaheadConfig.define_schema()
    wanted = {each.id: each for each in schema.inputs}
    with named(schema.display_name):
        values = {name: check_value(wanted[name], value) for name, value in settings.items() if not is_link(value)}
        if len(values) == len(settings):
            show_on_node(hidden, LookaheadConfig(**values).summary(), node_id=config_id)
    return settings | values


def _connected(hidden) -> str | None:
    link = hidden.dynprompt.get_node(hidden.unique_id)["inputs"].get("lookahead_config")
    return link[0] if is_link(link) else None


def _settings_in_prompt(hidden, config_id: str) -> dict | None:
    node = hidden.dynprompt.get_node(config_id)
    if node["class_type"] != "LiDARLookaheadConfig":
        return None
    names = {field.name for field in fields(LookaheadConfig)}
    settings = {name: value for name, value in node["inputs"].items() if name in names}
    return None if is_link(settings.get("start_from")) else settings
