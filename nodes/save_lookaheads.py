"""A lookahead set as a file, to be kept, shared and joined with others."""

from dataclasses import replace

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.lookahead_files import save
from .host.show_on_node import show_on_node
from .host.socket_types import LookaheadSetSocket
from .values.thumbnails import thumbnails_of


class LiDARSaveLookaheads(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARSaveLookaheads",
            display_name="LiDAR Save Lookaheads",
            category="LiDAR",
            description=(
                "Writes scored lookaheads into one file in output/lidar: latents, rewards, each judge's scores, seeds, small "
                "pictures, and what drew them. LiDAR Load Lookaheads reads it, on this or another computer."
            ),
            search_aliases=["lidar", "save lookaheads", "keep seeds", "export lookaheads", "share latents"],
            inputs=[
                LookaheadSetSocket.Input(
                    "lookahead_set", tooltip="Scored lookaheads, from LiDAR Score Lookaheads or LiDAR KSampler."
                ),
                io.String.Input(
                    "filename_prefix",
                    default="lookaheads",
                    tooltip=(
                        "The file's name within output/lidar, where a number is added: lookaheads_00001_.safetensors. May name "
                        "a folder, and %year%, %month%, %day% as in Save Image."
                    ),
                ),
                io.Boolean.Input(
                    "overwrite",
                    default=False,
                    tooltip=(
                        "On: no number is added, and a file of this name is replaced, so that LiDAR Load Lookaheads need not "
                        "be set anew. Off: every run writes a new file."
                    ),
                ),
                io.Image.Input(
                    "images",
                    optional=True,
                    tooltip=(
                        "The decoded lookaheads, to keep small pictures of a set that has none, as from LiDAR Rewards From "
                        "Values. Not connected: those of LiDAR Score Lookaheads."
                    ),
                ),
            ],
            outputs=[],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
            is_output_node=True,
        )

    @classmethod
    @checked
    def execute(cls, lookahead_set, filename_prefix, overwrite, images=None) -> io.NodeOutput:
        if images is not None:
            if len(images) != lookahead_set.count:
                raise ValueError(
                    f"there are {lookahead_set.count} lookaheads but {len(images)} images; connect what VAE Decode made of these "
                    "lookaheads, or nothing"
                )
            lookahead_set = replace(lookahead_set, pictures=thumbnails_of(images))
        saved = save(lookahead_set, filename_prefix, overwrite=overwrite)
        show_on_node(cls.hidden, f"{lookahead_set.count} lookaheads in output/{saved['subfolder']}/{saved['filename']}")
        return io.NodeOutput(ui={"latents": [saved]})
