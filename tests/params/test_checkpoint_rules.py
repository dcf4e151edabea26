"""What checkpoints and their evaluation need, and what they exclude."""

import pytest

from benchmarks.params import Params, notices, validate
from tests.params.conftest import WORKER


@pytest.fixture
def trained(tmp_path):
    """A folder that has a checkpoint, as far as flags are checked against it."""
    folder = tmp_path / "trained"
    folder.mkdir()
    (folder / "checkpoint").touch()
    return {"train_dir": str(folder)}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        (
            {"save_model_secs": 60, "save_model_steps": 10},
            "--save_model_secs=60 and --save_model_steps=10 both say when to save: give one of them.",
        ),
        ({"forward_only": True}, "--train_dir and --forward_only: nothing is trained that could be saved."),
        ({"repeats": 2}, "--train_dir={train_dir} with --repeats=2: every run after the first would find its training"),
        (WORKER, "--train_dir={train_dir} with several processes: only a run of one process writes or reads"),
    ],
)
def test_what_training_with_checkpoints_excludes(trained, params, problem):
    assert validate(Params(**trained)) == []
    (found,) = validate(Params(**trained, **params))
    assert found.startswith(problem.format(**trained))


@pytest.mark.parametrize("name", ["train_dir", "eval_dir"])
def test_a_folder_that_cannot_be_written_is_an_error_at_once(data, trained, tmp_path, name):
    (tmp_path / "file").touch()
    evaluating = {"eval": True, **data, **trained} if name == "eval_dir" else {}
    (found,) = validate(Params(**evaluating | {name: str(tmp_path / "file" / "in_it")}))
    assert (
        found == f"--{name}={tmp_path}/file/in_it: {tmp_path}/file is not a folder. Give a folder that can be written."
    )


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"forward_only": True}, "--eval and --forward_only: that measures the forward pass without checkpoints."),
        ({"input_only": True}, "--eval and --input_only: that measures no model."),
        ({"diagnose": True}, "--eval and --diagnose: the experiment is about a training step."),
        ({"deterministic": True}, "--eval and --deterministic: nothing is trained."),
        ({"target_precision": 0.1}, "--eval and --target_precision: every image is seen once."),
        ({"eval_during_training_every_n_steps": 1}, "--eval and --eval_during_training_every_n_steps: nothing is"),
        (WORKER, "trained with several processes: only a run of one process writes or reads checkpoints."),
    ],
)
def test_what_evaluation_of_checkpoints_excludes(data, trained, params, problem):
    assert validate(Params(eval=True, **data, **trained)) == []
    (found,) = validate(Params(eval=True, **data, **trained, **params))
    assert problem in found


def test_evaluation_needs_a_training_and_images(data, tmp_path):
    folders, images = validate(Params(eval=True))
    assert folders.startswith("--eval without --train_dir, whose checkpoints it evaluates")
    assert images.startswith("--eval without --data_dir: synthetic images tell nothing of what was learned.")
    (found,) = validate(Params(eval=True, train_dir=str(tmp_path), **data))
    assert found.startswith(f"--eval: Checkpoint not found in {tmp_path}. Give the --train_dir of a training")
    assert validate(Params(eval=True, train_dir=str(tmp_path), eval_interval_secs=5, **data)) == []


def test_without_a_folder_nothing_is_saved_and_without_eval_nothing_evaluated(data, trained):
    def warned(**options):
        return [notice.flag for notice in notices(Params(**options), options)]

    assert warned(save_model_steps=5) == ["save_model_steps"]
    assert warned(**trained, save_model_steps=5, max_ckpts_to_keep=2) == []
    assert warned(eval_dir="x", eval_interval_secs=1) == ["eval_dir", "eval_interval_secs"]
    assert warned(eval=True, **data, **trained, eval_dir="x", eval_interval_secs=1, eval_batch_size=5) == []
    assert warned(eval=True, **data, **trained, save_model_steps=5) == ["save_model_steps"]
