"""One line of text on a node in the browser, for what the artist should see without opening a log."""

from server import PromptServer


def show_on_node(hidden, text: str) -> None:
    """Write text on the node whose schema asks for the hidden values unique_id and dynprompt.

    A node that LiDAR KSampler expanded has no place in the browser: its text goes to the node that shows it. Without
    a running server, or outside a queued prompt (hidden is None), nothing happens.
    """
    server = getattr(PromptServer, "instance", None)
    if server is None or hidden is None or hidden.unique_id is None:
        return
    node_id = hidden.unique_id
    if hidden.dynprompt is not None:
        node_id = hidden.dynprompt.get_display_node_id(node_id)
    server.send_progress_text(text, node_id)
