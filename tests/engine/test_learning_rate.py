"""The learning rate of each step, against the formulas and through whole steps."""

import math

import numpy as np
import pytest

from benchmarks.build import build_step
from benchmarks.learning_rate import LearningRate, ScheduledRate, follows_a_schedule, make, rates
from benchmarks.optimizers import Optimizer
from benchmarks.params import Params, resolve
from benchmarks.workload import images_per_update
from tests.diagnosis.workloads import BATCH, workload
from tests.engine.training import build_training, images_and_labels

IMAGES, EXAMPLES = 10, 100  # ten steps an epoch


def of_steps(steps=30, **given):
    params = resolve(Params(model="resnet20", data_name="cifar10", batch_size=IMAGES, **given), device="cpu")
    assert follows_a_schedule(params)
    return rates(params, IMAGES, steps, EXAMPLES)


def test_pieces_end_with_their_epochs():
    found = of_steps(piecewise_learning_rate_schedule="0.3;1;0.2;2.5;0.1")
    np.testing.assert_allclose(found, [0.3] * 11 + [0.2] * 15 + [0.1] * 4)


def test_a_decay_is_a_staircase_down_to_its_minimum():
    found = of_steps(
        init_learning_rate=0.8, num_epochs_per_decay=1.0, learning_rate_decay_factor=0.5, minimum_learning_rate=0.3
    )
    np.testing.assert_allclose(found, [0.8] * 10 + [0.4] * 10 + [0.3] * 10)


def test_a_warm_up_grows_from_zero_to_the_rate():
    found = of_steps(init_learning_rate=0.5, num_learning_rate_warmup_epochs=1.0)
    np.testing.assert_allclose(found, [0.05 * step for step in range(10)] + [0.5] * 20)
    found = of_steps(piecewise_learning_rate_schedule="0.2;2;0.1", num_learning_rate_warmup_epochs=0.5)
    np.testing.assert_allclose(found[:6], [0.0, 0.04, 0.08, 0.12, 0.16, 0.2])


def test_half_a_cosine_ends_with_the_run():
    found = of_steps(21, init_learning_rate=1.0, cosine_decay=True, minimum_learning_rate=0.2)
    assert (found[0], found[-1]) == pytest.approx((1.0, 0.2))
    assert found[10] == pytest.approx(0.6)
    assert found[5] == pytest.approx(0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi / 4)))
    warmed = of_steps(31, init_learning_rate=1.0, cosine_decay=True, num_learning_rate_warmup_epochs=1.0)
    assert (warmed[5], warmed[10], warmed[20], warmed[30]) == pytest.approx((0.5, 1.0, 0.5, 0.0))


def test_the_rate_of_resnets_is_in_proportion_to_the_images():
    found = of_steps(1000, resnet_base_lr=0.256)
    assert found[25] == pytest.approx(0.01 * 25 / 50)
    assert found[[50, 300, 301, 601, 801, 901]] == pytest.approx([1e-2, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])


def test_without_a_schedule_the_rate_is_one_number():
    params = resolve(Params(model="resnet20", data_name="cifar10"), device="cpu")
    assert not follows_a_schedule(params)


def test_rates_for_so_many_images_are_in_proportion_to_those_of_an_update():
    given = {"piecewise_learning_rate_schedule": "0.3;1;0.2", "num_learning_rate_warmup_epochs": 0.5}
    np.testing.assert_allclose(of_steps(learning_rate_batch_size=40, **given), of_steps(**given) / 4)
    falling = {"init_learning_rate": 0.8, "cosine_decay": True, "minimum_learning_rate": 0.2}
    np.testing.assert_allclose(of_steps(learning_rate_batch_size=5, **falling), 2 * of_steps(**falling))
    constant = Params(model="resnet20", data_name="cifar10", init_learning_rate=0.3, learning_rate_batch_size=30)
    assert make(resolve(constant, device="cpu"), IMAGES, 10, EXAMPLES).value() == pytest.approx(0.1)


@pytest.mark.parametrize("strategy", ["parameter_server", "replicated", "sharded"])
def test_each_step_has_its_own_rate_and_later_ones_the_last(strategy):
    images, labels = images_and_labels(8)
    schedule = [0.1, 0.0, 0.2]
    scheduled = build_training(
        strategy, 2, images, labels, optimizer=Optimizer(), rate=ScheduledRate(np.array(schedule))
    )
    constant = build_training(strategy, 2, images, labels, optimizer=Optimizer(), rate=LearningRate(0.1))
    start = constant.values()
    scheduled.step()
    constant.step()
    first = scheduled.values()
    for name, value in constant.values().items():
        np.testing.assert_array_equal(first[name], value)
        assert np.any(first[name] != start[name])
    scheduled.step()
    for name, value in scheduled.values().items():
        np.testing.assert_array_equal(value, first[name])
    for _ in range(3):
        before = scheduled.values()
        scheduled.step()
        assert all(np.any(before[name] != value) for name, value in scheduled.values().items())


@pytest.mark.parametrize(("strategy", "images"), [("replicated", 2 * BATCH), ("independent", BATCH)])
def test_a_rate_is_in_proportion_to_the_images_of_an_update(strategy, images):
    flags = ["--model=trivial", "--num_gpus=2", f"--variable_update={strategy}"]
    rate = ["--piecewise_learning_rate_schedule=0.4;0.001;0.2", "--learning_rate_batch_size=128", "--num_batches=100"]
    found = workload(*flags, *rate)
    assert images_per_update(found) == images
    assert float(build_step(found).rate.value()) == pytest.approx(0.4 * images / 128)


def test_towers_that_train_apart_see_their_share_in_an_epoch():
    """Two towers take 32 of 40,000 images a step, whether they share an update or not."""
    flags = ["--model=trivial", "--num_gpus=2", "--num_batches=2000", "--num_warmup_batches=0"]
    falling = ["--piecewise_learning_rate_schedule=0.4;1;0.2"]
    steps = [
        build_step(workload(*flags, *falling, f"--variable_update={each}")) for each in ("replicated", "independent")
    ]
    together, apart = (np.asarray(step.rate._rates) for step in steps)
    assert np.flatnonzero(together == 0.2)[0] == 40_000 // 32 + 1
    np.testing.assert_array_equal(apart, together)
