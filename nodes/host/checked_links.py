"""Links into a node that expands, each checked by a child when its value comes, before anything is drawn."""

from comfy_execution.graph_utils import GraphBuilder, is_link

from ..values.plain_words import plain_words


class CheckedLinks:
    """checked(name, value): the value, which has been checked; or of a link what a child makes of it that checks it when it comes.

    node: the class of the node that expands; a third argument names another whose input it is. more: further inputs of that child.
    """

    def __init__(self, graph: GraphBuilder, node: str):
        self._graph, self._node = graph, node

    def __call__(self, name: str, value, node: str | None = None, **more):
        return self._child(name, value, node or self._node, **more) if is_link(value) else value

    def prompt(self, prompt, reward_model, after):
        """The same for the text that the reward model reads: only that model tells whether it may be empty.

        after: positive, whose words it may be: what is wrong there is told first.
        """
        if is_link(prompt) or not plain_words(prompt):
            return self._child("prompt", prompt, self._node, reward_model=reward_model, after=after)
        return prompt

    def _child(self, name: str, value, node: str, **more) -> list:
        child = f"LiDARCheckedInput_{node}_{name}"
        return self._graph.node("LiDARCheckedInput", id=child, value=value, node=node, input=name, **more).out(0)
