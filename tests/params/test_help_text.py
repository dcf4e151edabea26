import pytest

import models
from benchmarks.params import options, parse
from benchmarks.params.option import Status


def heading(option):
    return f"\n  --[no]{option.name}  (" if option.kind is bool else f"\n  --{option.name}  ("


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--helpshort"], ["--modle=x", "--help", "--num_gpus=two"]])
def test_help_lists_what_a_run_heeds_or_will(arguments):
    answer = parse(arguments).answer
    for option in options().values():
        heeded = option.status not in (Status.IGNORED, Status.REFUSED)
        assert (heading(option) in answer) == (heeded and not option.internal)
    assert "--suite_run" not in answer


def test_helpfull_lists_every_option_and_the_differences():
    answer = parse(["--helpfull"]).answer
    for option in options().values():
        assert heading(option) in answer
    words = " ".join(answer.split())
    assert "[tf_cnn_benchmarks: its default is NCHW]" in words
    assert "[ignored: TensorFlow 2 has no tf.layers]" in words


@pytest.mark.parametrize("flag", ["--help", "--helpfull"])
def test_help_fits_a_terminal_and_lists_groups(flag):
    lines = parse([flag]).answer.splitlines()
    assert max(len(line) for line in lines) <= 100
    titles = [line for line in lines if line and not line.startswith(" ")]
    assert {option.group for option in options().values()} <= set(titles)


def test_help_states_values_defaults_and_bounds():
    answer = parse(["--help"]).answer
    assert "  --batch_size  (a whole number, at least 0; default 0)\n" in answer
    assert "  --optimizer  (momentum | sgd | rmsprop | adam | lars; default sgd)\n" in answer
    assert "[not yet acting: variables stay float32]" in " ".join(answer.split())


def test_list_models_names_each_model_with_its_batch_size_and_cost():
    rows = [line.split() for line in parse(["--list_models"]).answer.splitlines()]
    for data_name, networks in models.NETWORKS.items():
        assert any(row and row[0] == f"--data_name={data_name}" for row in rows)
        for name, network in networks.items():
            assert [name, str(network.batch_size)] in [row[:2] for row in rows]
    cost = ["25.56", "M", "4,089.2", "M", "8,178.4", "M", "24,299.1", "M", "85.11", "MB"]
    assert ["resnet50_v1.5", "64", *cost] in rows


def test_list_models_fits_a_terminal():
    assert max(map(len, parse(["--list_models"]).answer.splitlines())) <= 100
