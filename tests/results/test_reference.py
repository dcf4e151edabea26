import pytest

from results import reference
from results.frame import frame


@pytest.mark.parametrize(
    ("name", "rows"), [("tf2017", 209), ("lambda_tf", 456), ("lambda_pytorch", 292), ("nvidia_dle", 149)]
)
def test_every_row_is_a_record_of_its_own(name, rows):
    records = reference.records(name)
    assert len({record.record_id for record in records}) == rows
    assert all(record.status == "completed" and record.provenance["source"] for record in records)


def test_k80_and_p100_of_2017():
    table = frame(reference.records("tf2017"))
    chosen = table[(table["model"] == "resnet50") & (table["num_gpus"] == 1) & (table["dataset"] == "synthetic")]
    speeds = {(row.accelerator, row.batch_size): row.images_per_second for row in chosen.itertuples()}
    assert speeds["P100-SXM2-16GB", 64] == 219
    assert speeds["K80", 64] < 60


def test_nccl_is_a_setting_not_a_strategy():
    found = [record.configuration for record in reference.records("tf2017")]
    assert {settings["variable_update"] for settings in found} == {
        "parameter_server", "replicated", "distributed_replicated",
    }  # fmt: skip
    assert {settings.get("use_nccl") for settings in found} == {None, True, False}


def test_an_unknown_set_is_told_with_the_nearest():
    with pytest.raises(LookupError, match=r"Unknown reference 'tf2016'\. Did you mean 'tf2017'\?"):
        reference.records("tf2016")
