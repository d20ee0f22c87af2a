"""Scores as a table of text that lines up in a monospaced font."""

from collections.abc import Mapping

from torch import Tensor


def score_table(order: Tensor, columns: Mapping[str, Tensor]) -> str:
    """Return a line for each image of `order`, (k,) indices best first: rank, number in the batch from 1, and its scores.

    columns: scores by name, (n,) each.
    """
    head = ["rank", "no.", *columns]
    rows = [
        [str(rank), str(i + 1), *(f"{scores[i]:.4g}" for scores in columns.values())]
        for rank, i in enumerate(order.tolist(), start=1)
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]
    )
