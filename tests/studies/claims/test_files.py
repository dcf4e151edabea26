"""Small and large files: the same images in both, and what is told of the cache."""

import errno
import json
import os
import time

import pytest
import tensorflow as tf

from benchmarks.studies.claims import files
from benchmarks.studies.claims.claim import Case, Measured, Missing
from benchmarks.studies.claims.programs import make_files, page_cache, read_files
from tests.studies.claims.planted import two_cores


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("files") / "made"
    make_files.make(made, images=1100, image_bytes=50, shard_bytes=30_000)
    return made


def contents(way, folder):
    paths, dataset = read_files.WAYS[way](folder)
    pairs = [
        (bytes(image), int(label))
        for images, labels in dataset.as_numpy_iterator()
        for image, label in zip(images, labels, strict=True)
    ]
    return len(paths), pairs


def test_small_and_large_files_hold_the_same_images(folder):
    (small, in_small), (large, in_large) = contents("small", folder), contents("large", folder)
    assert (small, large) == (1100, 2)
    assert sorted(in_small) == sorted(in_large)
    assert len({image for image, _ in in_small}) == 1100
    assert in_small != in_large, "small files are read in an order drawn at random"


def test_an_attempt_that_fails_leaves_nothing_that_hides_the_cause_from_the_next(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(make_files, "_example", full)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                make_files.make(tmp_path / "made", images=2, image_bytes=5)
            assert list(tmp_path.iterdir()) == []
    (tmp_path / "made.begun" / "large").mkdir(parents=True)  # by one that was killed
    make_files.make(tmp_path / "made", images=2, image_bytes=5)
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


@pytest.mark.parametrize("cache", ["warm", "cold"])
def test_the_program_tells_what_it_read_and_how_warm_it_was(folder, cache, capsys):
    assert read_files.main([f"--folder={folder}", "--way=small", f"--cache={cache}"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    facts = told["facts"]
    assert facts["files"] == 1100
    assert told["figure"] == pytest.approx(1e6 / facts["microseconds"])
    assert facts["megabytes_per_second"] == pytest.approx(50 * told["figure"] / 1e6)
    assert facts["resident_share"] == 1.0 if cache == "warm" else facts["resident_share"] in (0.0, 1.0)


def test_a_slow_read_is_found(folder):
    """At least what each batch was kept waiting for is measured, on however busy a machine."""
    _, dataset = read_files.large_files(folder)

    def waits(image, label):
        def wait(label):
            time.sleep(0.02)
            return label

        return image, tf.numpy_function(wait, [label], tf.int64)

    found = read_files.read(dataset.map(waits))
    assert (found.images, found.image_bytes) == (1100, 55_000)
    assert found.seconds >= 9 * 0.02


def test_pages_in_memory_are_counted(tmp_path):
    path, empty = tmp_path / "file", tmp_path / "empty"
    path.write_bytes(bytes(8 * os.sysconf("SC_PAGESIZE")))
    empty.touch()
    assert page_cache.resident_share([path, empty]) == 1.0
    assert page_cache.resident_share([empty]) is None
    page_cache.drop([path])
    if page_cache.resident_share([path]):
        pytest.skip("this file system does not let go of files")
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)  # no reading ahead
        os.pread(file.fileno(), 1, 0)
    assert page_cache.resident_share([path]) == 1 / 8


def measured(share, microseconds, of_processor=0.5):
    return Measured(
        1e6 / microseconds,
        {
            "resident_share": share,
            "microseconds": microseconds,
            "processor_microseconds": of_processor * microseconds,
        },
    )


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.0, "By mincore 0% of the bytes or less were in memory before"),
        (0.4, "So the cache was not cold"),
        (None, "How cold the cache was the system does not tell"),
    ],
)
def test_how_cold_the_cache_was_is_told(share, told):
    reasons = files._cost_of_files([measured(share, 10)], [measured(share, 100)], "cold")
    assert reasons[0].startswith("A record took 10 µs (5 of a processor), a file of the same bytes 100 µs (50")
    assert told in " ".join(reasons)
    assert ("not cold" in " ".join(reasons)) == (share == 0.4)


@pytest.mark.parametrize(
    ("of_processor", "told"),
    [
        (0.25, "one thread reads a TFRecord file, and waited for at least 555 µs of each record's 740."),
        (0.9, "one thread reads a TFRecord file, checks the checksum of each record and copies the image out of it."),
        (1.4, "checks the checksum of each record"),  # several threads at once
    ],
)
def test_why_small_files_are_no_slower_follows_from_what_took_the_time(of_processor, told):
    large, small = [measured(0.0, 740, of_processor)], [measured(0.0, 600)]
    assert told in files._cost_of_files(large, small, "cold")[1]
    assert "At this size" not in " ".join(files._cost_of_files(large, [measured(0.0, 1000)], "cold"))


def test_where_files_cannot_leave_the_memory_only_a_warm_cache_is_measured(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fadvise")
    cases = files.FILE_SIZE.cases(two_cores(tmp_path))
    cold = [case for case in cases if "cold" in case.name]
    assert cold
    assert all(isinstance(case, Missing) for case in cold)
    assert all(isinstance(case, Case) for case in cases if case not in cold)
