"""Of every case of every claim: an effect that is planted is found, and where nothing differs, that is said."""

import re

import pytest

from benchmarks.studies.claims.budget import Budget
from benchmarks.studies.claims.catalogue import CLAIMS
from benchmarks.studies.claims.claim import Case
from benchmarks.studies.claims.command import measure, plan
from benchmarks.studies.claims.effect import CONFIRMED, CONTRADICTED, LARGER, MEASURED, NO_DIFFERENCE
from benchmarks.studies.claims.writing import text
from tests.studies.claims.planted import ADVISED, measurements, said, two_cores, two_h100

MACHINES = {"2 cores": two_cores, "2 H100": two_h100}
# What the two ways of a study may say differently: its subject.
SUBJECTS = {
    "input_bound": {"model", "num_batches"},
    "input_method": {"input_method", "way"},
    "preprocess_device": {"preprocess_device"},
    "file_size": {"input_method", "data_dir", "way"},
    "data_format": {"data_format", "mkl"},
    "fused_batch_norm": {"fused_batch_norm"},
    "xla": {"xla_compile"},
    "precision": {"precision"},
    "variable_update": {"variable_update", "local_parameter_device", "all_reduce_spec"},
    "threads": {"mkl", "num_intra_threads", "num_inter_threads", "kmp_blocktime", "kmp_affinity", "kmp_settings"},
    "placement": {"way"},
    "constant_reuse": {"way"},
    "steps_per_loop": {"steps_per_loop"},
}


@pytest.fixture(params=MACHINES)
def machine(request, tmp_path):
    return MACHINES[request.param](tmp_path)


def outcomes(claim, machine, gain):
    """What a claim's cases come to where the advised way is `gain` times as good, and what is told of it."""
    found = {}
    for number, case in enumerate(case for case in claim.cases(machine) if isinstance(case, Case)):
        story = plan([claim], machine, [case.name])
        (progress,) = story.cases
        # Only the figures are planted: what a study reads in the records of its runs has tests of its own.
        object.__setattr__(progress.case, "reasons", lambda _advised, _other: ())
        # What a way says that it does makes its figure, not on which side it stands: a way on the wrong side is found.
        run = measurements(progress.case, gain, number, ADVISED[claim.name])
        measure(story, run, pairs=5, budget=Budget())
        found[case.name] = (progress.case, progress.finding.judgment, text(story))
    return found


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_what_is_planted_is_found(claim, machine):
    for case, judgment, told in outcomes(claim, machine, 1.5).values():
        promise = case.promise
        larger = promise.most is not None and promise.most < 1.4
        expected = MEASURED if promise.either else LARGER if larger else CONFIRMED
        assert judgment.outcome == expected
        times = re.match(f"'{re.escape(case.advised.name)}' is ([0-9.]+) times ", judgment.words)
        assert float(times[1]) == pytest.approx(1.5, rel=0.03)
        assert expected in told


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_the_opposite_contradicts(claim, machine):
    for case, judgment, _ in outcomes(claim, machine, 0.7).values():
        assert judgment.outcome == (MEASURED if case.promise.either else CONTRADICTED)
        assert judgment.words.startswith(f"'{case.other.name}' is 1.4")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_where_nothing_differs_that_is_said(claim, machine):
    for case, judgment, told in outcomes(claim, machine, 1.0).values():
        promise = case.promise
        same = MEASURED if promise.either else CONFIRMED if promise.not_worse else NO_DIFFERENCE
        assert judgment.outcome == same
        assert "no difference larger than 5%" in judgment.words
        assert "no difference larger than 5%" in told.replace("\n  ", " ")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_the_ways_of_a_case_differ_in_what_its_study_is_about_alone(claim, machine):
    for case in claim.cases(machine):
        if isinstance(case, Case):
            advised, other = (said(way) for way in (case.advised, case.other))
            differing = {name for name in {*advised, *other} - {"asked"} if advised.get(name) != other.get(name)}
            assert differing, case.name
            assert differing <= SUBJECTS[claim.name], case.name


def test_every_claim_has_a_case_or_says_what_is_lacking(machine):
    for claim in CLAIMS:
        cases = claim.cases(machine)
        assert cases
        names = [case.name for case in cases]
        assert len(set(names)) == len(names)
