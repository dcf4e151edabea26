"""Gradients of bounded size."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from variable_mgr.strategies import Gradients


def within_norm(of_masters: Sequence[Gradients], largest: float) -> list[Gradients]:
    """The gradients of each master copy, scaled down where the norm of all of them together is over `largest`.

    A master may have gradients of its share of the variables only: those of the others count as another master has
    them. A norm that is not finite leaves the gradients as they are.
    """
    squares: list[dict[str, tf.Tensor]] = []
    for gradients in of_masters:
        squares.append({})
        for name, gradient in gradients.items():
            with tf.device(gradient.device):
                squares[-1][name] = tf.reduce_sum(tf.square(gradient))
    anywhere = {name: square for own in squares for name, square in own.items()}
    return [
        _scaled(gradients, [own.get(name, square) for name, square in anywhere.items()], largest)
        for gradients, own in zip(of_masters, squares, strict=True)
    ]


def _scaled(gradients: Gradients, squares: Sequence[tf.Tensor], largest: float) -> Gradients:
    if not gradients:
        return gradients
    with tf.device(next(iter(gradients.values())).device):
        norm = tf.sqrt(tf.add_n(squares))
        factor = tf.where(norm > largest, largest / norm, 1.0)
    scaled = {}
    for name, gradient in gradients.items():
        with tf.device(gradient.device):
            scaled[name] = gradient * factor
    return scaled
