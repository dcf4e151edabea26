import numpy as np

from benchmarks.inputs import cifar10_archive, cifar10_sample


def test_the_same_seed_gives_the_same_images(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        cifar10_sample.write(tmp_path / name, seed=seed, examples_per_batch=10)
    first, again, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again
    assert first != other


def test_every_class_occurs_equally_often(tmp_path):
    cifar10_sample.write(tmp_path / "a.tar.gz")
    archive = cifar10_archive.read(tmp_path / "a.tar.gz")
    assert archive.source == "sample"
    for batch in archive.batches.values():
        assert np.bincount(batch.labels).tolist() == [40] * 10


def test_a_linear_classifier_learns_the_classes():
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 600)
    pixels = cifar10_sample.images_of(labels, random).astype(np.float32) / 255
    features = np.hstack([pixels.reshape(600, 3, 1024).mean(2), np.ones((600, 1))])  # the colours alone
    weights = np.linalg.lstsq(features[:400], np.eye(10)[labels[:400]], rcond=None)[0]
    assert np.mean(np.argmax(features[400:] @ weights, axis=1) == labels[400:]) > 0.5
