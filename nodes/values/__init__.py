"""Plain functions on numbers, texts and tensors. No host."""
