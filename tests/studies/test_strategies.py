import pytest

from benchmarks.errors import ExitCode
from benchmarks.params import parse
from benchmarks.studies import strategies
from benchmarks.studies.comparison import compare
from benchmarks.studies.strategies import Case, cases, main, table, tower_flags
from tests.studies.runs import fresh_run, in_turn, rows


def test_what_is_judged_and_by_what():
    bounds = {case.name: case.target and case.target.bound for case in cases(["replicated", "sharded"], [2, 4])}
    assert bounds == {
        "replicated on 2 against one tower": 1.05,
        "replicated on 4 against one tower": 1.0,
        "sharded on 2 against one tower": None,
        "sharded on 4 against one tower": None,
        "replicated on 2 against Keras": 1.2,
        "replicated on 4 against Keras": 1.2,
    }


def test_processes_are_compared_with_processes():
    [case] = cases(["collective_all_reduce"], [2, 4])
    assert (case.towers, case.other, case.target.bound) == (2, "MultiWorkerMirroredStrategy", 1.0)


def test_the_flags_ask_for_towers():
    params = parse(tower_flags("sharded", 4, 60)).params
    assert (params.num_gpus, params.variable_update, params.batch_size) == (4, "sharded", 32)
    assert (params.device, params.model, params.num_batches) == ("cpu", "resnet20", 60)


def test_every_strategy_of_the_study_can_be_chosen():
    for name in strategies.STRATEGIES[: -len(strategies.OVER_PROCESSES)]:
        assert parse(tower_flags(name, 2, 1)).params.variable_update == name


def test_neighbours_are_compared():
    case = Case("replicated", 2, "one tower")
    ours, other = in_turn(fresh_run(110), fresh_run(55), fresh_run(90)), in_turn(*map(fresh_run, (100, 50, 100)))
    result = compare(case, 3, ours, other, on_pair=lambda _: None)
    cells = ["replicated, 2", "one tower", "90.0", "100.0", "1.100 (0.900..1.100)", ">= 1.05", "met"]
    assert rows(table([result])) == [cells]


@pytest.mark.parametrize("flag", ["--strategies=repliacted", "--towers=3", "--towers=two"])
def test_what_is_not_there_is_refused(flag, capsys):
    assert main([flag]) == ExitCode.UNUSABLE
    assert f"error: {flag}: there is no '" in capsys.readouterr().err
