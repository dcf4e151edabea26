import json

import numpy as np
import pytest

from results.frame import frame
from results.record import RecordError, Reported, RunRecord
from results.statistics.within_run import describe
from tests.results.records import measurement, record


def measured(seconds, between=0.0):
    window = float(np.sum(seconds)) + between * len(seconds)
    found = measurement(step_seconds=seconds, losses=[1.0] * len(seconds), window_seconds=window)
    return record(measurement=found, statistics=describe(found.step_seconds))


def test_it_is_the_headline_where_nothing_is_trimmed():
    made = measured([0.1, 0.102] * 60, between=0.001)
    assert made.statistics.steady_from == 1
    assert made.steady_images_per_second == made.images_per_second


def test_it_leaves_a_slow_start_out_and_counts_what_is_between_steps_in_proportion():
    made = measured([1.0] * 10 + [0.1, 0.102] * 60, between=0.05)
    assert made.statistics.steady_from == 11
    mean_of_all, between = (10 + 60 * 0.202) / 130, 0.05
    expected = 64 / (mean_of_all + between) * mean_of_all / 0.101
    assert made.steady_images_per_second == pytest.approx(expected)
    assert made.steady_interval.low <= made.steady_interval.value <= made.steady_interval.high


def test_without_steps_it_is_what_was_reported():
    made = record(measurement=None, reported=Reported(images_per_second=52.0))
    assert (made.steady_images_per_second, made.steady_interval) == (52.0, None)
    assert record(measurement=None).steady_images_per_second is None


def test_an_older_record_has_its_headline():
    data = json.loads(measured([0.1] * 60).to_json())
    del data["statistics"], data["repeat"]
    old = RunRecord.from_json(json.dumps(data))
    assert old.steady_images_per_second == old.images_per_second


def test_statistics_survive_the_file():
    made = measured([1.0] * 10 + [0.1, 0.102] * 60)
    again = RunRecord.from_json(made.to_json())
    assert again == made
    assert again.statistics.findings[0].kind == "slow start"


def test_a_steady_part_that_does_not_exist_is_refused():
    text = measured([0.1] * 60).to_json().replace('"steady_from": 1', '"steady_from": 61')
    with pytest.raises(RecordError, match=r"field 'statistics.steady_from': there are 60 steps, found 61"):
        RunRecord.from_json(text)


def test_the_frame_has_it():
    made = measured([1.0] * 10 + [0.1, 0.102] * 60)
    row = frame([made]).iloc[0]
    assert row["steady_images_per_second"] == made.steady_images_per_second
    assert (row["interval_low"], row["interval_high"]) == (made.steady_interval.low, made.steady_interval.high)
    assert (row["steady_from"], row["effective_steps"]) == (11, made.statistics.effective_steps)
