import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from results.conditions import conditions
from results.digests import CACHED_FROM, select_digests
from results.frame import frame
from results.selection import select
from results.store import FolderError, write
from tests.results.records import record

ROOT = Path(__file__).resolve().parents[2]
LONG_AGO = 1_000_000_000  # seconds since 1970


@pytest.fixture
def cache_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def runs(tmp_path, cache_home):  # noqa: ARG001  # whoever has runs has a cache of its own
    """Four records and a broken one, all of long ago."""
    folder = tmp_path / "runs"
    for minute in range(4):
        write(record(minute=minute), folder)
    write(record(minute=5, status="failed", message="out of memory", measurement=None), folder)
    (folder / "broken.json").write_text("{")
    for path in folder.iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


def digests(folder):
    return select_digests([folder], cached_from=1)


def cache_file(cache_home):
    [path] = cache_home.rglob("*.json")
    return path


def assert_same_as_records(found, folder):
    records, left_out = select([folder])
    pd.testing.assert_frame_equal(found.frame(), frame(records))
    assert [digest.conditions for digest in found.digests] == [conditions(each) for each in records]
    assert found.left_out == left_out


def test_cold_and_warm_give_what_the_records_give(runs, cache_home, monkeypatch):
    assert_same_as_records(digests(runs), runs)
    assert cache_file(cache_home).stat().st_size > 100
    warm = digests(runs)
    assert_same_as_records(warm, runs)
    monkeypatch.setattr("results.store.read", lambda path: pytest.fail(f"{path} was read again"))
    assert digests(runs) == warm


def test_another_name_of_the_folder_shows_in_the_messages(runs, monkeypatch):
    digests(runs)
    monkeypatch.chdir(runs.parent)
    found = digests("runs")
    assert_same_as_records(found, Path("runs"))
    assert found.digests[0].file.startswith("runs/2026")


def test_a_record_that_changes_comes_or_goes_is_noticed(runs):
    first = digests(runs)
    kept, changed, gone, *_ = sorted(runs.glob("2026*.json"))
    changed.write_text(changed.read_text().replace('"window_seconds": 1.28', '"window_seconds": 2.56'))
    gone.unlink()
    new = write(record(minute=30), runs)
    found = digests(runs)
    assert_same_as_records(found, runs)
    assert len(found.digests) == len(first.digests)
    speeds = dict(zip((Path(each.file) for each in found.digests), found.frame()["images_per_second"], strict=True))
    assert (speeds[kept], speeds[changed], speeds[new]) == (500.0, 250.0, 500.0)
    assert gone not in speeds


def test_a_file_that_may_yet_change_within_its_stamp_is_not_remembered(runs):
    path = write(record(minute=40), runs)
    now = time.time_ns() + 600_000_000_000  # however long this takes: what is written now has this time
    os.utime(path, ns=(now, now))
    digests(runs)
    path.write_text(path.read_text().replace('"window_seconds": 1.28', '"window_seconds": 2.56'))
    os.utime(path, ns=(now, now))  # a clock too coarse to tell
    assert_same_as_records(digests(runs), runs)


def flip(data):
    middle = data.index(b"500.0")
    return data[:middle] + b"900.0" + data[middle + 5 :]


@pytest.mark.parametrize(
    "spoil",
    [flip, lambda data: data[: len(data) // 2], lambda _: b"", lambda _: b"\n", lambda _: b"\xff" * 10_000],
    ids=["changed", "cut", "empty", "blank", "noise"],
)
def test_a_corrupt_cache_is_made_anew(runs, cache_home, spoil):
    digests(runs)
    path = cache_file(cache_home)
    good = path.read_bytes()
    path.write_bytes(spoil(good))
    assert_same_as_records(digests(runs), runs)
    assert path.read_bytes() == good


def test_a_cache_of_another_release_is_made_anew(runs, cache_home, monkeypatch):
    digests(runs)
    before = cache_file(cache_home).read_bytes()
    monkeypatch.setattr("results.cache._fingerprint", lambda: "another")
    assert_same_as_records(digests(runs), runs)
    after = cache_file(cache_home).read_bytes()
    assert after.startswith(before[:64] + b" another\n")


def test_without_a_place_for_caches_everything_is_read(runs, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", Path("/proc")):
        monkeypatch.setenv("XDG_CACHE_HOME", str(place))
        assert_same_as_records(digests(runs), runs)


def test_a_small_folder_has_no_cache(runs, cache_home):
    assert len(list(runs.iterdir())) < CACHED_FROM
    assert_same_as_records(select_digests([runs]), runs)
    assert not cache_home.exists()


def test_the_errors_are_those_of_select(tmp_path):
    with pytest.raises(FolderError, match=f"No readable record in '{tmp_path}'"):
        select_digests([tmp_path])


READ_AGAIN_AND_AGAIN = """
import sys, pathlib
from results.digests import select_digests
folder = pathlib.Path(sys.argv[1])
for number in range(40):
    found = select_digests([folder], cached_from=1)
    assert len(found.digests) == 5, found.left_out
    assert set(found.frame()["images_per_second"].dropna()) == {500.0}
    if number % 4 == int(sys.argv[2]) % 4:
        for path in pathlib.Path(sys.argv[3]).rglob("*.json"):
            path.unlink(missing_ok=True)
"""


def test_readers_and_writers_at_once(runs, cache_home):
    processes = [
        subprocess.Popen([sys.executable, "-c", READ_AGAIN_AND_AGAIN, runs, str(number), cache_home], cwd=ROOT)
        for number in range(4)
    ]
    assert [process.wait(timeout=300) for process in processes] == [0] * 4
    assert_same_as_records(digests(runs), runs)
    assert [path.suffix for path in cache_home.rglob("*") if path.is_file()] == [".json"]
