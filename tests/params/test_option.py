import dataclasses

import pytest

from benchmarks.params import Params, configuration, options
from benchmarks.params.option import Status


def test_every_field_of_params_is_an_option_with_a_group():
    assert [*options()] != []
    assert {field.name for field in dataclasses.fields(Params)} == set(options())
    assert len({option.group for option in options().values()}) == len(Params.__bases__)


@pytest.mark.parametrize("option", options().values(), ids=options())
def test_declaration_is_complete(option):
    assert option.help.endswith(".")
    assert bool(option.reason) == (option.status is not Status.ACTING)
    assert option.optional == (option.default is None)
    assert option.optional or type(option.default) is option.kind
    assert option.problem(option.default) is None


@pytest.mark.parametrize("option", options().values(), ids=options())
def test_default_survives_being_written_and_read(option):
    if option.default is not None:
        assert option.parse(str(option.default)) == option.default


@pytest.mark.parametrize("text", ["1%", "0.01", " 1 % ".strip(), "1.0%"])
def test_a_share_may_be_a_percentage(text):
    assert options()["target_precision"].parse(text) == 0.01


def test_what_is_no_share_is_refused():
    with pytest.raises(ValueError, match=r"--target_precision=1%% is not a number, or a percentage. Measure until"):
        options()["target_precision"].parse("1%%")


def test_params_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Params().model = "resnet50"


def test_configuration_leaves_out_what_does_not_change_the_run():
    params = Params(model="resnet50", results_dir="elsewhere", debug=True, display_every=1)
    assert configuration(params) == configuration(Params(model="resnet50"))
    assert configuration(params) != configuration(Params(model="resnet50", num_batches=7))
    run_only = {name for name, option in options().items() if option.run_only}
    assert run_only >= {"results_dir", "debug", "display_every", "display_perf_ewma", "allow_nonfinite_loss"}
    assert run_only >= {"repeats", "repeat_number", "repeat_set", "target_precision"}
    assert not run_only & {"model", "batch_size", "num_batches", "data_dir", "tf_random_seed", "precision"}
