import resource
import subprocess
import sys
from pathlib import Path

import pytest

from results.record import RecordError
from results.store import FolderError, check_folder, load, read, write
from tests.results.records import record


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_write_names_the_file_by_time_model_and_id_and_leaves_nothing_else(tmp_path):
    made = record(minute=5)
    path = write(made, tmp_path / "a" / "runs")
    assert path.name == f"20260131T120500Z-resnet20-{made.record_id[:8]}.json"
    assert names_in(path.parent) == [path.name]
    assert read(path) == made
    assert read(path).file == str(path)


def test_write_never_overwrites(tmp_path):
    first = record(record_id="a" * 32)
    twin = record(record_id="a" * 8 + "b" * 24, message="another")
    paths = [write(first, tmp_path), write(twin, tmp_path)]
    assert [read(path) for path in paths] == [first, twin]
    with pytest.raises(FolderError, match="already holds record " + "a" * 8 + "b" * 24):
        write(twin, tmp_path)
    assert len(names_in(tmp_path)) == 2


@pytest.mark.parametrize("name", ["../../escape", "x" * 500, "", "a\nb\0c"])
def test_a_strange_model_name_makes_an_ordinary_file_name(tmp_path, name):
    path = write(record(model={"name": name}), tmp_path)
    assert path.parent == tmp_path
    assert path.exists()


def bad_folders(tmp_path):
    (tmp_path / "file").write_text("")
    return {
        tmp_path / "file": "File exists",
        tmp_path / "file" / "runs": "Not a directory",
        tmp_path / ("x" * 300): "File name too long",
        "/proc/runs": "No such file or directory",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="the reasons are those of Linux")
def test_a_folder_that_cannot_be_written_is_named_with_the_reason(tmp_path):
    for folder, reason in bad_folders(tmp_path).items():
        for attempt in (check_folder, lambda folder: write(record(), folder)):
            with pytest.raises(FolderError) as caught:
                attempt(folder)
            expected = f"Cannot write into results folder '{folder}': {reason}. Give another with --results_dir."
            assert str(caught.value) == expected


def test_check_folder_creates_it_and_leaves_it_empty(tmp_path):
    check_folder(tmp_path / "a" / "b")
    check_folder(tmp_path / "a" / "b")
    assert names_in(tmp_path / "a" / "b") == []


FULL_DISK = """
import sys
from results.store import FolderError, write
from tests.results.records import record
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    write(record(), sys.argv[1])
except FolderError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system limits no file sizes")
def test_a_disk_that_fails_while_writing_leaves_no_file(tmp_path):
    printed = subprocess.check_output([sys.executable, "-c", FULL_DISK, str(tmp_path)], text=True)
    assert "File too large" in printed
    assert str(tmp_path) in printed
    assert names_in(tmp_path) == []


def test_load_returns_records_by_time_and_names_what_it_cannot_read(tmp_path):
    late, early = record(minute=9), record(minute=1)
    for made in (late, early):
        write(made, tmp_path)
    (tmp_path / "cut.json").write_text(early.to_json()[:100])
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "notes.txt").write_text("no record, and none of ours")
    (tmp_path / ".1234.tmp").write_text("left behind by a killed writer")
    records, unreadable = load(tmp_path)
    assert records == [early, late]
    assert all(isinstance(error, RecordError) for error in unreadable)
    assert [Path(error.file).name for error in unreadable] == ["binary.json", "cut.json", "folder.json"]
    assert "not JSON, or cut short" in str(unreadable[1])


def test_load_of_a_missing_folder_says_so(tmp_path):
    with pytest.raises(FolderError, match=r"Cannot read results folder '.*none': No such file or directory"):
        load(tmp_path / "none")
