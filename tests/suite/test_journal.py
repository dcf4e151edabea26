"""The journal: whole lines or none, whatever happens to its end."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.errors import UserError
from benchmarks.suite import journal
from benchmarks.suite.cells import Cell
from benchmarks.suite.journal import Header, Journal

HEADER = Header("s", "p", "0123", 7, [Cell({"model": "lenet"}, "lenet", retries={"crash": 1})], [(0, 1)], (2, 3), 60.0)


def begun(path):
    found = Journal(path)
    found.begin(HEADER)
    found.append("start", cell="a", repeat=1)
    found.append("end", cell="a", repeat=1)
    found.close()
    return path.read_bytes()


def test_it_tells_what_was_written(tmp_path):
    begun(tmp_path / "j")
    found = Journal(tmp_path / "j")
    assert [entry["kind"] for entry in found.entries] == ["suite", "start", "end"]
    assert journal.header(tmp_path / "j") == HEADER
    found.close()


@settings(max_examples=30)
@given(data=st.data())
def test_a_torn_end_is_cut_off_and_gone_on_from(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("torn") / "j"
    whole = begun(path)
    kept = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:kept] + data.draw(st.sampled_from([b"", b"\0" * 9, b'{"kind": "en'])))
    found = Journal(path)
    found.append("again")
    found.close()
    lines = whole[:kept].count(b"\n")
    assert [entry["kind"] for entry in journal.read(path)] == [*["suite", "start", "end"][:lines], "again"]


def test_what_cannot_be_written_is_not_there(tmp_path):
    found = Journal(tmp_path / "j")
    found.begin(HEADER)
    before = (tmp_path / "j").read_bytes()
    read_only = os.open(tmp_path / "j", os.O_RDONLY)
    os.dup2(read_only, found._file)
    with pytest.raises(OSError, match="Bad file descriptor"):
        found.append("start")
    assert (tmp_path / "j").read_bytes() == before
    assert [entry["kind"] for entry in found.entries] == ["suite"]
    os.close(read_only)
    found.close()


def test_a_journal_that_was_removed_or_replaced_takes_no_more(tmp_path):
    found = Journal(tmp_path / "j")
    found.begin(HEADER)
    (tmp_path / "j").rename(tmp_path / "other")
    with pytest.raises(OSError, match="it was removed, or replaced by another, while the suite ran"):
        found.append("start")
    (tmp_path / "j").write_text("")
    assert not found.in_place
    (tmp_path / "j").write_bytes((tmp_path / "other").read_bytes())
    assert found.in_place, "some network disks give a file another inode"
    found.close()


def test_two_processes_do_not_share_one(tmp_path):
    first = Journal(tmp_path / "j")
    with pytest.raises(UserError, match="another process runs this suite"):
        Journal(tmp_path / "j")
    first.close()
    Journal(tmp_path / "j").close()


@pytest.mark.parametrize(
    "text",
    [
        '{"kind": "x"}\n',
        "somebody's own\n",
        "somebody's own, without an end",
        '{"kind": "suite", "version": 99}\n',
        '{"kind": "suite", "version": 1}\n',
        json.dumps({"kind": "suite", "version": 1} | HEADER.facts() | {"order": [[1, 1]]}) + "\n",
    ],
)
def test_what_is_no_journal(text, tmp_path):
    (tmp_path / "suite.jsonl").write_text(text)
    with pytest.raises(UserError, match="is no journal of a suite"):
        journal.header(tmp_path / "suite.jsonl")


@pytest.mark.parametrize("kept", [0, 5, 200])
@pytest.mark.parametrize("torn", [b"", bytes(9)])
def test_what_was_torn_before_its_first_line_was_whole_is_none_yet(kept, torn, tmp_path):
    (tmp_path / "j").write_bytes(begun(tmp_path / "j")[:kept] + torn)
    assert journal.header(tmp_path / "j") is None
