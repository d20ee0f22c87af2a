"""Which images of a batch are handed on: the best so many, or those of them that reach a threshold."""

import torch


def rank(scores: torch.Tensor, top_k: int, threshold: float | None) -> tuple[torch.Tensor, torch.Tensor, str]:
    """Return (order, kept, notice): all indices best first, (n,) int64, the first of them that are handed on, and a text.

    scores: (n,). Where none of the best top_k reaches the threshold the best one is kept, and the notice says so; else
    it is empty. Equals keep their order.
    """
    order = torch.argsort(scores, descending=True, stable=True)
    best = order[:top_k]
    passing = best if threshold is None else best[scores[best] >= threshold]
    if len(passing):
        return order, passing, ""
    notice = f"no image reaches the threshold {threshold:g}: the best one, no. {best[0] + 1}, is handed on"
    return order, best[:1], notice


def prompts_of(text: str, count: int) -> list[str]:
    """Return the lines of a text that are not empty, one for each of `count` images; ValueError for another number."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) != count:
        raise ValueError(
            f"prompt has {len(lines)} lines for {count} images: write one line for each image, or switch prompt_per_line off"
        )
    return lines
