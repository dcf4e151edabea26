import json
from argparse import Namespace

import pytest
import tensorflow as tf

from benchmarks.errors import ExitCode, UserError
from benchmarks.inputs import cifar10
from benchmarks.studies import input_side, input_speed
from benchmarks.studies.comparison import Comparison, window_speed
from benchmarks.studies.input_speed import Case, enlarge, main, side, table
from benchmarks.studies.pairs import Target
from tests.inputs import jpegs
from tests.studies.runs import fresh_run, rows


@pytest.fixture(scope="module")
def cifar10_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.prepare(folder, sample=True)
    return folder


@pytest.fixture
def imagenet_dir(tmp_path):
    images = [jpegs.encoded(jpegs.pixels_of(number, 60, 90)) for number in range(8)]
    jpegs.write_shards(tmp_path, [jpegs.record(image, boxes=[(0.1, 0.1, 0.9, 0.9)]) for image in images])
    return tmp_path


def records_of(path):
    return [record.numpy() for record in tf.data.TFRecordDataset(str(path))]


def result(*pairs, **case):
    return Comparison(Case("one", [], [], **case), pairs, window_speed)


def of(speed, memory):
    return fresh_run(1.0, peak_mib=memory, window_images_per_second=speed)


def test_speed_and_memory_are_judged():
    fast = result((of(120, 500), of(100, 400)), (of(150, 400), of(100, 400)), (of(130, 480), of(100, 400)))
    slow = result((of(90, 460), of(100, 400)), target=Target(0.95), memory=Target(1.1, at_most=True))
    information = "for information"
    assert rows(table([fast, slow])) == [
        ["one", "130.0", "100.0", "1.300 (1.200..1.500)", "none", information, "500, 400", "1.20", "none", information],
        ["one", "90.0", "100.0", "0.900 (0.900..0.900)", ">= 0.95", "NOT met", "460, 400", "1.15", "<= 1.1", "NOT met"],
    ]


def test_cases_are_chosen_by_name(capsys):
    assert main(["--cases=cifar10,imagnet"]) == 2
    assert "error: --cases=cifar10,imagnet: there is no 'imagnet'. Did you mean 'imagenet" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [[], ["--cifar10_dir=nowhere"]])
def test_a_set_that_is_not_there_comes_with_the_way_to_make_it(flags, capsys):
    assert input_speed.main(["--cases=cifar10", *flags]) == ExitCode.UNUSABLE
    assert "python -m benchmarks.inputs.cifar10 --data_dir=" in capsys.readouterr().err


def test_a_larger_set_has_the_records_several_times(cifar10_dir, imagenet_dir, tmp_path):
    enlarge(cifar10_dir, tmp_path / "cifar10", "cifar10", 3)
    assert records_of(tmp_path / "cifar10/train.tfrecords") == 3 * records_of(cifar10_dir / "train.tfrecords")
    enlarge(imagenet_dir, tmp_path / "larger", "imagenet", 2)
    names = sorted(path.name for path in (tmp_path / "larger").iterdir())
    assert names == ["train-00000-of-00002", "train-00001-of-00002"]
    assert all(len(records_of(tmp_path / "larger" / name)) == 8 for name in names)


def test_the_smaller_set_fills_the_buffers_too(cifar10_dir, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    options = Namespace(cifar10_dir=cifar10_dir, imagenet_dir=None, batch_size=8)
    with pytest.raises(UserError, match="--imagenet_dir=: it has to be given"):
        input_speed._memory(options, place)
    one = (cifar10_dir / "train.tfrecords").stat().st_size
    assert (place / "cifar10_small/train.tfrecords").stat().st_size == 32 * one  # of 1600 records, for 50,000
    assert (place / "cifar10_large/train.tfrecords").stat().st_size == 320 * one


@pytest.mark.parametrize("name", ["cifar10", "plain_cifar10"])
def test_a_side_runs_in_a_process_of_its_own(name, cifar10_dir):
    run = side([name, f"--data_dir={cifar10_dir}", "--batch_size=16", "--processors=1"], 0.1)
    assert run.window_images_per_second > 0
    assert run.first_step_at_seconds > 0
    assert run.peak_mib > 100


@pytest.mark.parametrize("name", ["imagenet", "imagenet_middle", "bare_middle", "imagenet_random", "bare_random"])
def test_sides_of_imagenet_make_the_same_batches(name, imagenet_dir):
    options = input_side._parser().parse_args([name, f"--data_dir={imagenet_dir}", "--batch_size=4"])
    images, labels = next(iter(input_side._PIPELINES[name](options)))
    assert images.shape == (4, 224, 224, 3)
    assert images.dtype == tf.float32
    assert labels.shape == (4,)


def test_the_plain_loop_converts_to_the_same_records(cifar10_dir, tmp_path):
    (archive,) = cifar10_dir.glob("*.tar.gz")
    assert input_side._plain_conversion(archive, tmp_path) == 6 * 400
    for file in ("train.tfrecords", "validation.tfrecords", "eval.tfrecords"):
        plain = [tf.train.Example.FromString(record) for record in records_of(tmp_path / file)]
        ours = [tf.train.Example.FromString(record) for record in records_of(cifar10_dir / file)]
        assert plain == ours


def test_a_conversion_is_measured_and_leaves_nothing(cifar10_dir, tmp_path, capsys):
    (archive,) = cifar10_dir.glob("*.tar.gz")
    words = ["convert", f"--data_dir={archive}", f"--output_dir={tmp_path}", "--seconds=0.01"]
    assert input_side.main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["images_per_second"] > 0
    assert list(tmp_path.iterdir()) == []
