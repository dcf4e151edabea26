"""Flags of the user's own may not undo what is compared."""

import pytest

from benchmarks.studies.claims import command
from benchmarks.studies.claims.batch_norm import FUSED_BATCH_NORM
from benchmarks.studies.claims.compiling import XLA
from benchmarks.studies.claims.feeding import INPUT_BOUND, INPUT_METHOD, PREPROCESS_DEVICE
from benchmarks.studies.claims.files import FILE_SIZE
from benchmarks.studies.claims.placing import PLACEMENT
from benchmarks.studies.claims.threads import THREADS
from tests.studies.claims.planted import two_cores, two_h100


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--noxla_compile"], r"--noxla_compile after --: 'XLA' and 'no XLA' of xla: vgg16 differ in --xla_compile\."),
        (["--batch_sise=8"], "Did you mean"),
    ],
)
def test_flags_that_would_undo_what_is_compared_are_refused(tmp_path, flags, told):
    story = command.plan([XLA, PLACEMENT], two_cores(tmp_path), ["vgg16", "add_n"])
    command.check_flags(story, [])
    command.check_flags(story, ["--batch_size=8"])
    with pytest.raises(command.UserError, match=told):
        command.check_flags(story, flags)


def test_a_case_whose_runs_cannot_have_the_flags_is_given_up(tmp_path):
    story = command.plan([FUSED_BATCH_NORM, THREADS], two_cores(tmp_path), ["resnet50", "oneDNN"])
    command.check_flags(story, ["--repeats=2"])
    traced, not_traced = story.cases
    assert "--repeats" in traced.failure
    assert not_traced.failure == ""


@pytest.mark.parametrize(
    ("study", "flags", "told"),
    [
        (
            INPUT_METHOD,
            ["--input_method=feed", "--num_batches=100"],
            "input_method: input alone differ in --input_method",
        ),
        (INPUT_METHOD, ["--input_method=dataset"], "differ in --input_method"),
        (INPUT_BOUND, ["--model=resnet20"], "differ in --model"),
        (PREPROCESS_DEVICE, ["--preprocess_device=tower"], "differ in --preprocess_device"),
        (FILE_SIZE, ["--input_method=small_files"], "JPEGs, prepared differ in --input_method"),
    ],
)
def test_flags_that_would_undo_what_is_compared_are_refused_before_the_files_are_made(tmp_path, study, flags, told):
    story = command.plan([study], two_h100(tmp_path))
    command.check_flags(story, ["--batch_size=8", "--num_batches=20"])
    assert [each.failure for each in story.cases] == [""] * len(story.cases)
    with pytest.raises(command.UserError, match=told):
        command.check_flags(story, flags)


def test_files_that_a_flag_names_and_nobody_makes_are_looked_for(tmp_path):
    story = command.plan([INPUT_BOUND], two_cores(tmp_path))
    with pytest.raises(command.UserError, match="is no folder"):
        command.check_flags(story, [f"--data_dir={tmp_path}/none"])
