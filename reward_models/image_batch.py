"""One batch of images as several reward models look at it: nothing is resized or embedded twice."""

from collections.abc import Callable, Hashable

import torch

from .preprocess import Preprocessing, preprocess


class ImageBatch:
    """b images on the device where they are scored, with what was worked out from them so far.

    images: (b, 3, H, W) floating point in [0, 1]; device: where to work, that of the images if None. Results are kept
    as long as the batch, on the device of the images.
    """

    def __init__(self, images: torch.Tensor, device: torch.device | None = None):
        self._given = images
        self._results: dict[Hashable, torch.Tensor] = {}
        self.device = images.device if device is None else torch.device(device)

    def __len__(self) -> int:
        return self._given.shape[0]

    @property
    def images(self) -> torch.Tensor:
        """The images, (b, 3, H, W) float32 in [0, 1] on `device`."""
        return self._given.to(self.device, torch.float32)

    def preprocessed(self, preprocessing: Preprocessing) -> torch.Tensor:
        """Return (b, 3, *size) float32 on `device`, as `preprocess` does; once for equal preprocessings."""
        return self.once(preprocessing, lambda: preprocess(self.images, preprocessing))

    def once(self, key: Hashable, compute: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Return the tensor that `compute` gives, on `device`; computed at the first call with this key."""
        if key not in self._results:
            self._results[key] = compute().to(self._given.device)
        return self._results[key].to(self.device)
