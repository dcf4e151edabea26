import pytest

from results.frame import frame
from results.record import RecordError, Reported, RunRecord
from results.reported import ReportedRow
from tests.results.records import record


def imported(**changes):
    facts = {
        "measurement": None,
        "started_at": "",
        "finished_at": "",
        "hardware": {"gpus": [{"name": "K80"}]},
        "settings": {"device": "gpu"},
        "reported": Reported(images_per_second=52.0, num_towers=1, batch_size=64, rows=(ReportedRow(step=1),)),
        "provenance": {"tool": "tf_cnn_benchmarks", "source": "a page"},
    }
    return record(**(facts | changes))


def test_what_another_program_said_is_kept_word_for_word():
    original = imported()
    again = RunRecord.from_json(original.to_json())
    assert again == original
    assert again.images_per_second == 52.0


def test_the_frame_has_its_figures_and_its_source():
    row = frame([imported()]).iloc[0]
    assert (row["images_per_second"], row["num_gpus"], row["batch_size"]) == (52.0, 1, 64)
    assert (row["accelerator"], row["source"]) == ("K80", "tf_cnn_benchmarks")
    assert str(row["started_at"]) == "NaT"


def test_only_what_comes_from_elsewhere_may_lack_a_time():
    with pytest.raises(RecordError, match="started_at"):
        imported(provenance={})


@pytest.mark.parametrize("speed", [-1.0, float("nan"), float("inf")])
def test_an_impossible_speed_is_refused(speed):
    with pytest.raises(RecordError, match="images_per_second"):
        Reported(images_per_second=speed)
