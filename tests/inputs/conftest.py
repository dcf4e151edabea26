import pytest

from benchmarks.inputs import cifar10, imagenet


@pytest.fixture(scope="session")
def sample_dir(tmp_path_factory):
    """The TFRecord files of a sample: 1600 images to train on."""
    folder = tmp_path_factory.mktemp("cifar10") / "sample"
    cifar10.prepare(folder, sample=True)
    return folder


@pytest.fixture(scope="session")
def imagenet_dir(tmp_path_factory):
    """The shards of a sample: 200 images to train on, and the JPEGs that they were made from."""
    folder = tmp_path_factory.mktemp("imagenet") / "sample"
    assert imagenet.main([f"--data_dir={folder}", "--sample"]) == 0
    return folder
