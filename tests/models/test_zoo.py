"""The registry: published parameter counts, stable names, helpful errors."""

import dataclasses
import functools
import subprocess
import sys

import pytest
import tensorflow as tf

import models
from models.declaration import Declaration
from models.layers import Net, declarations

ZOO = [(data_name, name) for data_name, networks in models.NETWORKS.items() for name in networks]
CLASSES = {"imagenet": 1000, "cifar10": 10}

# Trainable parameters at 1000 classes (ImageNet) and 10 (CIFAR-10).
TRAINABLE = {
    ("imagenet", "resnet18"): 11_689_512,  # torchvision publishes these five; v1 and v1.5 differ in strides alone
    ("imagenet", "resnet34"): 21_797_672,
    ("imagenet", "resnet50"): 25_557_032,
    ("imagenet", "resnet101"): 44_549_160,
    ("imagenet", "resnet152"): 60_192_808,
    ("imagenet", "resnet18_v1.5"): 11_689_512,
    ("imagenet", "resnet34_v1.5"): 21_797_672,
    ("imagenet", "resnet50_v1.5"): 25_557_032,
    ("imagenet", "resnet101_v1.5"): 44_549_160,
    ("imagenet", "resnet152_v1.5"): 60_192_808,
    ("imagenet", "resnet200"): 64_673_832,  # timm: 64.67 million
    ("imagenet", "resnet200_v1.5"): 64_673_832,
    ("imagenet", "resnet200_v2"): 64_666_280 - 128,  # pytorchcv, which normalises the stem too
    ("imagenet", "resnext50_32x4d"): 25_028_904,  # torchvision
    ("imagenet", "densenet121"): 7_978_856,  # torchvision
    ("imagenet", "mobilenet_v2"): 3_504_872,  # torchvision
    ("imagenet", "efficientnet_b0"): 5_288_548,  # torchvision
    ("imagenet", "googlenet"): 6_998_552,  # the weights and biases of Caffe's bvlc_googlenet without auxiliary heads
    ("imagenet", "overfeat"): 145_920_872,  # table 4 of the paper: 145 million
    ("imagenet", "lenet"): 1_663_370 + 2 * 25 * 32 + 990 * 513,  # McMahan et al. 2016: one channel and 10 classes
    ("imagenet", "vgg11"): 132_863_336,  # torchvision; the paper's table 2 has 133, 138 and 144 million
    ("imagenet", "vgg16"): 138_357_544,
    ("imagenet", "vgg19"): 143_667_240,
    ("imagenet", "alexnet"): 61_842_345 - 4097,  # tf_cnn_benchmarks, less the 1001st class
    ("imagenet", "trivial"): (227 * 227 * 3 + 1) + (1 + 1) * 4096 + 4097 * 1000,
    ("cifar10", "resnet20"): 269_722,  # table 6 of the paper: 0.27, 0.46, 0.66, 0.85 and 1.7 million
    ("cifar10", "resnet32"): 464_154,
    ("cifar10", "resnet44"): 658_586,
    ("cifar10", "resnet56"): 853_018,
    ("cifar10", "resnet110"): 1_727_962,
    ("cifar10", "densenet40_k12"): 1_019_722,  # table 2 of the paper: 1.0, 7.0 and 27.2 million
    ("cifar10", "densenet100_k12"): 6_979_642,
    ("cifar10", "densenet100_k24"): 27_249_082,
    ("cifar10", "alexnet"): 76 * 64 + 1601 * 64 + 4097 * 384 + 385 * 192 + 193 * 10,
    ("cifar10", "trivial"): (32 * 32 * 3 + 1) + (1 + 1) * 4096 + 4097 * 10,
}


@functools.cache
def declared(name: str, data_name: str = "imagenet", num_classes: int | None = None) -> tuple[Declaration, ...]:
    return declarations(models.get(name, data_name), num_classes or CLASSES[data_name])


def trainable(variables: tuple[Declaration, ...]) -> int:
    return sum(variable.size for variable in variables if variable.trainable)


def of_moving_means(variables: tuple[Declaration, ...]) -> int:
    return sum(variable.size for variable in variables if variable.name.endswith("/moving_mean"))


def without_auxiliary_head(variables: tuple[Declaration, ...]) -> tuple[Declaration, ...]:
    return tuple(variable for variable in variables if not variable.name.startswith("auxiliary/"))


@pytest.mark.parametrize(("data_name", "name"), TRAINABLE)
def test_trainable_parameters_are_the_published_number(data_name, name):
    assert trainable(declared(name, data_name)) == TRAINABLE[data_name, name]


@pytest.mark.parametrize(("data_name", "name"), ZOO)
def test_every_network_has_its_count_tested(data_name, name):
    aliases = {"mobilenet"} | {alias for alias in models.NETWORKS[data_name] if alias.startswith("official_")}
    assert (data_name, name) in TRAINABLE or name.endswith("_v2") or name in {"inception3", "inception4"} | aliases


@pytest.mark.parametrize(("data_name", "name"), ZOO)
def test_what_is_not_trained_is_a_mean_and_a_variance_for_each_normalised_channel(data_name, name):
    variables = declared(name, data_name)
    total = sum(variable.size for variable in variables)
    assert total - trainable(variables) == 2 * of_moving_means(variables)
    unnormalised = ("vgg", "alexnet", "overfeat", "googlenet", "lenet", "trivial")
    assert (of_moving_means(variables) == 0) == name.startswith(unnormalised)


@pytest.mark.parametrize(
    ("name", "keras_total"), [("resnet50", 25_636_712), ("resnet101", 44_707_176), ("resnet152", 60_419_944)]
)
def test_totals_of_deep_resnets_are_those_of_keras_without_its_convolutions_biases(name, keras_total):
    variables = declared(name)
    assert sum(variable.size for variable in variables) == keras_total - of_moving_means(variables)


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_v2_has_no_batch_norm_on_its_projections(depth):
    """Its other norms move: from after each convolution to before it, the stem's to stage 1, one to the very end.

    18 and 34 project to 128, 256 and 512 channels; the bottlenecks to four times those, and to 256 in stage 1.
    """
    projected = 128 + 256 + 512 if depth < 50 else 256 + 512 + 1024 + 2048
    v1, v2 = trainable(declared(f"resnet{depth}")), trainable(declared(f"resnet{depth}_v2"))
    assert v1 - v2 == 2 * projected


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_v2_for_cifar_has_as_many_parameters_as_v1(depth):
    assert trainable(declared(f"resnet{depth}_v2", "cifar10")) == trainable(declared(f"resnet{depth}", "cifar10"))


def test_inception_without_its_auxiliary_head_has_the_total_of_keras():
    variables = without_auxiliary_head(declared("inception3"))
    assert sum(variable.size for variable in variables) == 23_851_784
    assert trainable(variables) == 23_851_784 - 2 * of_moving_means(variables) == 23_817_352


def test_inception_with_its_auxiliary_head_has_the_parameters_of_torchvision_without_gammas():
    variables = declared("inception3")
    gammas = of_moving_means(variables)  # a gamma would belong to each normalised channel
    assert gammas == 17_216 + 128 + 768
    assert trainable(variables) == 27_161_264 - gammas == 27_143_152


@pytest.mark.parametrize(
    ("name", "keras_total"),
    [("densenet121", 8_062_504), ("mobilenet_v2", 3_538_984), ("efficientnet_b0", 5_330_571 - 7)],
)
def test_totals_are_those_of_keras(name, keras_total):
    """Its EfficientNet normalises the image with seven values that are not trained: three means, variances, a count."""
    assert sum(variable.size for variable in declared(name)) == keras_total


def test_inception4_has_the_parameters_of_the_pytorch_port_without_gammas():
    """Cadene's, which timm took over: 42,679,816."""
    variables = declared("inception4")
    assert trainable(variables) == 42_679_816 - of_moving_means(variables)


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152, 200])
def test_official_names_stand_for_v1_5_and_v2(depth):
    for official, ours in (("", "_v1.5"), ("_v2", "_v2")):
        alias = models.get(f"official_resnet{depth}{official}", "imagenet")
        assert alias.batch_size == (128 if depth == 50 else 32)
        network = models.get(f"resnet{depth}{ours}", "imagenet")
        assert dataclasses.replace(alias, batch_size=network.batch_size) == network


def test_the_mobilenet_of_tf_cnn_benchmarks_is_v2():
    assert models.get("mobilenet", "imagenet") is models.get("mobilenet_v2", "imagenet")


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("googlenet", 7.000),
        ("inception4", 42.650),
        ("alexnet", 61.842),
        ("vgg11", 132.867),
        ("vgg16", 138.362),
        ("vgg19", 143.671),
        ("resnet50", 25.559),
        ("resnet101", 44.551),
        ("resnet152", 60.195),
        ("inception3", 23.819),
    ],
)
def test_with_1001_classes_the_counts_are_those_of_tf_cnn_benchmarks(name, millions):
    variables = without_auxiliary_head(declared(name, num_classes=1001))
    assert round(trainable(variables) / 1e6, 3) == millions


def test_alexnet_has_exactly_the_parameters_of_tf_cnn_benchmarks():
    assert trainable(declared("alexnet", num_classes=1001)) == 61_842_345


@pytest.mark.parametrize(("data_name", "name"), ZOO)
def test_weight_decay_is_for_kernels_and_biases_and_not_for_batch_norm(data_name, name):
    for variable in declared(name, data_name):
        assert variable.decayed == variable.name.endswith(("/kernel", "/bias")), variable.name


@pytest.mark.parametrize(
    ("data_name", "name", "some"),
    [
        (
            "imagenet",
            "resnet50",
            ["stem/kernel", "stage2/block1/shortcut/batch_norm/gamma", "stage4/block3/expand/kernel"],
        ),
        ("imagenet", "resnet50_v2", ["stem/kernel", "stage1/block1/norm1/beta", "norm/moving_variance"]),
        ("imagenet", "inception3", ["mixed_17x17/d/double_7x7_row_b/kernel", "mixed_8x8/a/double_3x3_b_row/kernel"]),
        ("imagenet", "inception3", ["auxiliary/cover/batch_norm/beta", "auxiliary/logits/bias"]),
        ("imagenet", "vgg16", ["stage3/conv3/bias", "hidden1/kernel", "logits/bias"]),
        ("imagenet", "alexnet", ["conv5/kernel", "hidden2/bias"]),
        ("imagenet", "inception4", ["stem/7x7_row/kernel", "mixed_17x17/7/double_7x7_row_b/batch_norm/beta"]),
        ("imagenet", "googlenet", ["conv2_reduce/bias", "mixed5b/5x5_reduce/kernel"]),
        ("imagenet", "densenet121", ["block4/layer16/bottleneck/kernel", "transition3/norm/gamma", "norm/beta"]),
        ("imagenet", "mobilenet_v2", ["row1/block1/spatial/kernel", "row6/block3/expand/batch_norm/gamma"]),
        ("imagenet", "efficientnet_b0", ["stage7/block1/squeeze/kernel", "stage6/block4/excite/bias"]),
        ("imagenet", "resnext50_32x4d", ["stage2/block4/spatial/kernel"]),
        ("cifar10", "densenet40_k12", ["block3/layer12/conv/kernel", "transition2/conv/kernel"]),
        ("cifar10", "alexnet", ["conv2/kernel", "hidden2/bias"]),
        ("cifar10", "resnet20", ["stage3/block3/conv2/batch_norm/moving_mean"]),
    ],
)
def test_names_that_saved_models_and_initial_values_rely_on(data_name, name, some):
    assert {variable.name for variable in declared(name, data_name)} >= set(some)


def test_the_same_names_whatever_the_layout():
    network = dataclasses.replace(models.get("inception3", "imagenet"), image_size=107)
    names = []

    def build(images):
        return network(Net(network, declare, num_classes=7, training=True, data_format="NCHW"), images)

    def declare(declaration):
        names.append(declaration)
        return tf.zeros(declaration.shape)

    tf.function(build, autograph=False).get_concrete_function(tf.TensorSpec((2, 3, 107, 107)))
    in_channels_last = {declaration.name: declaration for declaration in declarations(network, 7)}
    for declaration in names:
        if not declaration.name.startswith("auxiliary/cover/"):  # the one kernel that depends on the image's size
            assert declaration == in_channels_last[declaration.name]


def test_the_auxiliary_head_is_there_in_training_only():
    network = dataclasses.replace(models.get("inception3", "imagenet"), image_size=107)

    def build(training):
        net = Net(network, lambda declaration: tf.zeros(declaration.shape), num_classes=7, training=training)
        return network(net, tf.zeros((1, 107, 107, 3)))

    graph = tf.Graph()
    with graph.as_default():
        assert build(training=True).aux_logits.shape == (1, 7)
        assert build(training=False).aux_logits is None


def test_the_registry_imports_no_tensorflow():
    code = "import sys, models; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "data_name", "message"),
    [
        ("resnet5", "imagenet", "Unknown model 'resnet5'. Did you mean 'resnet50'? See --list_models."),
        ("resnet21", "cifar10", "Unknown model 'resnet21'. Did you mean 'resnet20'? See --list_models."),
        ("mixer", "imagenet", "Unknown model 'mixer'. See --list_models."),
        ("vgg16", "cifar10", "Model 'vgg16' is built for imagenet, not cifar10. Pass --data_name=imagenet."),
    ],
)
def test_a_lookup_that_fails_names_the_choices(name, data_name, message):
    with pytest.raises(LookupError) as error:
        models.get(name, data_name)
    assert message in str(error.value)
