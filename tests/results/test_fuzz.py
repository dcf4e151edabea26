"""Whatever is in a file: a record, or an error of ours that says why not; never another exception, never a hang."""

import copy
import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.frame import frame
from results.importers import folder
from results.importers.source import LogError
from results.record import RecordError, Reported, RunRecord
from results.reported import ReportedRow
from results.table import table
from tests.results.importers.test_other_tools import AIME, HOROVOD, LONG, MLLOG, TIMM
from tests.results.records import record

LOG = (Path(__file__).parent / "legacy_logs" / "alexnet_nan.log").read_text(encoding="utf-8")
SAMPLES = [LOG, "\n".join(LOG.splitlines()[36:]), HOROVOD, AIME, MLLOG, TIMM, LONG]
RECORDS = [
    json.loads(record().to_json()),
    json.loads(
        record(
            measurement=None,
            started_at="",
            finished_at="",
            reported=Reported(images_per_second=1.0, rows=(ReportedRow(step=1, loss=float("nan")),)),
            provenance={"tool": "a"},
        ).to_json()
    ),
]
quick = settings(
    max_examples=150,
    deadline=timedelta(seconds=60),  # a hang, or what grows faster than its input
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

NUMBERS = ("nan", "inf", "-1", "0", "1e999", "9" * 400, "9" * 20, "1_0", "\u0663")
SPACES = ("", " ", "\t", "\r", "\n", "\x1b[K", "\0", '"', "\ud800")
LABELS = ("total images/sec: ", "TensorFlow:  ", "Batch size:  ", ":::MLLOG ", "[" * 2000, "Error: ", "Devices: ")
words = st.sampled_from([*NUMBERS, *SPACES, *LABELS]) | st.text(max_size=8)
cuts = st.tuples(st.floats(0, 1), st.integers(0, 300), words)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)


def check_import(path):
    try:
        records = folder.read(path)
    except (LogError, RecordError):
        return
    for found in records:
        text = found.to_json()
        assert RunRecord.from_json(text).to_json() == text
    table(frame(records))


@quick
@given(content=st.binary(max_size=400))
def test_any_bytes(content, tmp_path):
    path = tmp_path / "log"
    path.write_bytes(content)
    check_import(path)


@quick
@given(sample=st.sampled_from(SAMPLES), mutations=st.lists(cuts, min_size=1, max_size=6))
def test_logs_and_tables_with_pieces_replaced(sample, mutations, tmp_path):
    for place, length, word in mutations:
        start = int(place * len(sample))
        sample = sample[:start] + word + sample[start + length :]
    path = tmp_path / "log"
    path.write_bytes(sample.encode("utf-8", "surrogatepass"))
    check_import(path)


def places(value, path=()):
    """Yield the way to every value within plain data."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from places(entry, (*path, key))


@quick
@given(data=st.data(), original=st.sampled_from(RECORDS))
def test_records_with_values_replaced(data, original):
    changed = copy.deepcopy(original)
    changed.pop("configuration_key")  # it would refuse most changes before anything else is looked at
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from([path for path in places(changed) if path]))
        spot = changed
        for key in way:
            spot = spot[key]
        spot[last] = data.draw(json_values)
    try:
        found = RunRecord.from_json(json.dumps(changed))
    except RecordError:
        return
    text = found.to_json()
    assert RunRecord.from_json(text).to_json() == text
    table(frame([found]))


WHOLE = json.dumps(RECORDS[0])
beginnings = st.integers(0, len(WHOLE) - 1).map(lambda length: WHOLE[:length])


@quick
@given(text=st.text(max_size=300) | beginnings | json_values.map(json.dumps))
def test_any_text_as_a_record(text):
    with pytest.raises(RecordError):
        RunRecord.from_json(text)
