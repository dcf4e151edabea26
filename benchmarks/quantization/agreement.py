"""Whether a quantised model says of images what the float model says. Arrays in, numbers out; no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Model = Callable[[Array], Array]
_NAMES = ("float", "quantized")


@dataclass
class Agreement:
    """Numbers of images: seen, and of one class first in both models.

    `right` has, for the float model and the quantised one, those whose class came first, and among the first five.
    """

    images: int = 0
    agreed: int = 0
    right: Array = field(default_factory=lambda: np.zeros((2, 2), int))

    def add(self, plain: Array, narrow: Array, labels: Array) -> None:
        """Count images, by the logits [images, classes] of the float model and of the quantised one."""
        ranked = np.stack([top_five(plain), top_five(narrow)])  # [2, images, 5]
        hits = ranked == labels[None, :, None]
        self.images += len(labels)
        self.agreed += int((ranked[0, :, 0] == ranked[1, :, 0]).sum())
        self.right = self.right + np.stack([hits[:, :, 0].sum(axis=1), hits.sum(axis=(1, 2))], axis=1)

    def facts(self, *, labelled: bool) -> dict[str, Any]:
        """Shares of the images; accuracies only where the labels are those of the images."""
        found: dict[str, Any] = {"images": self.images, "top_1_agreement": self._share(self.agreed)}
        if labelled:
            shares = [[self._share(int(count)) for count in counts] for counts in self.right]
            found["accuracy"] = {
                name: {"top_1": first, "top_5": five} for name, (first, five) in zip(_NAMES, shares, strict=True)
            }
        return found

    def _share(self, count: int) -> float:
        return count / self.images if self.images else 0.0


def top_five(logits: Array) -> Array:
    """The classes that come first, [images, 5] or as many as there are; of equal ones the lower, as in evaluations.

    A step does it too: five times the largest takes a fraction of what sorting a thousand takes.
    """
    left, every, first = logits.copy(), np.arange(len(logits)), []
    for _ in range(min(5, logits.shape[1])):
        first.append(left.argmax(axis=1))
        left[every, first[-1]] = -np.inf
    return np.stack(first, axis=1)


def compare(
    plain: Model, narrow: Model, batches: Iterable[tuple[Array, Array]], no_image: int, check: Callable[[], None]
) -> Agreement:
    """Hold `narrow` against `plain` on `batches` of images and labels; images of label `no_image` are none.

    `check` is called between batches.
    """
    found = Agreement()
    for images, labels in batches:
        check()
        real = labels != no_image
        found.add(plain(images)[real], narrow(images)[real], labels[real])
    return found
