"""A lookahead set out of a file, with its latents and small pictures."""

from comfy_api.latest import io

from ..reward_models.printable import printable
from .host.checked_inputs import checked
from .host.loaded_lookaheads import loaded, loaded_outputs, summary
from .host.lookahead_files import NO_FILE, load, missing, offered_files, resolve
from .host.shared_trunks import file_state
from .host.show_on_node import show_on_node


class LiDARLoadLookaheads(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARLoadLookaheads",
            display_name="LiDAR Load Lookaheads",
            category="LiDAR",
            description=(
                "Reads a file of LiDAR Save Lookaheads: the scored lookaheads for LiDAR Apply Guidance, Start From Best and Pick "
                "Lookaheads, their latents, and small pictures. Nothing in a file is run."
            ),
            search_aliases=["lidar", "load lookaheads", "open lookaheads", "import lookaheads", "saved seeds"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=offered_files(),
                    default=NO_FILE,
                    tooltip=(
                        "A file of output/lidar, newest first, or a .safetensors file of the input folder. Press R after adding "
                        "one. none: nothing is chosen yet."
                    ),
                ),
            ],
            outputs=loaded_outputs(),
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    def validate_inputs(cls, file):
        problem = None if file is None else missing(file)  # None: it is a link
        return printable(problem) if problem else True

    @classmethod
    def fingerprint_inputs(cls, file):
        path = None if file is None else resolve(file)
        return "" if path is None else str(file_state(path))

    @classmethod
    @checked
    def execute(cls, file) -> io.NodeOutput:
        lookaheads = load(file)
        show_on_node(cls.hidden, summary(lookaheads))
        return io.NodeOutput(*loaded(lookaheads, "LiDAR Load Lookaheads"))
