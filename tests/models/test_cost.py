"""Parameters and multiply-adds: against published figures, and against the graph that TensorFlow would run."""

import dataclasses
import inspect
import math

import pytest
import tensorflow as tf

import models
from models.cost import Counter, Shape, cost
from models.layers import Net, declarations
from models.network import Network

CLASSES = {"imagenet": 1000, "cifar10": 10}


def multiply_adds(name: str, data_name: str = "imagenet") -> int:
    return cost(models.get(name, data_name), CLASSES[data_name]).multiply_adds


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("resnet18", 1.814),
        ("resnet34", 3.664),
        ("resnet50_v1.5", 4.089),
        ("resnet101_v1.5", 7.801),
        ("resnet152_v1.5", 11.514),
        ("resnext50_32x4d", 4.23),
        ("vgg11", 7.609),
        ("vgg16", 15.47),
        ("vgg19", 19.632),
        ("inception3", 5.713),
        ("densenet121", 2.834),
        ("mobilenet_v2", 0.301),
        ("efficientnet_b0", 0.386),
    ],
)
def test_multiply_adds_are_those_that_torchvision_publishes(name, billions):
    """The `_ops` in the metadata of its weights, which it counts as here, to three decimals."""
    assert multiply_adds(name) / 1e9 == pytest.approx(billions, abs=0.0005)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("resnet50", "3.8"),  # He et al. 2015, table 1, whose FLOPs are multiply-adds
        ("resnet101", "7.6"),
        ("resnet152", "11.3"),
        ("overfeat", "2.810"),  # Sermanet et al. 2013, table 4: millions of connections
        ("mobilenet_v2", "0.300"),  # Sandler et al. 2018, table 4
        ("efficientnet_b0", "0.39"),  # Tan and Le 2019, table 2
        ("resnext50_32x4d", "4.2"),  # Xie et al. 2016, table 1
    ],
)
def test_multiply_adds_are_those_of_the_papers(name, billions):
    """Within 1 %, or one of the last digit where two are printed: some of them are cut off, not rounded."""
    last_digit = 10.0 ** -len(billions.partition(".")[2])
    assert multiply_adds(name) / 1e9 == pytest.approx(float(billions), rel=0.01, abs=last_digit)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("alexnet", 1.678 / 2),
        ("googlenet", 3.165 / 2),
        ("inception3", 11.426 / 2),
        ("inception4", 24.508 / 2),
        ("vgg11", 15.218 / 2),
        ("vgg16", 30.941 / 2),
        ("vgg19", 39.264 / 2),
    ],
)
def test_with_1001_classes_multiply_adds_are_those_of_tf_cnn_benchmarks(name, billions):
    """Counted from its definitions by another program: results/reference/models.csv."""
    assert cost(models.get(name, "imagenet"), 1001).multiply_adds / 1e9 == pytest.approx(billions, abs=0.0006)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("inception4", 12.28),  # timm 1.0, benchmark-infer-amp-nhwc-pt*.csv: gmacs
        ("resnet200_v1.5", 15.07),
        ("resnet200_v2", 15.069),  # pytorchcv's README: PreResNet-200b
    ],
)
def test_multiply_adds_are_those_of_counters_that_count_normalisation_and_pooling_too(name, billions):
    assert multiply_adds(name) / 1e9 == pytest.approx(billions, rel=0.01)


def test_multiply_adds_of_googlenet_are_those_of_its_table():
    """Table 1 in millions, row by row. Its first row cannot be right: 7 x 7 x 3 x 64 on 112 x 112 are 118, not 34."""
    rows = [118, 360, 128, 304, 73, 88, 100, 119, 170, 54, 71, 1]
    assert multiply_adds("googlenet") / 1e6 == pytest.approx(sum(rows), rel=0.01)


def test_multiply_adds_of_lenet_by_hand():
    assert multiply_adds("lenet") == 28 * 28 * 75 * 32 + 14 * 14 * 800 * 64 + 49 * 64 * 512 + 512 * 1000


def test_densenet_40_for_cifar_has_the_operations_that_network_slimming_found():
    """Liu et al. 2017 (arXiv:1708.06519), table 1: 5.33e8 operations, two a multiply-add."""
    assert 2 * multiply_adds("densenet40_k12", "cifar10") == pytest.approx(5.33e8, rel=0.01)


@pytest.mark.parametrize(("layers", "growth"), [(12, 12), (32, 12), (32, 24)])
def test_multiply_adds_of_densenets_for_cifar_by_the_formula(layers, growth):
    channels, total = 16, 32 * 32 * 27 * 16
    for block, side in enumerate((32, 16, 8)):
        if block:
            total += (2 * side) ** 2 * channels**2
        total += side**2 * sum(9 * (channels + growth * layer) * growth for layer in range(layers))
        channels += growth * layers
    assert multiply_adds(f"densenet{3 * layers + 4}_k{growth}", "cifar10") == total + 10 * channels


@pytest.mark.parametrize(("name", "expected"), [("resnet20", 40_551_040), ("resnet110", 252_887_680)])
def test_multiply_adds_of_resnets_for_cifar(name, expected):
    assert multiply_adds(name, "cifar10") == expected


def test_training_is_three_forward_passes_less_the_gradient_by_the_images():
    counted, stem = cost(models.get("resnet20", "cifar10"), 10), 32 * 32 * 27 * 16
    assert counted.forward_flops == 2 * 40_551_040
    assert counted.training_flops == 2 * (3 * 40_551_040 - stem)


def test_activations_of_lenet_by_hand():
    """The images; what each convolution gives, before and after its pool; the hidden layer; the loss."""
    features = 28 * 28 * 3 + (28 * 28 + 14 * 14) * 32 + (14 * 14 + 7 * 7) * 64 + 512
    counted = cost(models.get("lenet", "imagenet"), 1000, training=True)
    assert counted.activation_bytes() == 4 * (features + 1000)
    assert counted.activation_bytes(2) == 2 * features + 4 * 1000


def one_of_each_structure() -> dict[str, tuple[Network, int]]:
    """Names of one network a structure: those of more layers of a kind, or with another batch, add nothing."""
    found: dict[Network, tuple[str, int]] = {}
    for data_name, networks in models.NETWORKS.items():
        for name, network in networks.items():
            if not name.startswith(("official", "resnet101", "resnet110", "resnet152", "resnet200", "densenet100")):
                key = dataclasses.replace(network, batch_size=1, learning_rate=1.0, recipe=None)
                found.setdefault(key, (name, CLASSES[data_name]))
    return {f"{name}-{num_classes}": (network, num_classes) for network, (name, num_classes) in found.items()}


STRUCTURES = one_of_each_structure()


@pytest.mark.parametrize("case", STRUCTURES)
def test_what_is_counted_on_shapes_is_in_the_graph(case):
    network, num_classes = STRUCTURES[case]
    counted = cost(network, num_classes, training=True)
    variables = declarations(network, num_classes)
    assert counted.parameters == sum(variable.size for variable in variables if variable.trainable)
    assert counted.variables == sum(variable.trainable for variable in variables)
    assert counted.largest_variable == max(variable.size for variable in variables if variable.trainable)

    forward, backward = training_graph(network, num_classes, variables)
    assert counted.multiply_adds == sum(map(of_operation, forward)) // BATCH
    assert counted.gradient_multiply_adds == sum(map(of_operation, backward)) // BATCH
    assert counted.activation_bytes() == bytes_between(forward, backward) // BATCH


BATCH = 13  # as no kernel has so many rows


def training_graph(network, num_classes, variables):
    """The operations of a forward pass, and those that the gradients of the weights need beside them."""

    def gradients(images: tf.Tensor, weights: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(weights)
            others = {variable.name: tf.zeros(variable.shape) for variable in variables if not variable.trainable}
            net = Net(
                network, lambda each: (weights | others)[each.name], num_classes=num_classes, training=True, on_gpu=True
            )
            logits = [each for each in network(net, images) if each is not None]
            labels = tf.zeros(BATCH, tf.int32)
            losses = [tf.nn.sparse_softmax_cross_entropy_with_logits(labels, each) for each in logits]
            loss = tf.add_n(losses)
        found.extend(loss.graph.get_operations())
        return list(tape.gradient(loss, weights).values())

    found: list[tf.Operation] = []
    images = tf.TensorSpec((BATCH, network.image_size, network.image_size, 3), tf.float32)
    weights = {variable.name: tf.TensorSpec(variable.shape) for variable in variables if variable.trainable}
    graph = tf.function(gradients, autograph=False).get_concrete_function(images, weights).graph
    live, waiting = set(), [output.op for output in graph.outputs]
    while waiting:
        operation = waiting.pop()
        if operation not in live:
            live.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
    return set(found), live - set(found)


def bytes_between(forward, backward):
    """Bytes of the images' tensors that come of the `forward` and go into the `backward` operations, each once."""
    kept = {}
    for tensor in (tensor for operation in backward for tensor in operation.inputs):
        while tensor.op.type in ("Reshape", "Identity", "IdentityN", "PadV2"):  # no features of their own
            tensor = tensor.op.inputs[0 if tensor.op.type != "IdentityN" else tensor.value_index]
        shape = tensor.shape
        if tensor.op in forward and tensor.dtype != tf.int32 and shape.rank and shape[0] in (BATCH, None):
            kept[tensor.ref()] = tensor.dtype.size * BATCH * math.prod(shape[1:])
    return sum(kept.values())


def of_operation(operation: tf.Operation) -> int:
    """Outputs of a layer, times the inputs that each of them sums over; the same of its gradients."""
    kind, output = operation.type, operation.outputs[0] if operation.outputs else None
    if kind == "MatMul":
        rows = operation.inputs[0].shape[0 if operation.get_attr("transpose_a") else 1]
        return math.prod(output.shape) * rows
    if not kind.startswith(("Conv2D", "DepthwiseConv2d")):
        return 0
    depthwise = kind.startswith("Depthwise")
    if kind.endswith("BackpropInput"):
        weights, features = operation.inputs[1], operation.inputs[2]
    elif kind.endswith("BackpropFilter"):
        weights, features = output, operation.inputs[2]
    else:
        weights, features = operation.inputs[1], output
    return math.prod(features.shape) * math.prod(weights.shape[: 2 if depthwise else 3])


def test_the_auxiliary_head_is_counted_in_training_only():
    network = models.get("inception3", "imagenet")
    with_head, without = cost(network, 1000, training=True), cost(network, 1000)
    assert with_head.parameters - without.parameters == 768 * 128 + 25 * 128 * 768 + 128 + 768 + 769 * 1000
    assert with_head.multiply_adds > without.multiply_adds


def test_the_counter_has_every_layer_with_its_arguments():
    for name, layer in inspect.getmembers(Net, inspect.isfunction):
        if not name.startswith("_"):
            theirs = inspect.signature(getattr(Counter, name)).parameters
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in theirs.values()):
                assert theirs.keys() == inspect.signature(layer).parameters.keys(), name


def test_shapes_that_do_not_fit_are_refused():
    counter = Counter(10, training=True)
    with pytest.raises(AssertionError):
        Shape(3, 4, 4) + Shape(3, 4, 5)
    with pytest.raises(AssertionError):
        counter.concat([Shape(3, 4, 4), Shape(3, 2, 2)])
    with pytest.raises(AssertionError):
        counter.gate(Shape(3, 4, 4), Shape(4))
