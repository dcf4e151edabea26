from benchmarks.errors import ExitCode
from benchmarks.studies import real_input
from benchmarks.studies.comparison import compare, window_speed
from benchmarks.studies.real_input import VARIANTS, table
from tests.studies.runs import fresh_run, in_turn, rows


def windows(*speeds):
    """Runs whose median step is the same and whose windows are not."""
    return in_turn(*(fresh_run(1000, window_images_per_second=speed) for speed in speeds))


def test_whole_windows_are_compared():
    real, synthetic = windows(96.0, 45.0, 98.0), windows(100.0, 50.0, 100.0)
    result = compare(VARIANTS[0], 3, real, synthetic, speed=window_speed, on_pair=lambda _: None)
    assert rows(table([result])) == [["as stored", "96.0", "100.0", "0.960 (0.900..0.980)", ">= 0.95", "met"]]


def test_a_folder_that_is_not_there_comes_with_the_way_to_make_it(tmp_path, capsys):
    assert real_input.main([f"--data_dir={tmp_path / 'none'}"]) == ExitCode.UNUSABLE
    assert "python -m benchmarks.inputs.cifar10 --data_dir=" in capsys.readouterr().err
