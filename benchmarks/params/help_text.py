"""The answers to --help, --helpfull and --list_models."""

from __future__ import annotations

import itertools
import textwrap

import models
from benchmarks.inputs.datasets import DATASETS
from benchmarks.params.option import Option, Status
from benchmarks.params.paper_schedule import taken_from_paper
from benchmarks.params.params import Params, options
from models.cost import cost

WIDTH = 100
_MODEL_COLUMNS = ("batch", "parameters", "multiply-adds", "forward FLOP", "training FLOP", "activations")
_MODEL_LEGEND = """\
batch: default --batch_size. All else is counted from the layers, for one image but for parameters.
multiply-adds: of convolutions and matrix products in a forward pass. FLOP: two for each of them;
training also has those of the backward pass, for gradients by weights and by inputs (not by the
images). activations: what a training step keeps for its backward pass in float32; about half of it
in fp16 and bf16.
"""

# Flags that are answered or obeyed before there are any options; absl's own, where they have its names.
SPECIAL_FLAGS = {
    "--help": "Print this help: what a run heeds, or will.",
    "--helpfull": "Print all flags: also those that are ignored or refused, or that commands give to the runs that "
    "they start, and what differs from tf_cnn_benchmarks.",
    "--list_models": "Print the models of each data set, and what they cost.",
    "--flagfile=FILE": "Read flags from FILE too, one a line, where it stands; # starts a comment.",
    "--rerun=RECORD.json": "Run the configuration of a record again: the flags that it was given and that say what is "
    "measured. Other flags of the command line override them. What differs about the machine now is told.",
    "--undefok=NAME,NAME": "Accept these flags even though they do not exist.",
}

_HEAD = """\
Trains convolutional networks on TensorFlow and measures images/sec.

    python run_benchmark.py --model=resnet50 --num_gpus=2 --variable_update=replicated

Flags are written --name=value or --name value, those that are true or false also --name and
--noname. Where a flag stands twice, the last one counts.
"""


def help_text(*, full: bool = False) -> str:
    """All flags in groups; with `full` also those that never act, and the differences from tf_cnn_benchmarks."""
    sections = [_HEAD, _section("Help and files", [_entry(flag, [text]) for flag, text in SPECIAL_FLAGS.items()])]
    for title, group in itertools.groupby(options().values(), key=lambda option: option.group):
        listed = [option for option in group if full or _is_for_people(option)]
        sections.append(_section(title, [_option_entry(option, full=full) for option in listed]))
    if not full:
        sections.append(
            "--helpfull lists the flags that are accepted and ignored, or refused, too, and those that commands\n"
            "give to the runs that they start.\n"
        )
    return "\n".join(sections)


def _is_for_people(option: Option) -> bool:
    return option.status not in (Status.IGNORED, Status.REFUSED) and not option.internal


def model_list() -> str:
    """The models of each data set, with what they cost; only training counts an auxiliary head."""
    sections = []
    for data_name, networks in models.NETWORKS.items():
        width, num_classes = max(len(name) for name in networks) + 2, DATASETS[data_name].num_classes
        rows = [
            "  ".join([f"{f'  {name}':<{width}}", *_model_cells(network, num_classes)])
            for name, network in networks.items()
        ]
        head = "  ".join([f"{'':<{width}}", *_MODEL_COLUMNS])
        sections.append("\n".join([f"--data_name={data_name}", head, *rows]) + "\n")
    return "\n".join([*sections, _MODEL_LEGEND, _schedules()])


def _schedules() -> str:
    """What --paper_schedule sets for each model that has one; models of one paper stand together."""
    of_recipe: dict[models.Recipe, list[tuple[str, str]]] = {}
    for data_name, networks in models.NETWORKS.items():
        for name, network in networks.items():
            if network.recipe:
                of_recipe.setdefault(network.recipe, []).append((name, data_name))
    entries = []
    for recipe, cases in of_recipe.items():
        model, data_name = cases[0]
        settings = taken_from_paper(Params(model=model, data_name=data_name, paper_schedule=True), ())
        told = [f"{name}={value}" for name, value in settings.items()]
        told += [f"({recipe.epochs:g} epochs)"] if recipe.epochs else []
        told += [f"[not done: {recipe.without}]"] if recipe.without else []
        entries.append(_entry(f"{', '.join(name for name, _ in cases)}: {recipe.source}", told))
    return _section("What --paper_schedule sets (other models have no paper that says)", entries)


def _model_cells(network: models.Network, num_classes: int) -> list[str]:
    """What the columns have of `network`, as wide as they are headed."""
    inference, training = cost(network, num_classes), cost(network, num_classes, training=True)
    cells = [
        f"{network.batch_size}",
        f"{inference.parameters / 1e6:.2f} M",
        f"{inference.multiply_adds / 1e6:,.1f} M",
        f"{inference.forward_flops / 1e6:,.1f} M",
        f"{training.training_flops / 1e6:,.1f} M",
        f"{training.activation_bytes() / 1e6:,.2f} MB",
    ]
    return [f"{cell:>{len(heading)}}" for cell, heading in zip(cells, _MODEL_COLUMNS, strict=True)]


def _section(title: str, entries: list[str]) -> str:
    return f"{title}\n" + "\n".join(entries) + "\n"


def _option_entry(option: Option, *, full: bool) -> str:
    paragraphs = [option.help]
    if option.status is not Status.ACTING:
        paragraphs.append(f"[{option.status.value}: {option.reason.rstrip('.')}]")
    if option.acts:
        paragraphs.append(f"[acts only {option.acts.text}]")
    if full and option.tcb:
        paragraphs.append(f"[tf_cnn_benchmarks: {option.tcb}]")
    name = f"--[no]{option.name}" if option.kind is bool else f"--{option.name}"
    return _entry(f"{name}  ({_values(option)}; {_default(option)})", paragraphs)


def _entry(heading: str, paragraphs: list[str]) -> str:
    """A flag, and under it what it does."""
    head = textwrap.wrap(heading, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    body = textwrap.wrap(
        " ".join(paragraphs), WIDTH, initial_indent="      ", subsequent_indent="      ", break_on_hyphens=False
    )
    return "\n".join([*head, *body])


def _values(option: Option) -> str:
    if option.choices is not None:
        return " | ".join(choice or "''" for choice in option.choices)
    bounds = {"at least": option.lower_bound, "above": option.above, "at most": option.upper_bound}
    stated = [f"{words} {bound:g}" for words, bound in bounds.items() if bound is not None]
    return ", ".join([option.kind_in_words, *stated])


def _default(option: Option) -> str:
    if option.default is None or option.default == "":
        return "not given by default"
    value = str(option.default).lower() if option.kind is bool else option.default
    return f"default {value}"
