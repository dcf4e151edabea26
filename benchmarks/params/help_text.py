"""The answers to --help, --helpfull and --list_models."""

from __future__ import annotations

import itertools
import textwrap

import models
from benchmarks.inputs.datasets import DATASETS
from benchmarks.params.option import Option, Status
from benchmarks.params.params import options
from models.cost import cost

WIDTH = 100
_MODEL_COLUMNS = "model, default --batch_size, parameters, multiply-adds of an image's forward pass"

# Flags that are answered or obeyed before there are any options; absl's own, where they have its names.
SPECIAL_FLAGS = {
    "--help": "Print this help: what a run heeds, or will.",
    "--helpfull": "Print all flags: also those that are ignored or refused, and what differs from tf_cnn_benchmarks.",
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
        listed = [option for option in group if full or option.status not in (Status.IGNORED, Status.REFUSED)]
        sections.append(_section(title, [_option_entry(option, full=full) for option in listed]))
    if not full:
        sections.append("--helpfull lists the flags that are accepted and ignored, or refused, too.\n")
    return "\n".join(sections)


def model_list() -> str:
    """The models of each data set, with what they cost in inference: an auxiliary head is not counted."""
    sections = []
    for data_name, networks in models.NETWORKS.items():
        width, num_classes = max(len(name) for name in networks), DATASETS[data_name].num_classes
        rows = [_model_row(f"{name:<{width}}", network, num_classes) for name, network in networks.items()]
        sections.append("\n".join([f"--data_name={data_name}  ({_MODEL_COLUMNS})", *rows]) + "\n")
    return "\n".join(sections)


def _model_row(name: str, network: models.Network, num_classes: int) -> str:
    counted = cost(network, num_classes)
    parameters, multiply_adds = counted.parameters / 1e6, counted.multiply_adds / 1e6
    return f"  {name}  {network.batch_size:>4}  {parameters:>6.2f} M  {multiply_adds:>8,.1f} M"


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
