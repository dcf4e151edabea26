import csv

import pytest

from results.frame import frame
from results.reference import FOLDER, TABLES, UnknownReferenceError, environment, records
from results.reference.hardware import matches, thermal_design_power


@pytest.mark.parametrize("name", TABLES)
def test_every_row_is_a_record_with_its_figure_and_source(name):
    found = records(name)
    with (FOLDER / TABLES[name].file).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [record.images_per_second for record in found] == [
        float(row["images_per_sec"]) if row["images_per_sec"] else None for row in rows
    ]
    assert {record.valid for record, row in zip(found, rows, strict=True) if not row["images_per_sec"]} <= {False}
    assert all(record.provenance["document"] and record.provenance["platform"] for record in found)
    assert list(frame(found)["accelerator"]) == [row["accelerator"] for row in rows]


def test_ids_stay_and_differ():
    ids = [record.record_id for name in TABLES for record in records(name)]
    assert len(set(ids)) == len(ids) == 1106
    assert [record.record_id for record in records("tf2017")] == ids[:209]


def test_nothing_is_invented():
    first = records("tf2017")[0]
    assert first.configuration == {
        "model": "inception3",
        "device": "gpu",
        "batch_size": 64,
        "data_source": "synthetic",
        "precision": "fp32",
        "optimizer": "sgd",
        "variable_update": "parameter_server",
        "local_parameter_device": "cpu",
    }
    assert (first.started_at, first.environment, first.measurement) == ("", {}, None)
    assert first.dataset == {"name": "imagenet", "synthetic": True}


def test_a_row_without_a_figure_says_why():
    missing = [record.problems for record in records("tf2017") if not record.valid]
    assert ("no figure: N/A in the source: maxed out the input pipeline",) in missing
    assert len(missing) == 2


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(
        UnknownReferenceError, match=r"^Unknown reference 'tf2018'\. Did you mean 'tf2017'\? There are: "
    ):
        records("tf2018")


def test_the_machines_of_2017_are_told():
    told = {(row["platform"], row["key"]): row["value"] for row in environment("tf2017")}
    assert told["NVIDIA DGX-1", "CUDA / cuDNN"] == "8.0 / 5.1"
    assert environment("lambda_tf") == []


@pytest.mark.parametrize(
    ("name", "accelerator", "meant"),
    [
        ("P100", "Tesla P100-SXM2-16GB", True),
        ("A100-40GB", "NVIDIA A100-SXM4-40GB", True),
        ("k80", "K80", True),
        ("H10", "NVIDIA H100 PCIe", False),
        ("V100", "A100-SXM4-40GB", False),
        ("", "K80", False),
    ],
)
def test_a_name_means_an_accelerator_that_has_all_its_words(name, accelerator, meant):
    assert matches(name, accelerator) is meant


@pytest.mark.parametrize(
    ("accelerator", "power"),
    [
        ("P100-SXM2-16GB", (300.0, "TDP")),
        ("Tesla K80", (150.0, "half of the board's TDP")),
        ("NVIDIA H100 80GB HBM3", (700.0, "TDP")),
        ("Testium 9000", None),
    ],
)
def test_power_is_the_vendors_and_says_so(accelerator, power):
    assert thermal_design_power(accelerator) == power
