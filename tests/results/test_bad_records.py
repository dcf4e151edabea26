"""`python -m results` on files that are no good records: one clear message each, and the rest is still there."""

import io
import json
import os

import pytest

from results.__main__ import main
from results.store import LARGEST_RECORD, write
from tests.results.records import record

GOOD = json.loads(record().to_json())


def changed(**changes):
    return json.dumps(GOOD | changes)


BAD = {
    "truncated": (record().to_json()[:500], "not JSON, or cut short"),
    "newer": (changed(schema_version=2), "field 'schema_version': 2 is newer than this program"),
    "no_record": ('{"a": 1}', "not a record: it has no schema_version"),
    "list": ("[1, 2]", "not a record"),
    "nested": ("[" * 100_000, "nested too deeply"),
    "nested_well": ('{"schema_version": 1, "params": ' + '{"a":' * 50_000 + "1" + "}" * 50_001, "nested too deeply"),
    "long_number": (changed(schema_version=1).replace('"status"', '"x": ' + "9" * 5000 + ', "status"'), "not JSON"),
    "surrogate": (changed(message="\ud800"), "half a surrogate pair"),
    "wrong_type": (changed(status=["completed"]), "field 'status': expected a string"),
    "unknown_status": (changed(status="\x1b[2J"), "field 'status': expected one of"),
    "far_future": (changed(started_at="9999-12-31T23:59:59+00:00"), "expected a year from 1970 to 2999"),
    "edited": (changed(configuration={"model": "other"}), "does not belong to the configuration beside it"),
    "images": (
        changed(measurement=GOOD["measurement"] | {"images_in_window": 10**400}),
        "field 'measurement.images_in_window': must be from 0 to 4611686018427387904, is far from that",
    ),
    "skipped": (
        changed(measurement=GOOD["measurement"] | {"skipped_steps": -1}),
        "field 'measurement.skipped_steps': must be from 0 to 4611686018427387904, is -1",
    ),
    "empty": ("", "not JSON, or cut short"),
}


def run(*arguments):
    stdout, stderr = io.StringIO(), io.StringIO()
    return main([str(argument) for argument in arguments], stdout, stderr), stdout.getvalue(), stderr.getvalue()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named_once_and_the_good_one_is_shown(name, tmp_path):
    text, reason = BAD[name]
    good = write(record(), tmp_path)
    (tmp_path / "bad.json").write_text(text)
    code, out, err = run(tmp_path)
    assert code == 1
    assert good.stem[-8:] in out
    assert len(err.splitlines()) == 1
    assert err.startswith(f"Not a readable record: {tmp_path}/bad.json: ")
    assert reason in err
    assert "\x1b" not in err


def test_pipes_and_enormous_files_are_not_read(tmp_path):
    write(record(), tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    with (tmp_path / "sparse.json").open("wb") as stream:
        stream.truncate(2**40)
    code, _, err = run(tmp_path)
    assert code == 1
    assert "pipe.json: cannot be read: not a regular file" in err
    assert f"sparse.json: larger than {LARGEST_RECORD // 2**20} MiB" in err


def test_control_characters_in_a_record_do_not_reach_the_terminal(tmp_path):
    evil = "\x1b[2J\x07\r\u202e"
    write(record(problems=(evil,), settings={"model": evil}, model={"name": evil}), tmp_path)
    _, out, _ = run(tmp_path)
    assert not set(out) & set(evil[0] + "\x07\r\u202e")


def test_a_folder_with_none_says_what_it_looked_for(tmp_path):
    code, out, err = run(tmp_path)
    assert (code, out) == (2, "")
    assert err == f"No readable record in '{tmp_path}'. Is it the --results_dir of a run?\n"
