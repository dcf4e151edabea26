"""The study of where variables live: which ways there are, and what it reads in the records of its runs."""

import dataclasses

import pytest

from benchmarks.advice.rules import GUIDE
from benchmarks.params import parse
from benchmarks.studies.claims.claim import Case, Measured, Missing
from benchmarks.studies.claims.variables import VARIABLE_UPDATE
from tests.results.records import record
from tests.studies.claims.planted import two_cores, two_h100
from variable_mgr.all_reduce_spec import ALGORITHMS, NEED_GPUS


def cases(machine):
    return [case for case in VARIABLE_UPDATE.cases(machine) if isinstance(case, Case)]


def way_of(flags):
    params = parse(flags).params
    return params.variable_update, params.local_parameter_device, params.all_reduce_spec


@pytest.mark.parametrize("machine", [two_cores, two_h100])
def test_every_way_is_a_run_that_the_rules_allow_and_another_than_the_advised(tmp_path, machine):
    for case in cases(machine(tmp_path)):
        assert way_of(case.advised.flags) != way_of(case.other.flags)


def test_each_all_reduce_that_a_cpu_can_make_is_held_against_the_advised_way(tmp_path):
    found = VARIABLE_UPDATE.cases(two_cores(tmp_path))
    held = {way_of(case.other.flags)[2] for case in found if isinstance(case, Case)}
    assert held == {None, *ALGORITHMS} - set(NEED_GPUS)
    assert {case.name for case in found if isinstance(case, Missing)} == {
        "any model: parameter_server/gpu",
        "any model: replicated/nccl",
        "any model: replicated/psgpu",
        "the guide's own cards",
    }


def test_one_tower_has_nothing_to_exchange(tmp_path):
    one = dataclasses.replace(two_cores(tmp_path), cores=1)
    ((name, lacks),) = VARIABLE_UPDATE.cases(one)
    assert (name, lacks) == ("all", "a second core: a tower by itself exchanges nothing")


def run(copies, sent, source="this project: counted", **more):
    """A measurement of a run with so many copies of 4 MB of variables, whose devices send so many bytes a step."""
    rule = {"value": "x", "rule": "CPU towers", "reason": "towers share memory", "source": source}
    made = dataclasses.replace(
        record(),
        model={"name": "alexnet", "parameters": 1_000_000},
        cost={"training_flops": 200_000_000},
        exchange={"exchanges": 3, "sent_bytes": {"/cpu:0": 0, "/cpu:1": sent}},
        placement={"variables": {f"/cpu:{each}": {"variables": 9, "bytes": 4_000_000} for each in range(copies)}},
        advice={"variable_update": rule},
        **more,
    )
    return Measured(made.images_per_second, {}, made)


def test_copies_and_bytes_that_differ_are_told(tmp_path):
    (case, *_) = cases(two_cores(tmp_path))
    told = " ".join(case.reasons([run(1, 2_000_000)], [run(2, 6_000_000)]))
    assert 'The rule "CPU towers" advises it: towers share memory. The guide itself advises on K80' in told
    assert "alexnet counts as a model with many variables." in told
    assert "In a step a device sends 2.00 MB ('parameter_server/cpu') and 6.00 MB at most" in told
    assert (
        "All copies together, which are updated in every step, have 4.00 MB ('parameter_server/cpu') and 8.00 MB."
        in told
    )


def test_copies_that_do_not_differ_are_told_too(tmp_path):
    (case, *_) = cases(two_cores(tmp_path))
    told = " ".join(case.reasons([run(2, 2_000_000, source=GUIDE)], [run(2, 2_000_000)]))
    assert "Either way keeps, and updates, 8.00 MB of variables." in told
    assert "Either way a device sends 2.00 MB in a step at most; towers on the CPU share its memory" in told
    assert "The guide itself" not in told


def test_a_way_that_sends_nothing_sends_0_bytes(tmp_path):
    (case, *_) = cases(two_cores(tmp_path))
    told = " ".join(case.reasons([run(1, 0)], [run(2, 6_000_000)]))
    assert "In a step a device sends 0 B ('parameter_server/cpu') and 6.00 MB at most" in told


def test_what_a_link_carries_is_told_as_a_rate(tmp_path):
    (case, *_) = cases(two_h100(tmp_path))
    sides = [[run(1, sent, params={"device": "gpu"})] for sent in (2_000_000, 6_000_000)]  # in steps of 0.128 s
    assert "6.00 MB at most, which is 15.62 MB and 46.88 MB a second." in " ".join(case.reasons(*sides))


def test_records_that_tell_nothing_give_no_reasons(tmp_path):
    (case, *_) = cases(two_cores(tmp_path))
    bare = [Measured(1.0, {}, dataclasses.replace(record(), measurement=None, telemetry={}))]
    assert case.reasons(bare, bare) == []
