import pytest

from tests.inputs import jpegs
from tests.inputs.converted import convert, examples


def without_images(images):
    for path in images.glob("train/*/*"):
        path.unlink()


def more_validation(images):
    jpegs.folder(images, classes=4, images=1, split="validation")


def both_validations(images):
    for split in ("val", "validation"):
        jpegs.folder(images, split=split)


def too_many_classes(images):
    for number in range(998):
        (images / "train" / f"other{number}").mkdir()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (without_images, "no images in .*/train/CLASS/. Expected a folder for each class."),
        (more_validation, "/validation has folders that are not among the classes to train on: n03."),
        (both_validations, "has both validation and val. Leave one of them."),
        (too_many_classes, "/train has 1001 classes, but ImageNet has 1000: labels are 1 to 1000."),
    ],
)
def test_folders_that_cannot_be_converted(tmp_path, capsys, change, problem):
    images = jpegs.folder(tmp_path / "images")
    change(images)
    assert convert(tmp_path / "data", f"--images={images}") == 2
    err = capsys.readouterr().err
    assert problem in err or problem.replace(".*", str(images)) in err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("n00\nn01\nn00\n", "names n00 more than once."),
        ("n00\nn01\n", "has folders that are not among --labels_file=.*: n02."),
        (None, "No such file or directory. Give a text file with one class a line."),
    ],
)
def test_labels_files_that_cannot_be_used(tmp_path, capsys, text, problem):
    labels = tmp_path / "labels"
    if text is not None:
        labels.write_text(text)
    images = jpegs.folder(tmp_path / "images")
    assert convert(tmp_path / "data", f"--images={images}", f"--labels_file={labels}") == 2
    assert problem.replace(".*", str(labels)) in capsys.readouterr().err


def test_images_without_splits_are_to_train_on(tmp_path):
    images = jpegs.folder(tmp_path / "images") / "train"
    assert convert(tmp_path / "data", f"--images={images}") == 0
    assert len(examples(tmp_path / "data")) == 12


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "Give one of --images=FOLDER, to convert your images, and --sample"),
        (["--images=x", "--sample"], "Give one of --images=FOLDER, to convert your images, and --sample"),
        (["--images=nowhere"], "--images=nowhere: no such folder."),
    ],
)
def test_images_are_named_or_generated(tmp_path, capsys, arguments, problem):
    assert convert(tmp_path / "data", *arguments) == 2
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
