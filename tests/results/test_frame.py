import math

import pandas as pd

from results.conditions import conditions
from results.frame import COLUMNS, accelerator, frame
from tests.results.records import measurement, record


def test_a_row_holds_the_facts_of_its_record():
    gpus = [{"name": "Tesla P100"}, {"name": "Tesla P100"}, {"name": "Tesla K80"}]
    made = record(hardware={"cpu": {"model": "Testium"}, "gpus": gpus}, problems=("hot", "slow"), message="stopped")
    row = frame([made]).iloc[0]
    assert row["record_id"] == made.record_id
    assert row["started_at"] == pd.Timestamp("2026-01-31T12:00:00Z")
    assert row["problems"] == "stopped; hot; slow"
    assert (row["model"], row["dataset"], row["device"], row["xla"]) == ("resnet20", "cifar10 (sample)", "cpu", "off")
    assert (row["num_gpus"], row["batch_size"], row["num_batches"]) == (2, 32, 10)
    assert (row["images_per_second"], row["median_step_seconds"], row["jitter"]) == (500.0, 0.125, 0.0)
    assert (row["first_step_seconds"], row["time_to_first_step_seconds"]) == (5.0, 9.5)
    assert (row["cpu"], row["gpu"], row["tensorflow"]) == ("Testium", "Tesla P100 + Tesla K80", "2.21.0")
    assert row["configuration_key"] == made.configuration_key


def test_the_accelerator_is_that_of_the_run_and_not_all_of_the_machine():
    gpus = [{"index": 0, "name": "V100", "power_limit_watts": 250.0}, {"index": 1, "name": "K80"}]
    of_first, of_other, not_told, odd = (
        record(settings={"device": "gpu"}, hardware={"gpus": gpus} | told)
        for told in ({"gpus_of_run": [0]}, {"gpus_of_run": [1]}, {}, {"gpus_of_run": "0"})
    )
    assert [accelerator(each) for each in (of_first, of_other, not_told, odd)] == ["V100", "K80", *["V100 + K80"] * 2]
    assert [conditions(each).get("power_limit") for each in (of_first, of_other)] == ["250 W", None]


def test_a_run_that_ended_before_anything_was_known_has_a_row():
    early = record(status="failed", configuration={}, hardware={}, environment={}, dataset={}, model={},
                   measurement=None, params={"model": "vgg16", "num_gpus": 4, "batch_size": None})  # fmt: skip
    row = frame([early]).iloc[0]
    assert (row["model"], row["dataset"], row["num_gpus"], row["cpu"]) == ("vgg16", "", 4, "")
    assert math.isnan(row["images_per_second"])
    assert pd.isna(row["batch_size"])
    assert pd.isna(row["num_batches"])
    assert not row["valid"]


def test_sections_of_another_shape_do_no_harm():
    odd = record(
        hardware={"cpu": "a string", "gpus": {"name": 1}}, dataset={"name": ["x"]}, environment={"packages": 3}
    )
    assert frame([odd]).iloc[0]["cpu"] == ""


def test_columns_and_types_do_not_depend_on_the_records():
    none, one = frame([]), frame([record(measurement=measurement(step_seconds=()))])
    assert list(none.columns) == list(one.columns) == list(COLUMNS)
    assert (none.dtypes == one.dtypes).all()


def test_operations_a_second_and_their_share_of_a_peak():
    cost = {"flops_per_second": 2e9, "peaks": {"convolution": {"flops_per_second": 8e9}}}
    row = frame([record(cost=cost)]).iloc[0]
    assert (row["flops_per_second"], row["share_of_convolution"]) == (2e9, 0.25)
    assert math.isnan(row["share_of_matrix_product"])


def test_the_speed_of_the_input_alone_stands_with_another_data_set():
    row = frame([record(settings={"input_only": True})]).iloc[0]
    assert row["dataset"] == "cifar10 (sample, input only)"
