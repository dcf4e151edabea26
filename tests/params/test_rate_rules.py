import pytest

from benchmarks.params import Params, validate
from benchmarks.params.rate_schedule import parse

PIECES = "piecewise_learning_rate_schedule"


def test_a_schedule_is_rates_and_the_epochs_between_them():
    assert parse("0.3;10;0.2;25.5;0.1") == ((0.3, 0.2, 0.1), (10.0, 25.5))
    assert parse("0.3") == ((0.3,), ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.3;10", "it must begin and end with a rate: rate;epoch;rate, and so on, as in 0.3;10;0.2;25;0.1"),
        ("0.3,10,0.1", "it is not rate;epoch;rate"),
        ("", "it is not rate;epoch;rate"),
        ("0.3;10;0.2;5;0.1", "epochs must be above 0 and grow from one to the next"),
        ("0.3;0;0.2", "epochs must be above 0"),
        ("0.3;nan;0.2", "epochs must be above 0"),
        ("-0.3;10;0.2", "rates must not be below 0"),
        ("inf;10;0.2", "rates must not be below 0, nor infinite"),
    ],
)
def test_what_is_no_schedule(text, reason):
    with pytest.raises(ValueError, match=reason.replace(".", r"\.")):
        parse(text)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({PIECES: "0.3;10"}, "--piecewise_learning_rate_schedule=0.3;10: it must begin and end with a rate"),
        (
            {PIECES: "0.3;1;0.1", "init_learning_rate": 0.1},
            "--piecewise_learning_rate_schedule=0.3;1;0.1 and --init_learning_rate=0.1 each say what the learning rate",
        ),
        (
            {PIECES: "0.3;1;0.1", "cosine_decay": True},
            "--piecewise_learning_rate_schedule=0.3;1;0.1 and --cosine_decay=True each say",
        ),
        (
            {"cosine_decay": True, "num_epochs_per_decay": 1.0, "learning_rate_decay_factor": 0.5},
            "--cosine_decay=True and --num_epochs_per_decay=1.0 each say",
        ),
        ({"num_epochs_per_decay": 1.0}, "--num_epochs_per_decay=1.0 without --learning_rate_decay_factor: give both"),
        ({"learning_rate_decay_factor": 0.1}, "--learning_rate_decay_factor=0.1 without --num_epochs_per_decay"),
        ({"minimum_learning_rate": 0.1}, "--minimum_learning_rate=0.1: the learning rate does not fall"),
        ({"resnet_base_lr": 0.1, "model": "vgg16"}, "--resnet_base_lr=0.1 with --model=vgg16"),
        ({"gradient_clip": 1.0, "gradient_clip_norm": 2.0}, "--gradient_clip=1.0 and --gradient_clip_norm=2.0 both"),
    ],
)
def test_what_does_not_go_together(given, reason):
    (problem,) = validate(Params(**({"model": "resnet50"} | given)))
    assert problem.startswith(reason)


@pytest.mark.parametrize(
    "given",
    [
        {PIECES: "0.3;1;0.1", "num_learning_rate_warmup_epochs": 5.0},
        {"cosine_decay": True, "init_learning_rate": 0.1, "minimum_learning_rate": 0.01},
        {"num_epochs_per_decay": 1.0, "learning_rate_decay_factor": 0.5, "minimum_learning_rate": 0.01},
        {"resnet_base_lr": 0.128, "model": "resnet50_v1.5", "gradient_clip_norm": 1.0},
    ],
)
def test_what_goes_together(given):
    assert validate(Params(**({"model": "resnet50"} | given))) == []
