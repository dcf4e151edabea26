"""What --paper_schedule sets, and what it leaves alone."""

import pytest

import models
from benchmarks.params import CommandLineError, notices, parse, rate_schedule
from benchmarks.params.paper_schedule import notice, paper_facts, taken_from_paper
from models.recipes import Falling, Stages

CASES = [(name, data_name) for data_name, networks in models.NETWORKS.items() for name in networks]
WITHOUT = {("lenet", "imagenet"), ("trivial", "imagenet"), ("trivial", "cifar10"), ("alexnet", "cifar10")}


def command(name, data_name, *flags):
    return parse([f"--model={name}", f"--data_name={data_name}", "--paper_schedule", *flags])


def vgg(*flags):
    return command("vgg16", "imagenet", *flags)


@pytest.mark.parametrize(("name", "data_name"), CASES)
def test_every_model_has_a_schedule_that_can_be_followed_or_none(name, data_name):
    if (name, data_name) in WITHOUT:
        with pytest.raises(CommandLineError, match="no paper says how it was trained"):
            command(name, data_name)
        return
    found = command(name, data_name)
    recipe = models.get(name, data_name).recipe
    facts = paper_facts(found.params, found.given)
    assert facts["source"] == recipe.source
    assert recipe.source.startswith("arXiv:")
    assert {option: getattr(found.params, option) for option in facts["set"]} == facts["set"]
    assert facts["not_set"] == []
    if isinstance(recipe.decay, Stages):
        rates, epochs = rate_schedule.parse(found.params.piecewise_learning_rate_schedule)
        assert rates == pytest.approx([recipe.learning_rate * factor for factor in recipe.decay.factors], rel=1e-4)
        assert epochs == pytest.approx(recipe.decay.epochs)
    else:
        assert isinstance(recipe.decay, Falling)
        assert found.params.num_epochs_per_decay == recipe.decay.epochs
    assert notices(found.params, found.given | facts["set"].keys()) == [], "whatever it sets acts"


def test_the_papers_numbers_for_resnet_50():
    """He et al. 2015, section 3.4."""
    params = command("resnet50", "imagenet").params
    assert (params.optimizer, params.momentum, params.nesterov, params.weight_decay) == ("momentum", 0.9, False, 1e-4)
    assert params.piecewise_learning_rate_schedule == "0.1;30;0.01;60;0.001;90;0.0001"
    assert (params.learning_rate_batch_size, params.num_learning_rate_warmup_epochs) == (256, 0.0)


def test_the_papers_numbers_for_inception_v3():
    """Szegedy et al. 2015, sections 7 and 8."""
    params = command("inception3", "imagenet").params
    assert (params.optimizer, params.rmsprop_decay, params.rmsprop_epsilon) == ("rmsprop", 0.9, 1.0)
    assert (params.init_learning_rate, params.num_epochs_per_decay, params.learning_rate_decay_factor) == (
        0.045, 2.0, 0.94
    )  # fmt: skip
    assert (params.label_smoothing, params.gradient_clip_norm, params.learning_rate_batch_size) == (0.1, 2.0, 32)
    assert params.weight_decay == 0.00004, "the paper has none, so the default stays"


def test_iterations_on_cifar_10_are_told_in_epochs_of_the_papers():
    _, (lowered, again) = rate_schedule.parse(command("resnet20", "cifar10").params.piecewise_learning_rate_schedule)
    assert lowered * 45_000 / 128 == pytest.approx(32_000, rel=1e-4)
    assert again * 45_000 / 128 == pytest.approx(48_000, rel=1e-4)


def test_without_the_flag_nothing_changes():
    params = parse(["--model=vgg16"]).params
    assert (params.optimizer, params.init_learning_rate, params.weight_decay) == ("sgd", None, 0.00004)
    assert params.piecewise_learning_rate_schedule is None
    assert taken_from_paper(params, ()) == paper_facts(params, ()) == {}


@pytest.mark.parametrize(
    ("flags", "not_set"),
    [
        (["--weight_decay=0"], ["weight_decay"]),
        (["--optimizer=momentum"], ["optimizer"]),
        (["--optimizer=sgd"], ["optimizer", "momentum", "nesterov"]),
        (["--cosine_decay=false"], ["piecewise_learning_rate_schedule"]),
        (["--num_epochs_per_decay=2", "--learning_rate_decay_factor=0.9"], ["piecewise_learning_rate_schedule"]),
        (["--learning_rate_batch_size=8"], ["learning_rate_batch_size"]),
        (["--init_learning_rate=0.5"], ["init_learning_rate", "learning_rate_batch_size"]),
        (
            ["--piecewise_learning_rate_schedule=0.2;1;0.1"],
            ["init_learning_rate", "learning_rate_batch_size", "piecewise_learning_rate_schedule"],
        ),
    ],
)
def test_given_flags_win_and_what_says_the_same_gives_way(flags, not_set):
    found = vgg(*flags)
    assert paper_facts(found.params, found.given)["not_set"] == not_set
    alone = parse(["--model=vgg16", *flags]).params
    assert all(getattr(found.params, name) == getattr(alone, name) for name in not_set)
    assert found.given == {"model", "data_name", "paper_schedule", *(flag[2:].partition("=")[0] for flag in flags)}


@pytest.mark.parametrize(
    ("rate", "pieces"), [("0.5", "0.5;18.5;0.05;37;0.005;55.5;0.0005"), ("0", "0;18.5;0;37;0;55.5;0")]
)
def test_a_given_rate_is_lowered_as_the_papers_is(rate, pieces):
    params = vgg(f"--init_learning_rate={rate}").params
    assert params.piecewise_learning_rate_schedule == pieces
    assert params.learning_rate_batch_size is None, "a given rate is used as it is"


def test_one_way_of_clipping_replaces_the_other():
    params = command("inception3", "imagenet", "--gradient_clip=1").params
    assert (params.gradient_clip, params.gradient_clip_norm) == (1.0, None)


def test_the_notice_tells_all():
    found = vgg("--weight_decay=0")
    assert notice(paper_facts(found.params, found.given)) == (
        "--paper_schedule (arXiv:1409.1556, section 3.1) sets optimizer=momentum, momentum=0.9, nesterov=False, "
        "init_learning_rate=0.01, learning_rate_batch_size=256, piecewise_learning_rate_schedule=0.01;18.5;0.001;37;"
        "0.0001;55.5;1e-05. By other flags: weight_decay. Its training has 74 epochs. Not done: lowering the rate when "
        "the error stops to fall: it falls after each quarter of the paper's epochs."
    )


def test_list_models_has_every_schedule():
    words = " ".join(parse(["--list_models"]).answer.split())
    for name, data_name in CASES:
        if recipe := models.get(name, data_name).recipe:
            assert recipe.source in words
    assert "overfeat: arXiv:1312.6229, section 3.2 optimizer=momentum momentum=0.6 nesterov=False" in words


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--forward_only"], "--paper_schedule and --forward_only: nothing is trained."),
        (
            ["--resnet_base_lr=0.1", "--learning_rate_batch_size=9"],
            "--learning_rate_batch_size=9 with --resnet_base_lr",
        ),
    ],
)
def test_what_contradicts_it_is_refused(flags, problem):
    with pytest.raises(CommandLineError) as caught:
        command("resnet50", "imagenet", *flags)
    assert any(each.startswith(problem) for each in caught.value.problems)
