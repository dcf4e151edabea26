import pytest

WORKER = {"job_name": "worker", "ps_hosts": "127.0.0.1:1024", "worker_hosts": "127.0.0.1:1025"}


@pytest.fixture
def data(tmp_path):
    """A folder that has the files of CIFAR-10, as far as flags are checked against them."""
    folder = tmp_path / "cifar10"
    folder.mkdir()
    for name in ("train.tfrecords", "validation.tfrecords", "eval.tfrecords"):
        (folder / name).touch()
    return {"data_dir": str(folder)}
