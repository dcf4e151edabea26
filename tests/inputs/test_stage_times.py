import pytest
import tensorflow as tf

from benchmarks.inputs.stage_times import measure_stages

BATCH = 4


class Clock:
    """A clock that slow stages move, and the looks at it a little."""

    now = 0.0

    def __call__(self):
        self.now += 0.001
        return self.now


CLOCK = Clock()


def slow(*element):
    """A stage that takes 5 ms."""

    def wait():
        CLOCK.now += 0.005

    with tf.control_dependencies([tf.py_function(wait, [], [])]):
        return tf.nest.map_structure(tf.identity, element if len(element) > 1 else element[0])


def single():
    return tf.data.Dataset.from_tensors((tf.zeros([8, 8, 3]), 1)).repeat()


def test_the_slow_stage_is_the_one_that_adds_time():
    read, decoded = single(), single().map(slow)
    found = measure_stages(
        {"read": read, "decode": decoded, "batch": decoded.batch(BATCH, drop_remainder=True)}, BATCH, clock=CLOCK
    )
    assert [stage.name for stage in found] == ["read", "decode", "batch"]
    assert max(found, key=lambda stage: stage.added_seconds_per_image).name == "decode"
    _, decode, batch = found
    for stage in (decode, batch):  # per image, whether elements are images or batches
        assert stage.images_per_second < 1 / 0.005
    assert decode.added_seconds_per_image > 0.004


def test_a_slow_batch_is_divided_over_its_images():
    batches = single().batch(BATCH, drop_remainder=True).map(slow)
    (stage,) = measure_stages({"all": batches}, BATCH, clock=CLOCK)
    assert 1 / 0.005 < stage.images_per_second < BATCH / 0.005
    assert stage.added_seconds_per_image == pytest.approx(1 / stage.images_per_second)
    assert "images/sec" not in str(stage)


def test_what_ends_the_run_ends_it_between_stages():
    def check():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_stages({"read": single()}, BATCH, check=check)
