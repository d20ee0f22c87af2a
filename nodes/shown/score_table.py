"""Scores as a table of text that lines up in a monospaced font."""

from collections.abc import Mapping

from torch import Tensor

from ..values.held_out import Change


def score_table(order: Tensor, columns: Mapping[str, Tensor]) -> str:
    """Return a line for each image of `order`, (k,) indices best first: rank, number in the batch from 1, and its scores.

    columns: scores by name, (n,) each.
    """
    head = ["rank", "no.", *columns]
    rows = [
        [str(rank), str(i + 1), *(f"{scores[i]:.4g}" for scores in columns.values())]
        for rank, i in enumerate(order.tolist(), start=1)
    ]
    return aligned([head, *rows])


def change_table(changes: Mapping[str, Change]) -> str:
    """Return a line for each reward: its mean before and after, the change, and the standard error of the change."""
    return aligned(
        [
            ["reward", "baseline", "images", "change", "standard error"],
            *(
                [name, f"{each.before:.4g}", f"{each.after:.4g}", f"{each.change:+.4g}", f"{each.standard_error:.2g}"]
                for name, each in changes.items()
            ),
        ]
    )


def aligned(rows: list[list[str]]) -> str:
    """Return the rows as lines of text whose columns end below each other; rows: as many cells in each."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
