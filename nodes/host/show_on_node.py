"""One line of text on a node in the browser, for what the artist should see without opening a log."""

from collections.abc import Callable

from server import PromptServer

from ...reward_models.printable import printable


def show_on_node(hidden, text: str, *, node_id: str | None = None) -> None:
    """Write text on a node of the queued prompt: the one with these hidden values, or another by its node_id.

    hidden: of a node whose schema asks for unique_id and dynprompt. A node that LiDAR KSampler expanded has no place in
    the browser: its text goes to the node that shows it. Outside of a server's queue nothing happens.
    """
    writer_on_node(hidden, node_id=node_id)(text)


def has_a_place(hidden) -> bool:
    """Tell whether a node stands in the browser itself; hidden: as above. What LiDAR KSampler expanded does not."""
    if hidden is None or hidden.dynprompt is None:
        return False
    return hidden.dynprompt.get_display_node_id(hidden.unique_id) == hidden.unique_id


def writer_on_node(hidden, *, node_id: str | None = None) -> Callable[[str], None]:
    """Return what writes a text on the node, also after it has ended; it keeps the node's id and nothing else."""
    server = getattr(PromptServer, "instance", None)
    if server is None or hidden is None or hidden.dynprompt is None:
        return lambda text: None
    shown_on = hidden.dynprompt.get_display_node_id(node_id or hidden.unique_id)

    def write(text: str) -> None:
        # Nodes 2.0 shows the lines behind each other
        lines = ";\n".join(printable(line, limit=500) for line in text.split("\n"))
        server.send_progress_text(lines, shown_on)

    return write
