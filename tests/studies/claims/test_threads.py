"""The study of threads: the guide's settings as flags, and what its reasons say of settings that nothing heeds."""

import dataclasses

from benchmarks.params import environment_variables, parse
from benchmarks.studies.claims.claim import Case, Measured
from benchmarks.studies.claims.threads import THREADS
from tests.results.records import record
from tests.studies.claims.planted import two_cores, two_h100


def case(machine, name):
    (found,) = [case for case in THREADS.cases(machine) if case.name == name]
    return found


def test_the_advised_way_is_the_guides(tmp_path):
    machine = dataclasses.replace(two_h100(tmp_path), threads_per_core=2)  # of 16 processors
    params = parse(case(machine, "guide against defaults").advised.flags).params
    assert params.device == "cpu"
    assert params.num_inter_threads == 8
    assert environment_variables(params) == {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "KMP_BLOCKTIME": "0",
        "KMP_AFFINITY": "granularity=fine,verbose,compact,1,0",
        "KMP_SETTINGS": "1",
        "OMP_NUM_THREADS": "8",
    }


def test_every_way_is_a_run_that_the_rules_allow(tmp_path):
    for machine in (two_cores(tmp_path), two_h100(tmp_path)):
        for found in THREADS.cases(machine):
            assert isinstance(found, Case)
            assert parse(found.advised.flags).params != parse(found.other.flags).params


def run(intra, openmp=False, onednn=True, **variables):
    ignored = {} if openmp else dict.fromkeys(variables, "this TensorFlow has no OpenMP")
    found = {
        "onednn": onednn,
        "openmp": openmp,
        "intra_threads": {"threads": intra, "by": "the run"},
        "inter_threads": {"threads": 2, "by": "TensorFlow"},
        "ignored_variables": ignored,
        "instruction_sets": {"unused": ["AVX512F", "FMA"]},
    }
    made = dataclasses.replace(
        record(),
        environment={"in_effect": found, "variables": variables},
        hardware={"cpu": {"usable_cores": 2, "physical_cores": 2}},
        telemetry={"host": {"summary": {"processors_of_process": {"mean": 1.9}}}},
    )
    return [Measured(1.0, {}, made)]


def test_settings_that_come_to_the_same_are_told(tmp_path):
    told = " ".join(case(two_cores(tmp_path), "KMP variables").reasons(run(2, KMP_BLOCKTIME="0"), run(2)))
    assert "Both ways come to the same here: 2 thread(s) within and 2 across operations, oneDNN on." in told
    assert "KMP_BLOCKTIME had no effect: this TensorFlow has no OpenMP." in told
    assert "The runs may use 2 cores" in told
    assert "Of 2 cores the runs kept busy 1.9 with 'guide', 1.9 with 'OpenMP's own', so that hardly any was" in told
    assert "not built for AVX512F, FMA" in told


def test_settings_that_are_heeded_are_no_less_than_the_threads(tmp_path):
    advised, other = run(2, openmp=True, KMP_BLOCKTIME="0"), run(2, openmp=True, KMP_BLOCKTIME="200")
    told = " ".join(case(two_cores(tmp_path), "KMP variables").reasons(advised, other))
    assert "oneDNN on, KMP_BLOCKTIME=0 ('guide'), and" in told
    assert "oneDNN on, KMP_BLOCKTIME=200 ('OpenMP's own')." in told
    assert "no effect" not in told


def test_threads_that_differ_are_told(tmp_path):
    told = " ".join(case(two_cores(tmp_path), "oneDNN").reasons(run(2), run(1, onednn=False)))
    assert "In effect were 2 thread(s) within and 2 across operations, oneDNN on ('oneDNN'), and 1 thread(s)" in told
    assert "oneDNN off" in told
