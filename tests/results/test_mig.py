"""Parts of GPUs (MIG) are other hardware than whole ones."""

import pytest

from results.comparison.facts import admit
from results.comparison.matching import match
from results.conditions import conditions
from results.frame import facts
from results.reference.hardware import matches
from tests.results.records import record

NAME, ONE, TWO = "NVIDIA H200", "NVIDIA H200 MIG 1g.18gb", "NVIDIA H200 MIG 2g.35gb"
WHOLE = {"name": NAME, "uuid": "GPU-aaa", "mig": False}
SPLIT = {
    "name": NAME,
    "uuid": "GPU-bbb",
    "mig": True,
    "mig_parts": [{"name": ONE, "uuid": "MIG-111"}, {"name": TWO, "uuid": "MIG-222"}],
}


def on(*gpus, visible=None, device="gpu", **changes):
    variables = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    hardware = {"gpus": list(gpus), "cpu": {"model": "c"}}
    return record(settings={"device": device}, hardware=hardware, environment={"variables": variables}, **changes)


@pytest.mark.parametrize(
    ("gpus", "visible", "accelerator"),
    [
        ((WHOLE,), None, NAME),
        (({"name": NAME},), None, NAME),  # as in old records
        ((SPLIT,), "MIG-222", TWO),
        ((SPLIT,), "MIG-2", TWO),
        ((SPLIT,), "0", f"{ONE} or {TWO}"),
        ((WHOLE, SPLIT), None, f"{ONE} or {TWO}"),
        ((WHOLE, SPLIT), "MIG-111", ONE),
        ((WHOLE, SPLIT), "GPU-a", NAME),
        ((SPLIT | {"mig_parts": []},), None, "NVIDIA H200 MIG"),
        ((SPLIT | {"mig_parts": [7]}, 7), None, "NVIDIA H200 MIG"),
        ((SPLIT | {"mig_parts": [{"name": None, "uuid": "MIG-111"}]},), "MIG-111", "NVIDIA H200 MIG"),
        (({"name": None, "mig": True, "mig_parts": []},), None, "GPU MIG"),
    ],
)
def test_a_run_s_accelerator_is_the_part_that_it_computed_on(gpus, visible, accelerator):
    found = on(*gpus, visible=visible)
    assert facts(found)["accelerator"] == conditions(found)["accelerator"] == accelerator


def test_a_run_on_the_processor_has_no_part():
    assert facts(on(SPLIT, device="cpu"))["accelerator"] == "c"


def test_parts_of_a_gpu_that_the_run_did_not_use_are_none_of_its():
    hardware = {"gpus": [WHOLE | {"index": 0}, SPLIT | {"index": 1}], "gpus_of_run": [0]}
    assert facts(record(settings={"device": "gpu"}, hardware=hardware))["accelerator"] == NAME


def test_a_part_is_not_compared_with_the_whole():
    whole, part = admit([on(WHOLE)]).runs, admit([on(SPLIT, visible="MIG-111", minute=1)]).runs
    [refused] = match(whole, part).refused
    assert f"GPU differs ({NAME} vs {ONE})" in refused.reason


def test_the_figures_of_a_card_are_not_those_of_its_parts():
    assert matches("A100-SXM4-40GB", "NVIDIA A100-SXM4-40GB")
    assert not matches("A100-SXM4-40GB", "NVIDIA A100-SXM4-40GB MIG 1g.5gb")
