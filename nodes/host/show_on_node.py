"""One line of text on a node in the browser, for what the artist should see without opening a log."""

from server import PromptServer

from ...reward_models.printable import printable


def show_on_node(hidden, text: str, *, node_id: str | None = None) -> None:
    """Write text on a node of the queued prompt: the one with these hidden values, or another by its node_id.

    hidden: of a node whose schema asks for unique_id and dynprompt. A node that LiDAR KSampler expanded has no place in
    the browser: its text goes to the node that shows it. Outside of a server's queue nothing happens.
    """
    server = getattr(PromptServer, "instance", None)
    if server is None or hidden is None or hidden.dynprompt is None:
        return
    lines = "\n".join(printable(line, limit=500) for line in text.split("\n"))
    server.send_progress_text(lines, hidden.dynprompt.get_display_node_id(node_id or hidden.unique_id))
