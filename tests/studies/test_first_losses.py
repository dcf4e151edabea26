import json

import pytest

from benchmarks.errors import ExitCode, UserError
from benchmarks.studies.first_losses import Result, chosen, distinct, main, table
from tests.studies.runs import rows


def result(*losses):
    return Result("resnet20", "cifar10", 128, losses)


@pytest.mark.parametrize(
    ("losses", "diverged"),
    [
        ((2.5, 2.0, 1.5), False),
        ((2.5, 9.0, *[1.0] * 10), False),  # a peak that is overcome
        ((2.5, 2.6, 2.7), True),
        ((2.5, float("nan"), 1.0), True),
        ((2.5, float("inf")), True),
    ],
)
def test_a_network_diverges_if_it_ends_above_its_beginning(losses, diverged):
    assert result(*losses).diverged is diverged


def test_the_table_names_what_diverged():
    assert rows(table([result(2.5, 3.0, 1.0), result(1.0, 4.0)])) == [
        ["resnet20 (cifar10)", "128", "3", "2.500", "3.000", "2.167", "ok"],
        ["resnet20 (cifar10)", "128", "2", "1.000", "4.000", "2.500", "DIVERGED"],
    ]


def test_every_network_is_listed_once():
    cases = distinct()
    assert ("resnet50", "imagenet") in cases
    assert ("alexnet", "imagenet") in cases
    assert ("alexnet", "cifar10") in cases
    assert ("resnet18_v1.5", "imagenet") not in cases  # its basic blocks are those of resnet18
    assert ("official_resnet50", "imagenet") not in cases  # resnet50_v1.5 with another batch


def test_networks_are_chosen_by_name():
    assert chosen("resnet20,resnet50") == [("resnet50", "imagenet"), ("resnet20", "cifar10")]
    with pytest.raises(UserError, match=r"--models=resnt50: there is no 'resnt50'\. Did you mean 'resnet50'"):
        chosen("resnt50")


def test_a_network_is_trained_and_saved(tmp_path, capsys):
    output = tmp_path / "losses.json"
    flags = ["--models=trivial", "--steps=12", "--batch_size=4", "--device=cpu", f"--output={output}"]
    assert main(flags) == ExitCode.VALID
    assert [row[0] for row in rows(capsys.readouterr().out)] == ["trivial (imagenet)", "trivial (cifar10)"]
    networks = json.loads(output.read_text())["networks"]
    assert [len(network["losses"]) for network in networks] == [12, 12]
