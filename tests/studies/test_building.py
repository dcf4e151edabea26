from benchmarks.errors import ExitCode
from benchmarks.studies.building import TOWERS, Built, build, main, table
from tests.studies.runs import rows


def test_growth_is_that_of_the_time_per_tower():
    results = [
        Built("replicated", towers, seconds) for towers, seconds in zip(TOWERS, (2.0, 4.0, 8.0, 20.0), strict=True)
    ]
    results += [Built("sharded", towers, 10.0 * towers) for towers in TOWERS]
    assert rows(table(results)) == [
        ["replicated", "2.0", "4.0", "8.0", "20.0", "1.25", "<= 60", "met"],
        ["sharded", "10.0", "20.0", "40.0", "80.0", "1.00", "<= 60", "NOT met"],
    ]


def test_a_step_is_built_in_a_process_of_its_own():
    assert 0 < build("sharded", 1, batch=1) < 120


def test_a_strategy_that_is_none_is_named(capsys):
    assert main(["--strategies=replicated,shared"]) == ExitCode.UNUSABLE
    told = capsys.readouterr().err
    assert "--strategies=replicated,shared: there is no 'shared'. Did you mean 'sharded'?" in told
    assert "Traceback" not in told
    assert "towers" not in told, "nothing was begun"
