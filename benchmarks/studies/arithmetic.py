"""How many multiply-adds a network makes: counted in the graph that is run, not taken from a paper."""

from __future__ import annotations

import math

import tensorflow as tf

from models.layers import Net, declarations
from models.network import Network, Outputs

FLOPS_A_MULTIPLY_ADD = 2
TRAINING_BY_FORWARD = 3  # the backward pass has a product for the weights' gradient and one for the inputs'


def training_flops(network: Network, num_classes: int) -> int:
    """Floating-point operations of a training step, per image: multiply-add = 2, training = 3 x forward."""
    return TRAINING_BY_FORWARD * FLOPS_A_MULTIPLY_ADD * forward_multiply_adds(network, num_classes)


def forward_multiply_adds(network: Network, num_classes: int) -> int:
    """Multiply-adds of all convolutions and matrix products of a forward pass in training, per image.

    Everything else (batch norm, ReLU, pooling, additions, biases) is left out, as is usual. For ImageNet this gives
    3,857,973,248 for ResNet-50 v1, the 3.8 billion of table 1 of He et al. 2015 (arXiv:1512.03385), and 4,089,184,256
    for v1.5, whose stride on the 3x3 leaves the first 1x1 of three stages four times as many positions.
    """
    values = {each.name: each.shape for each in declarations(network, num_classes)}

    def forward(images: tf.Tensor) -> Outputs:
        net = Net(
            network,
            lambda declaration: tf.zeros(values[declaration.name]),
            num_classes=num_classes,
            training=True,
        )
        return network(net, images)

    side = network.image_size
    graph = (
        tf.function(forward, autograph=False).get_concrete_function(tf.TensorSpec((1, side, side, 3), tf.float32)).graph
    )
    return sum(_multiply_adds(operation) for operation in graph.get_operations())


def _multiply_adds(operation: tf.Operation) -> int:
    """Outputs times the inputs that each of them sums over; 0 for what is neither a convolution nor a product."""
    if operation.type == "Conv2D":
        return int(math.prod(operation.outputs[0].shape) * math.prod(operation.inputs[1].shape[:3]))
    if operation.type == "MatMul":
        return int(math.prod(operation.outputs[0].shape) * operation.inputs[1].shape[0])
    return 0
