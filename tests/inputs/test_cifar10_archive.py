import gzip
import pickle
import tarfile

import numpy as np
import pytest

from benchmarks.errors import UserError
from benchmarks.inputs import cifar10_archive
from tests.inputs import archives


def test_reads_every_batch(tmp_path):
    archive = cifar10_archive.read(archives.write(tmp_path / "a.tar.gz", archives.pickles()))
    assert sorted(archive.batches) == [*cifar10_archive.TRAIN_BATCHES, cifar10_archive.TEST_BATCH]
    for name, batch in archive.batches.items():
        np.testing.assert_array_equal(batch.images, archives.images_of(name))
        assert batch.labels.tolist() == archives.labels_of(name)
    assert archive.source == "other archive"
    assert archive.md5 == cifar10_archive.checksums(archive.path)[0]


def test_the_published_archive_is_known_by_its_checksum(tmp_path, monkeypatch):
    path = archives.write(tmp_path / "a.tar.gz", archives.pickles())
    monkeypatch.setattr(cifar10_archive, "PUBLISHED_MD5", cifar10_archive.checksums(path)[0])
    assert cifar10_archive.read(path).source == "published archive"


def test_one_batch_of_a_sample_makes_the_archive_a_sample(tmp_path):
    batch = pickle.dumps(archives.batch("data_batch_3", batch_label=b"sample of something"), 2)
    path = archives.write(tmp_path / "cifar-10-python.tar.gz", archives.pickles(data_batch_3=batch))
    assert cifar10_archive.read(path).source == "sample"


def test_other_files_in_the_archive_are_passed_over(tmp_path):
    extra = archives.info_of("cifar-10-batches-py/readme.html", b"hello")
    path = archives.write(tmp_path / "a.tar.gz", archives.pickles(), (extra, b"hello"))
    assert len(cifar10_archive.read(path).batches) == 6


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (archives.info_of("../evil"), "'../evil' which lies outside"),
        (archives.info_of("cifar-10-batches-py/../../evil"), "which lies outside"),
        (archives.info_of("/tmp/evil"), "'/tmp/evil' which lies outside"),
        (archives.info_of("cifar-10-batches-py/data_batch_1", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "a link"),
        (archives.info_of("cifar-10-batches-py/data_batch_1", type=tarfile.LNKTYPE, linkname="x"), "a link"),
        (archives.info_of("cifar-10-batches-py/null", type=tarfile.CHRTYPE), "a link or a device"),
    ],
)
def test_hostile_members_are_refused(tmp_path, member, reason):
    path = archives.write(tmp_path / "a.tar.gz", archives.pickles(), member)
    with pytest.raises(UserError, match=f"Refused the archive {path}: .*{reason}"):
        cifar10_archive.read(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_huge_claimed_size_is_refused_before_it_is_read(tmp_path):
    with pytest.raises(UserError, match="of 8,589,934,592 bytes, where a batch has at most"):
        cifar10_archive.read(archives.write_huge_claim(tmp_path / "a.tar.gz"))


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10_archive, "_TOTAL_LIMIT", 20_000)
    path = archives.write(tmp_path / "a.tar.gz", archives.pickles())
    with pytest.raises(UserError, match="unpacks to more than 20,000 bytes"):
        cifar10_archive.read(path)


def test_two_members_of_one_name_are_refused(tmp_path):
    twin = archives.info_of("cifar-10-batches-py/data_batch_1", b"x")
    with pytest.raises(UserError, match="two files of the name cifar-10-batches-py/data_batch_1"):
        cifar10_archive.read(archives.write(tmp_path / "a.tar.gz", archives.pickles(), (twin, b"x")))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: b"not a gzip", "Not a gzipped file"),
        (lambda _: b"", "empty"),
        (lambda data: data[: len(data) // 2], "end-of-stream|unexpected end"),
        (lambda data: gzip.compress(gzip.decompress(data)[:5000]), "unexpected end"),
        (lambda _: gzip.compress(b"text" * 1000), "header"),
        (lambda data: data[:5000] + b"\0" * 500 + data[5500:], "Error -3|CRC"),
        (lambda data: data[:-8] + b"\0" * 8, "CRC"),
    ],
    ids=["not gzip", "empty", "truncated gzip", "truncated tar", "not tar", "corrupt", "wrong checksum"],
)
def test_a_damaged_archive_is_refused(tmp_path, damage, reason):
    path = archives.write(tmp_path / "a.tar.gz", archives.pickles())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=rf"(?s)Cannot read the archive {path}: .*({reason}).* Give cifar-10-python"):
        cifar10_archive.read(path)


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(UserError, match=r"--archive=.*none.tar.gz: there is no such file"):
        cifar10_archive.read(tmp_path / "none.tar.gz")


def test_a_missing_batch_is_named(tmp_path):
    path = archives.write(tmp_path / "a.tar.gz", archives.pickles(data_batch_4=None))
    with pytest.raises(UserError, match=r"has no cifar-10-batches-py/data_batch_4\. Give"):
        cifar10_archive.read(path)


def test_another_data_set_is_told_by_its_files(tmp_path):
    path = archives.write(tmp_path / "cifar-100-python.tar.gz", {"train": b"", "test": b""})
    with pytest.raises(UserError, match=r"is not the CIFAR-10 archive: .*data_batch_1, nor 6 more of the 7 files"):
        cifar10_archive.read(path)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"data": archives.images_of("a")[:, :3000]}, r"uint8 \[n, 3072\], is uint8 \[3, 3000\]"),
        ({"data": archives.images_of("a").ravel()}, r"is uint8 \[9216\]"),
        ({"data": b"pixels"}, "is bytes"),
        ({"data": None}, "is NoneType"),
        ({"data": archives.images_of("a")[:2]}, "has 2 images and 3 labels"),
        ({"labels": [0, 10, 1]}, "label 10 for image 1: labels of CIFAR-10 are 0 to 9"),
        ({"labels": [0, 1, -1]}, "label -1 for image 2"),
        ({"labels": [0, 1, "2"]}, "list of integers"),
        ({"labels": None}, "list of integers"),
        ({"labels": []}, "has 3 images and 0 labels"),
    ],
)
def test_a_wrong_batch_is_refused(tmp_path, changed, reason):
    wrong = pickle.dumps(archives.batch("data_batch_2", **changed), 2)
    path = archives.write(tmp_path / "a.tar.gz", archives.pickles(data_batch_2=wrong))
    with pytest.raises(UserError, match=f"data_batch_2 in the archive.*({reason})"):
        cifar10_archive.read(path)
