import pytest

from benchmarks.params import Params, validate

EVEN = {"num_batches": 20, "num_warmup_batches": 10, "steps_per_loop": 10}


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"forward_only": True}, "--forward_only: only steps of training"),
        ({"trace_file": "trace.json", "trace_steps": "1"}, "--trace_file: it looks at steps by themselves"),
        ({"target_precision": 0.01}, "--target_precision: it looks at steps by themselves"),
        ({"diagnose": True}, "--diagnose: it makes steps of its own"),
        ({"train_dir": "trained"}, "--train_dir: a checkpoint is written between two steps"),
        ({"input_method": "feed", "data_dir": "data"}, "--input_method=feed: within a call nothing can be fed"),
        ({"variable_update": "horovod"}, "several processes: they wait for each other"),
        ({"eval_during_training_every_n_steps": 5, "data_dir": "data"}, "--eval_during_training_every_n_steps=5: an"),
    ],
)
def test_what_is_done_between_two_steps_excludes_a_loop_of_them(params, reason):
    problems = validate(Params(**EVEN, data_name="cifar10", **params))
    assert any(each.startswith(f"--steps_per_loop=10 with {reason}") for each in problems), problems
    alone = validate(Params(**EVEN | {"steps_per_loop": 1}, data_name="cifar10", **params))
    assert not any("steps_per_loop" in each for each in alone)


def test_the_steps_fill_whole_calls():
    assert validate(Params(**EVEN)) == []
    wrong = validate(Params(steps_per_loop=8, num_batches=20))
    assert [each.rsplit(" ", 1)[-1] for each in wrong] == ["--num_batches=24.", "--num_warmup_batches=16."]
