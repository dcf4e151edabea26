"""Effects that are planted in a network are found by the studies' own cases, in real runs, whose clock is not real."""

import functools
import io
import signal
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import tensorflow as tf

import models
from benchmarks import runner
from benchmarks.console import Console
from benchmarks.params import parse
from benchmarks.studies.claims import batch_norm, layouts, number_formats
from benchmarks.studies.claims.budget import Budget
from benchmarks.studies.claims.claim import Measured
from benchmarks.studies.claims.command import measure, plan
from benchmarks.studies.claims.effect import CONFIRMED, MEASURED, NO_DIFFERENCE
from benchmarks.studies.claims.networks import Size, Trained
from benchmarks.studies.claims.writing import text
from models.network import Network, Outputs
from models.normalisation import composed_batch_norm
from tests.clocks import LookedAt
from tests.studies.claims.planted import two_cores

LOOK_SECONDS = 1.0  # that pass from one look at the clock to the next
SLOW_SECONDS = 0.4  # that a slow operation takes beside the two looks of a step


class Clock(LookedAt):
    """A clock that goes on while a slow operation runs, too."""

    def slow_operation(self):
        def runs():
            self.now += SLOW_SECONDS

        return tf.py_function(runs, [], [])


@dataclass(frozen=True, kw_only=True)
class Planted(Network):
    """A convolution with batch norm and a classifier.

    Between them it may turn images of NCHW over and back, or do something slow where they are float32.
    """

    image_size: int = 32
    batch_size: int = 2
    learning_rate: float = 0.01
    turned: bool = False
    slow: Callable[[], tf.Tensor] | None = None

    def __call__(self, net, images):
        x = net.conv_bn(images, 4, 3, 2, name="conv")
        if self.turned and tf.is_tensor(x) and x.shape[1] == 4:  # what counts its cost has shapes
            x = tf.transpose(tf.sin(tf.transpose(x, (0, 2, 1, 3))), (0, 2, 1, 3))
        if self.slow and tf.is_tensor(x) and x.dtype == tf.float32:
            with tf.control_dependencies([self.slow()]):
                x = tf.identity(x)
        return Outputs(net.logits(net.global_average(x)))


@pytest.fixture
def clock():
    return Clock(LOOK_SECONDS)


@pytest.fixture
def study(tmp_path, monkeypatch, clock):
    """What the first case of a claim comes to where its network is a planted one, and what is told of it."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    @functools.cache  # the clock is exact: another run would measure the same
    def run(way):
        quiet = Console(io.StringIO(), io.StringIO())
        ending = runner.run(parse(way.flags), ["run_benchmark.py"], quiet, started=0.0, clock=clock)
        assert not ending.record.message
        return Measured(ending.record.steady_images_per_second, {}, ending.record)

    def studied(module, claim, network, case="planted"):
        monkeypatch.setitem(models.NETWORKS["cifar10"], "planted", network)
        size = Size(batch=2, steps=3, seconds=1.0)
        monkeypatch.setattr(module, "RESNET20", Trained("planted", "cifar10", size, size))
        story = plan([claim], two_cores(tmp_path), [case])
        measure(story, run, pairs=3, budget=Budget())
        (progress,) = story.cases
        return progress.finding.judgment, " ".join(text(story).split())

    yield studied
    for number, handler in handlers.items():
        signal.signal(number, handler)


def slowed(clock):
    """Batch norm of separate operations, one of which is slow."""

    def slow(*given, **named):
        y, *statistics = composed_batch_norm(*given, **named)
        with tf.control_dependencies([clock.slow_operation()]):
            return tf.identity(y), *statistics

    return slow


def test_a_slow_operation_of_the_composed_form_is_found(study, clock, monkeypatch):
    monkeypatch.setattr("models.layers.composed_batch_norm", slowed(clock))
    judgment, told = study(batch_norm, batch_norm.FUSED_BATCH_NORM, Planted())
    assert judgment.outcome == CONFIRMED
    assert judgment.words.startswith("'fused' is 1.20 times ")
    assert "times as good | claimed" in told


def test_where_both_forms_are_as_fast_that_is_said_and_what_still_differs(study):
    judgment, told = study(batch_norm, batch_norm.FUSED_BATCH_NORM, Planted())
    assert judgment.outcome == NO_DIFFERENCE
    operations = [
        int(word.replace(",", "")) for word in told.partition("Operations in a step: ")[2].split() if word.isdigit()
    ]
    assert operations[0] < operations[1]
    assert "The fused operations took " in told
    assert "of the composed ones by itself" not in told


def test_transposes_of_a_network_are_counted_in_the_optimised_graph(study):
    judgment, told = study(layouts, layouts.DATA_FORMAT, Planted(turned=True))
    assert judgment.outcome == MEASURED
    # Two forward and two backward.
    assert "Transposes in the optimised graph of a step: 4 with 'NCHW', 0 with 'NHWC'." in told
    assert "All are the network's own: TensorFlow put none in." in told


def test_where_nothing_is_transposed_that_is_said(study):
    judgment, told = study(layouts, layouts.DATA_FORMAT, Planted())
    assert judgment.outcome == MEASURED
    assert "no difference larger than 5%" in judgment.words
    assert "The optimised graph of a step has no transpose, with either." in told
    assert "compute in" not in told


@pytest.mark.parametrize("slow", [True, False])
def test_what_fewer_bits_gain_is_found_and_where_they_gain_nothing_that_is_said(study, clock, slow):
    network = Planted(slow=clock.slow_operation if slow else None)
    judgment, told = study(number_formats, number_formats.PRECISION, network, "planted bf16")
    assert judgment.outcome == (CONFIRMED if slow else NO_DIFFERENCE)
    assert ("'bf16' is 1.20 times" if slow else "no difference larger than 5%") in judgment.words
    assert "tensors more with 'bf16': variables and their gradients are float32." in told
