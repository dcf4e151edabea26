import shutil

import pytest

from results.selection import select
from results.store import FolderError, write
from tests.results.records import record


def test_files_and_folders_give_their_records_in_order(tmp_path):
    first, second = record(minute=2), record(minute=1)
    found = select([write(first, tmp_path / "a"), write(second, tmp_path / "b").parent])
    assert [each.record_id for each in found.records] == [first.record_id, second.record_id]
    assert found.left_out == []


def test_a_second_copy_of_a_run_is_left_out_with_both_names(tmp_path):
    path = write(record(), tmp_path / "a")
    copy = tmp_path / "copy.json"
    shutil.copy(path, copy)
    found = select([tmp_path / "a", copy])
    assert len(found.records) == 1
    assert str(path) in found.left_out[0]
    assert str(copy) in found.left_out[0]


def test_a_corrupt_file_is_named_and_the_rest_is_read(tmp_path):
    write(record(), tmp_path)
    (tmp_path / "cut.json").write_text("{")
    found = select([tmp_path])
    assert len(found.records) == 1
    assert "cut.json" in found.left_out[0]


def test_an_empty_folder_beside_others_is_named(tmp_path):
    write(record(), tmp_path / "runs")
    (tmp_path / "empty").mkdir()
    found = select([tmp_path / "empty", tmp_path / "runs"])
    assert len(found.records) == 1
    assert found.left_out == [f"No record in '{tmp_path}/empty'."]


def test_nothing_to_read_is_an_error_that_says_why(tmp_path):
    (tmp_path / "cut.json").write_text("{")
    with pytest.raises(FolderError, match=r"No readable record in '.*'[^\n]*\nNot a readable record: .*cut\.json"):
        select([tmp_path])
    with pytest.raises(FolderError, match="missing"):
        select([tmp_path / "missing"])
