import pytest

from benchmarks.inputs import cifar10


@pytest.fixture(scope="session")
def sample_dir(tmp_path_factory):
    """The TFRecord files of a sample: 1600 images to train on."""
    folder = tmp_path_factory.mktemp("cifar10") / "sample"
    cifar10.prepare(folder, sample=True)
    return folder
