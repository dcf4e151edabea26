#!/usr/bin/env python3
"""A plain PyTorch training loop with channels_last tensors.

It trains on one fixed batch of random images (momentum 0.9, learning rate 0.01, no weight decay, all cores) and prints
one line of JSON: images a second of the median and of the best step after three of warm-up, seconds from the start of
the process to the end of the first step, and peak memory in MiB. It stands for what a user would write, and is one file
that needs PyTorch alone.
"""

import time

START = time.perf_counter()  # the time to the first step counts from here

import argparse  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

WARMUP_STEPS = 3
IMAGE_SIZE = {"resnet50": 224, "resnet20": 32}
CLASSES = {"resnet50": 1000, "resnet20": 10}


def conv_bn(inputs: int, filters: int, kernel: int, stride: int = 1) -> nn.Module:
    """Convolution and batch norm."""
    convolution = nn.Conv2d(inputs, filters, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(filters))


def rectified(x: torch.Tensor) -> torch.Tensor:
    """ReLU in place."""
    return functional.relu(x, inplace=True)


class Bottleneck(nn.Module):  # type: ignore[misc]  # PyTorch's types are not read
    """1x1, 3x3, 1x1 with the stride on the first 1x1 (v1); returns four times `filters` channels."""

    def __init__(self, inputs: int, filters: int, stride: int) -> None:
        super().__init__()
        self.reduce = conv_bn(inputs, filters, 1, stride)
        self.spatial = conv_bn(filters, filters, 3)
        self.expand = conv_bn(filters, 4 * filters, 1)
        keeps_shape = stride == 1 and inputs == 4 * filters
        self.shortcut = nn.Identity() if keeps_shape else conv_bn(inputs, 4 * filters, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the block."""
        y = rectified(self.spatial(rectified(self.reduce(x))))
        return rectified(self.expand(y) + self.shortcut(x))


class Basic(nn.Module):  # type: ignore[misc]  # as above
    """Two 3x3, with a projection where the stride changes the shape."""

    def __init__(self, inputs: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv_bn(inputs, filters, 3, stride)
        self.conv2 = conv_bn(filters, filters, 3)
        self.shortcut = nn.Identity() if stride == 1 else conv_bn(inputs, filters, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the block."""
        return rectified(self.conv2(rectified(self.conv1(x))) + self.shortcut(x))


def resnet50() -> nn.Module:
    """ResNet-50 v1."""
    stem = [conv_bn(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, padding=1)]
    blocks = stages(Bottleneck, 64, [(64, 3), (128, 4), (256, 6), (512, 3)], expansion=4)
    return nn.Sequential(*stem, *blocks, *head(2048, 1000))


def resnet20() -> nn.Module:
    """ResNet-20 for CIFAR-10; the two shortcuts that change shape are projections."""
    stem = [conv_bn(3, 16, 3), nn.ReLU(inplace=True)]
    return nn.Sequential(*stem, *stages(Basic, 16, [(16, 3), (32, 3), (64, 3)], expansion=1), *head(64, 10))


def stages(
    block: Callable[[int, int, int], nn.Module], channels: int, shape: list[tuple[int, int]], expansion: int
) -> list[nn.Module]:
    """The blocks of all stages, of which `shape` has filters and number; every stage but the first halves the side."""
    blocks = []
    for stage, (filters, count) in enumerate(shape):
        for index in range(count):
            blocks.append(block(channels, filters, 2 if stage and not index else 1))
            channels = filters * expansion
    return blocks


def head(channels: int, classes: int) -> list[nn.Module]:
    """Mean over all positions and the classifier."""
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


MODELS = {"resnet50": resnet50, "resnet20": resnet20}


def make_step(options: argparse.Namespace) -> Callable[[], float]:
    """A step of training, which returns the loss; with --forward_only, of a forward pass."""
    size = IMAGE_SIZE[options.model]
    model = MODELS[options.model]().to(memory_format=torch.channels_last)
    model.train(not options.forward_only)
    images = torch.randn(options.batch, 3, size, size).to(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES[options.model], (options.batch,))
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16")

    def forward() -> float:
        with torch.no_grad(), autocast:
            return float(model(images).sum())

    def train() -> float:
        optimizer.zero_grad(set_to_none=True)
        with autocast:
            loss = functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return forward if options.forward_only else train


def run(options: argparse.Namespace) -> dict[str, object]:
    """Train as `options` say, and return what is printed."""
    torch.manual_seed(0)
    step = make_step(options)
    seconds, first_step_at, loss = [], 0.0, 0.0
    for number in range(WARMUP_STEPS + options.steps):
        begin = time.perf_counter()
        loss = step()
        end = time.perf_counter()
        seconds.append(end - begin)
        if number == 0:
            first_step_at = end - START
    measured = sorted(seconds[WARMUP_STEPS:])
    return {
        "yardstick": "torch_step",
        **vars(options),
        "images_per_sec": round(options.batch / measured[len(measured) // 2], 2),
        "best_images_per_sec": round(options.batch / measured[0], 2),
        "first_step_at_sec": round(first_step_at, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "loss": round(loss, 4),
    }


def parser() -> argparse.ArgumentParser:
    """The flags."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--model", choices=list(MODELS), default="resnet50")
    flags.add_argument("--batch", type=int, default=16, help="images a step")
    flags.add_argument("--steps", type=int, default=8, help="steps to measure, at least 1")
    flags.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of the computation")
    flags.add_argument("--forward_only", action="store_true", help="no gradients, no update")
    return flags


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(parser().parse_args())) + "\n")
