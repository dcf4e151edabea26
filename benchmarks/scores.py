"""What a network's outputs for a batch are worth: the loss, and the images whose class it names."""

from __future__ import annotations

import tensorflow as tf

from models.network import Network, Outputs


def training_loss(network: Network, outputs: Outputs, labels: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """Mean cross-entropy of the images, float32; an auxiliary head adds its own, weighted as the network says.

    `smoothing` is the share of each label that goes to all classes alike (Szegedy et al. 2016, arXiv:1512.00567).
    """
    loss = _cross_entropy(outputs.logits, labels, smoothing)
    if outputs.aux_logits is not None:
        loss += network.aux_loss_weight * _cross_entropy(outputs.aux_logits, labels, smoothing)
    return loss


def accuracies(logits: tf.Tensor, labels: tf.Tensor) -> list[tf.Tensor]:
    """The shares of images whose class comes first, and is among the first five, float32."""
    right = tf.cast(hits(logits, labels), tf.float32)
    return [tf.reduce_mean(right[:, 0]), tf.reduce_mean(tf.reduce_sum(right, axis=1))]


def hits(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Which of the five classes that come first, or all if there are fewer, is the image's: bool [batch, 5].

    Of equal logits the lower class comes first: a network that tells nothing apart is right by chance only.
    """
    first = tf.math.top_k(logits, k=min(5, int(logits.shape[1]))).indices
    return tf.equal(first, labels[:, None])


def _cross_entropy(logits: tf.Tensor, labels: tf.Tensor, smoothing: float) -> tf.Tensor:
    found = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    if not smoothing:
        return found
    of_all = tf.reduce_mean(tf.reduce_logsumexp(logits, axis=1) - tf.reduce_mean(logits, axis=1))
    return (1 - smoothing) * found + smoothing * of_all
