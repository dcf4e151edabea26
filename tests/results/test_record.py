import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from results.record import Measurement, RecordError, RunRecord, configuration_key
from tests.results.records import measurement, record


def test_figures_follow_from_the_raw_times():
    found = measurement(step_seconds=(0.125, 0.125, 0.15, 0.1, 0.125), window_seconds=0.64)
    assert found.images == 320
    assert found.images_per_second == 500.0
    assert found.steps_per_second == 7.8125
    assert found.median_step_seconds == 0.125
    assert found.jitter == 0.0
    assert found.between_steps_seconds == pytest.approx(0.015)


def test_jitter_is_the_scaled_median_deviation_over_the_median():
    found = measurement(step_seconds=(1.0, 1.1, 0.9, 1.2, 0.8))
    assert found.jitter == pytest.approx(1.4826 * 0.1)


@pytest.mark.parametrize("partial", [{}, {"warmup_step_seconds": (3.0,)}, {"step_seconds": (0.1,)}])
def test_a_measurement_without_a_window_has_no_speed(partial):
    found = Measurement(batch_size=32, num_towers=1, **partial)
    assert found.images_per_second is None
    assert found.steps_per_second is None
    assert found.first_step_seconds is None


def test_an_empty_measurement_has_no_figure():
    found = Measurement(batch_size=32, num_towers=1)
    assert (found.median_step_seconds, found.jitter, found.between_steps_seconds) == (None, None, None)


@pytest.mark.parametrize("wrong", [{"window_seconds": -1.0}, {"step_seconds": (math.nan,)}, {"batch_size": 0}])
def test_impossible_measurements_are_refused(wrong):
    with pytest.raises(RecordError, match=next(iter(wrong))):
        measurement(**wrong)


def test_json_round_trip_is_exact():
    before = record(
        status="failed",
        message="out of memory ✗",
        problems=("too few steps",),
        not_acting=({"flag": "trt_mode", "value": "FP16", "kind": "ignored", "reason": "gone"},),
        seeds={"tf_random_seed": 1234},
        placement={"towers": ["/cpu:0", "/cpu:1"]},
        measurement=measurement(top_1=(0.5,), skipped_steps=1, window_seconds=1 / 3),
    )
    assert RunRecord.from_json(before.to_json()) == before


def test_losses_that_are_not_finite_survive_in_standard_json():
    text = record(measurement=measurement(losses=(1.0, math.nan, math.inf, -math.inf))).to_json()

    def refuse(word):
        raise AssertionError(word)

    assert json.loads(text, parse_constant=refuse)["measurement"]["losses"] == [1.0, "nan", "inf", "-inf"]
    again = RunRecord.from_json(text).measurement
    assert math.isnan(again.losses[1])
    assert again.losses[2:] == (math.inf, -math.inf)


def test_numpy_scalars_tuples_and_paths_become_plain_json():
    made = record(params={"rate": np.float32(0.5), "steps": np.int64(7), "dir": Path("a"), "pair": (1, 2)})
    assert made.params == {"rate": 0.5, "steps": 7, "dir": "a", "pair": [1, 2]}
    assert RunRecord.from_json(made.to_json()) == made


def test_what_json_cannot_hold_is_named_where_the_record_is_made():
    with pytest.raises(RecordError, match=r"field 'params.a.b': a set cannot be written as JSON"):
        record(params={"a": {"b": {1}}})


def test_sections_are_copied():
    flags = {"model": "resnet20"}
    made = record(params=flags)
    flags["model"] = "vgg16"
    assert made.params == {"model": "resnet20"}


def test_the_key_depends_on_the_configuration_alone():
    assert configuration_key({"b": 1, "a": [1.5, None]}) == configuration_key({"a": (1.5, None), "b": 1})
    assert configuration_key({}) == "44136fa355b3678a"  # printf '{}' | sha256sum
    assert record(minute=1).configuration_key == record(minute=2, message="x").configuration_key
    assert record().configuration_key != record(settings={"batch_size": 64}).configuration_key


def test_valid_needs_completion_and_no_problem():
    assert record().valid
    assert not record(problems=("the loss is NaN",)).valid
    assert not record(status="interrupted").valid


def test_a_record_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        record().status = "failed"


def changed(**changes):
    return json.dumps(json.loads(record().to_json()) | changes)


def without(name):
    data = json.loads(record().to_json())
    del data[name]
    return json.dumps(data)


BAD = [
    ("", "not JSON, or cut short"),
    (record().to_json()[:-40], "not JSON, or cut short"),
    ("[]", "not a record: it has no schema_version"),
    ("{}", "not a record: it has no schema_version"),
    ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    ('{"schema_version": NaN}', "NaN is no standard JSON"),
    (changed(schema_version=2), "field 'schema_version': 2 is newer than this program, which reads version 1"),
    (changed(schema_version="1"), "field 'schema_version': expected 1, found '1'"),
    (without("problems"), "field 'problems': missing"),
    (changed(problems=None), "field 'problems': expected a list, found None"),
    (changed(status="fine"), "field 'status': expected one of completed, failed, interrupted, found 'fine'"),
    (changed(params=[]), r"field 'params': expected an object, found \[\]"),
    (changed(given=[1]), r"field 'given\[0\]': expected a string, found 1"),
    (changed(record_id="../../etc/passwd"), "field 'record_id': expected 32 hex digits"),
    (changed(started_at="yesterday"), "field 'started_at': expected a time such as"),
    (changed(started_at="2026-01-31T12:00:00"), "field 'started_at': expected a time in UTC"),
    (changed(configuration={}), "field 'configuration_key': does not belong to the configuration"),
    (changed(measurement={"batch_size": True}), "field 'measurement.batch_size': expected a whole number, found True"),
    (
        changed(measurement=json.loads(record().to_json())["measurement"] | {"losses": [1, 2.5, "big"]}),
        r"field 'measurement.losses\[2\]': expected a number, found 'big'",
    ),
    (
        changed(measurement=json.loads(record().to_json())["measurement"] | {"window_seconds": -1}),
        "field 'measurement.window_seconds': a duration must be from 0 to 1e\\+09 s, is -1.0",
    ),
    (
        changed(measurement=json.loads(record().to_json())["measurement"] | {"losses": [10**400]}),
        r"field 'measurement.losses\[0\]': a whole number too large",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_an_unfit_file_is_named_with_field_and_reason(text, message):
    with pytest.raises(RecordError, match=message) as caught:
        RunRecord.from_json(text, "runs/x.json")
    assert str(caught.value).startswith("runs/x.json: ")


def test_later_fields_may_be_missing_and_unknown_ones_are_passed_over():
    data = json.loads(record().to_json())
    del data["checks"]
    data["invented_tomorrow"] = 1
    assert RunRecord.from_json(json.dumps(data)).checks == {}


def test_the_record_needs_neither_tensorflow_nor_pandas():
    code = "import sys, results.store; print([m for m in ('tensorflow', 'pandas', 'numpy') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_the_fingerprint_of_losses_tells_the_last_bit_and_the_warm_up():
    same, other = measurement().losses_sha256, measurement(losses=(2.0,) * 9 + (math.nextafter(2.0, 3.0),))
    assert same == measurement().losses_sha256
    assert len({same, other.losses_sha256, measurement(warmup_losses=(2.5, 2.0)).losses_sha256}) == 3
    assert measurement(warmup_losses=(), losses=()).losses_sha256 is None
