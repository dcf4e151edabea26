import dataclasses

import pytest

from results.comparison.facts import admit, allowed_fields, described, differences, facts
from results.comparison.matching import match
from tests.results.records import record

GIVE_ONE = "Give records of one of them, as by DIR@WORD with a tag, a set or the cell of a suite."


def runs(*records):
    return admit(records).runs


def on(cpu="Testium 9000", tensorflow="2.21.0", **changes):
    environment = {"packages": {"tensorflow": tensorflow}}
    return record(hardware={"cpu": {"model": cpu}}, environment=environment, **changes)


def gpu(name, **settings):
    return record(settings={"device": "gpu", **settings}, hardware={"cpu": {"model": "c"}, "gpus": [{"name": name}]})


def reasons(matching):
    return [refused.reason for refused in matching.refused]


def test_same_settings_and_conditions_match():
    found = match(runs(on(), on(minute=1)), runs(on(minute=2)))
    [one] = found.matches
    assert (len(one.a), len(one.b), one.differing) == (2, 1, {})
    assert one.name == "resnet20, 2 towers, cpu, batch 32, replicated, NHWC, fp32"
    assert not found.refused + found.only_a + found.only_b


def test_another_gpu_is_refused_in_the_houses_words():
    [refused] = match(runs(gpu("A100")), runs(gpu("H100"))).refused
    assert str(refused).startswith(
        "Cannot compare: GPU differs (A100 vs H100). Pass --allow_different=gpu to compare anyway. (resnet20, "
    )


def test_every_differing_field_is_named():
    assert match(runs(on()), runs(on("Testium 1", "2.14.1"))).refused[0].reason == (
        "CPU differs (Testium 9000 vs Testium 1), tensorflow differs (2.21.0 vs 2.14.1). "
        "Pass --allow_different=cpu,tensorflow to compare anyway."
    )


def test_what_is_allowed_is_compared_and_told():
    allowed = allowed_fields(["hardware", "tensorflow"], ())
    [found] = match(runs(on()), runs(on("Testium 1", "2.14.1")), allowed).matches
    assert found.differing == {"cpu": ("Testium 9000", "Testium 1"), "tensorflow": ("2.21.0", "2.14.1")}


def test_an_unknown_field_is_an_error():
    with pytest.raises(ValueError, match=r"no record has a field 'batchsize'\. Did you mean 'batch_size'\?"):
        allowed_fields(["batchsize"], {"batch_size"})


def test_what_only_one_side_has_is_listed():
    a, b = record(settings={"model": "vgg11"}), record(settings={"model": "vgg16"})
    found = match(runs(record(), a), runs(record(minute=1), b))
    assert [name.split(",")[0] for _, name in found.only_a] == ["vgg11"]
    assert [name.split(",")[0] for _, name in found.only_b] == ["vgg16"]
    assert len(found.matches) == 1


def test_where_nothing_matches_the_nearest_pair_says_why():
    found = match(runs(record(settings={"xla": True, "model": "x"})), runs(record(), record(settings={"xla": True})))
    assert reasons(found) == ["model differs (x vs resnet20). Pass --allow_different=model to compare anyway."]


def test_a_fact_that_one_side_does_not_tell_is_named_and_parts_nothing():
    telling, silent = record(settings={"new_flag": 1}), record()
    found = match(runs(silent), runs(telling))
    assert len(found.matches) == 1
    assert found.unknown == ["new_flag"]


def test_a_fact_that_one_side_does_not_tell_does_not_mix_the_other():
    a, b, c = (record(settings=extra) for extra in ({}, {"new_flag": 1}, {"new_flag": 2}))
    found = match(runs(a), runs(b, c))
    assert found.matches == []
    assert reasons(found) == [f"B mixes new_flag (1 and 2). {GIVE_ONE}"]


def test_an_allowed_setting_must_not_be_mixed_in_one_side_but_software_may():
    both = [record(settings={"variable_update": name}) for name in ("replicated", "parameter_server")]
    assert reasons(match(runs(record()), runs(*both), {"variable_update"})) == [
        f"B mixes variable_update (replicated and parameter_server). {GIVE_ONE}"
    ]
    [found] = match(runs(on()), runs(on(tensorflow="2.1"), on(tensorflow="2.2")), {"tensorflow"}).matches
    assert found.differing == {"tensorflow": ("2.21.0", "2.1 + 2.2")}


def test_generated_images_are_not_real_ones():
    synthetic = dataclasses.replace(record(), dataset={"name": "cifar10", "synthetic": True, "sample": True})
    assert "dataset_synthetic differs (false vs true)" in reasons(match(runs(record()), runs(synthetic)))[0]


def test_invalid_records_are_left_out_and_counted_unless_asked_for():
    records = [record(), record(problems=("the loss is NaN",)), record(measurement=None), record(settings={"model": 0})]
    assert admit(records).left_out == {"not valid": 1, "without a figure": 1}
    assert len(admit(records, include_invalid=True).runs) == 3


def test_a_long_value_does_not_fill_the_screen():
    [refusal] = match(runs(on("x" * 5000)), runs(on("y" * 5000))).refused
    assert len(str(refusal)) < 400


@pytest.mark.parametrize(
    ("environment", "hardware", "said"),
    [
        ({}, {"cpu": {"governor": "powersave", "turbo": True}}, "governor differs (performance vs powersave)"),
        ({}, {"cpu": {"governor": "performance", "turbo": False}}, "turbo differs (on vs off)"),
        ({}, {"virtualisation": {"kind": "kvm"}}, "virtualisation differs (none vs kvm)"),
        ({"container": "docker"}, {}, "container differs (none vs docker)"),
        ({"libraries": {"cudnn": "9.1.0"}}, {}, "cudnn differs (9.3.0 vs 9.1.0)"),
        ({}, {"gpus": [{"name": "A", "power_limit_watts": 300.0}]}, "power_limit differs (400 W vs 300 W)"),
        ({}, {"cpu": {"caches": [1], "governor": "performance", "turbo": True}}, None),
        ({"libraries": {}}, {"virtualisation": {}, "cpu": {}}, None),  # what one record does not tell
    ],
)
def test_settings_of_a_machine_are_conditions(environment, hardware, said):
    around = {"container": None, "libraries": {"cudnn": "9.3.0"}, "packages": {}}
    machine = {
        "cpu": {"governor": "performance", "turbo": True},
        "virtualisation": {"kind": "none"},
        "gpus": [{"name": "A", "power_limit_watts": 400.0}],
    }
    first, second = (
        facts(record(minute, {"device": "gpu"}, environment=around | env, hardware=machine | hard))
        for minute, (env, hard) in enumerate([({}, {}), (environment, hardware)])
    )
    differing = differences(first, second)
    assert (described(differing) or None) == said
    of_cpu = facts(record(0, {"device": "cpu"}, environment=around, hardware=machine))
    assert "power_limit" not in of_cpu
