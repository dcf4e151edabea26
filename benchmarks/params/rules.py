"""What options must be to one another and to this machine. Each rule returns what is wrong, if anything."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import models
from benchmarks.errors import UserError
from benchmarks.inputs import shards
from benchmarks.inputs.datasets import DATASETS
from benchmarks.params import conditions
from benchmarks.params.data_set import data_name
from benchmarks.params.option import closest
from benchmarks.params.output_files import folder_problem
from benchmarks.params.params import Params, options
from benchmarks.params.resolve import precision

SHORTEST_INTERVAL = 0.05  # seconds between two looks

Check = Callable[[Params], str | Sequence[str] | None]


@dataclass(frozen=True)
class Rule:
    """A check over the options named in `about`; where one of them is wrong by itself, the rule has nothing to add."""

    about: frozenset[str]
    check: Check


RULES: list[Rule] = []


def rule(*about: str) -> Callable[[Check], Check]:
    """Decorate a function as the rule about these options."""

    def register(check: Check) -> Check:
        RULES.append(Rule(frozenset(about), check))
        return check

    return register


def validate(params: Params, *, without: Collection[str] = (), leave_out: Collection[Check] = ()) -> list[str]:
    """Every problem of `params`: of each option by itself, then among them.

    Nothing is said about the options in `without`, whose problems are known, nor by the rules in `leave_out`.
    """
    wrong = {
        name: problem
        for name, option in options().items()
        if name not in without and (problem := option.problem(getattr(params, name)))
    }
    known = {*wrong, *without}
    among = [rule.check(params) or () for rule in RULES if not rule.about & known and rule.check not in leave_out]
    texts = [[problems] if isinstance(problems, str) else problems for problems in among]
    return [*wrong.values(), *itertools.chain.from_iterable(texts)]


def excluded(params: Params, name: str, reasons: Mapping[str, str]) -> list[str]:
    """A problem, with its reason, for each option of `reasons` that is given beside `name`, which is given too."""
    return [
        f"--{name} and --{other}: {reason}. Leave one of them out."
        for other, reason in reasons.items()
        if getattr(params, other)
    ]


@rule("num_batches", "num_epochs")
def one_length(params: Params) -> str | None:
    """A run has one length."""
    if params.num_batches is None or params.num_epochs is None:
        return None
    return (
        f"--num_batches={params.num_batches} and --num_epochs={params.num_epochs} both set the length of the run: "
        "give one of them."
    )


@rule("repeats", "repeat_number", "repeat_set")
def run_of_a_set(params: Params) -> str | None:
    """A run that belongs to a set has a number in it."""
    number, repeats = params.repeat_number, params.repeats
    if number > repeats:
        return f"--repeat_number={number} with --repeats={repeats}: there is no such run. Leave --repeat_number out."
    if bool(number) != bool(params.repeat_set):
        return (
            f"--repeat_number={number} and --repeat_set={params.repeat_set} belong together, as --repeats gives them. "
            "Leave both out."
        )
    return None


@rule("telemetry_interval")
def looks_that_tell(params: Params) -> str | None:
    """Linux counts what processors do in hundredths of a second: what is between two looks is some of these."""
    if 0 < params.telemetry_interval < SHORTEST_INTERVAL:
        return (
            f"--telemetry_interval={params.telemetry_interval:g}: the system counts in hundredths of a second, and a "
            f"look takes time too. Give {SHORTEST_INTERVAL:g} or more, or 0 for none."
        )
    return None


@rule("data_name", "data_dir")
def known_data_set(params: Params) -> str | None:
    """The data set is named, and is one that there is."""
    names = ", ".join(DATASETS)
    name = data_name(params)
    if name is None:
        return f"--data_dir={params.data_dir} does not say which data set it holds: add --data_name, one of {names}."
    if name not in DATASETS:
        match = closest(name, DATASETS)
        meant = f" Did you mean {match!r}?" if match else ""
        return f"--data_name={name} is no data set there is: {names}.{meant}"
    return None


@rule("model", "data_name", "data_dir")
def model_for_data_set(params: Params) -> str | None:
    """The model is in the zoo for the images of the data set."""
    name = data_name(params)
    if name not in DATASETS:
        return None
    try:
        models.get(params.model, name)
    except LookupError as error:
        return f"--model={params.model}: {error.args[0]}"
    return None


@rule("data_dir", "data_name", "input_method", "eval", *conditions.EVALUATION_SCHEDULES)
def readable_data(params: Params) -> str | None:
    """The files of the data set are where they are looked for."""
    name = data_name(params)
    if params.data_dir is None or name not in DATASETS:
        return None
    if not params.data_dir:
        return "--data_dir= names no folder. Leave it out for synthetic images."
    dataset, folder = DATASETS[name], Path(params.data_dir).expanduser()
    if not folder.is_dir():
        return f"--data_dir={params.data_dir} is no folder. Leave it out for synthetic images."
    if params.input_method == "small_files":
        return None  # another rule's to say; and what images there are is found when they are listed
    way_out = f"Prepare it with python -m benchmarks.inputs.{name}, or leave --data_dir out for synthetic images."
    missing = [file for file in dataset.files if not (folder / file).is_file()]
    if missing:
        looked_for = ", ".join(dataset.files)
        return f"--data_dir={params.data_dir} lacks {', '.join(missing)} (looked for {looked_for}). {way_out}"
    try:
        to_evaluate = dataset.evaluation_shards if conditions.reads_evaluation_images(params) else ()
        for pattern in (*dataset.shards, *to_evaluate):
            shards.find(folder, pattern, way_out)
    except (UserError, OSError) as problem:
        return str(problem)
    return None


@rule("resize_method", "distortions", "input_preprocessor", "data_dir", "data_name")
def crop_without_distortions(params: Params) -> str | None:
    """Images that are cut at random are of any size, and have to be resized."""
    if params.resize_method != "crop" or not (params.distortions and conditions.prepares_by_default(params)):
        return None
    return (
        "--resize_method=crop with --distortions: what random crops cut out must be resized. Give another method, or "
        "--nodistortions for crops of the middle."
    )


@rule("gpu_indices", "num_gpus")
def index_per_gpu(params: Params) -> str | None:
    """There is one index for each GPU asked for."""
    if not params.gpu_indices:
        return None
    indices = [index.strip() for index in params.gpu_indices.split(",")]
    if not all(index.isdecimal() for index in indices):
        return f"--gpu_indices={params.gpu_indices} is no list of whole numbers with commas, as in --gpu_indices=0,2."
    if len(set(indices)) < len(indices):
        return f"--gpu_indices={params.gpu_indices} names a GPU twice. Give each tower a GPU of its own."
    if len(indices) != params.num_gpus:
        return (
            f"--gpu_indices={params.gpu_indices} names {len(indices)} GPUs, but --num_gpus={params.num_gpus}. "
            f"Give {params.num_gpus} of them, or --num_gpus={len(indices)}."
        )
    return None


@rule("device", "local_parameter_device")
def parameter_device_in_use(params: Params) -> str | None:
    """A run on the CPU keeps its variables there."""
    if params.device == "cpu" and params.local_parameter_device == "gpu":
        return "--local_parameter_device=gpu needs GPUs, but --device=cpu uses none. Leave one of the two out."
    return None


@rule("gpu_memory_frac_for_testing", "use_unified_memory")
def memory_there_is(params: Params) -> str | None:
    """More than a GPU's memory can only be had from the host."""
    fraction = params.gpu_memory_frac_for_testing
    if fraction > 1 and not params.use_unified_memory:
        return (
            f"--gpu_memory_frac_for_testing={fraction} is more than a GPU has: add --use_unified_memory, or give at "
            "most 1."
        )
    return None


@rule("precision", "use_fp16")
def one_precision(params: Params) -> str | None:
    """The two ways to ask for float16 agree."""
    if params.use_fp16 and params.precision not in (None, "fp16"):
        return f"--use_fp16 and --precision={params.precision} contradict each other: give one of them."
    return None


@rule("precision", "use_fp16", "fp16_enable_auto_loss_scale", "fp16_loss_scale")
def loss_scale_with_fp16(params: Params) -> str | None:
    """Only float16 has a loss scale."""
    if precision(params) == "fp16":
        return None
    given = ["--fp16_enable_auto_loss_scale"] if params.fp16_enable_auto_loss_scale else []
    if params.fp16_loss_scale is not None:
        given.append(f"--fp16_loss_scale={params.fp16_loss_scale}")
    if not given:
        return None
    return f"{' and '.join(given)} without float16: add --precision=fp16, or leave the loss scale out."


@rule("fp16_enable_auto_loss_scale", "staged_vars", "variable_consistency", "variable_update")
def loss_scale_of_the_same_step(params: Params) -> str | None:
    """A gradient that waits for the next step would meet another loss scale than its own."""
    late = ["--staged_vars"] if params.staged_vars and params.variable_update == "parameter_server" else []
    if params.variable_consistency == "relaxed" and params.variable_update == "replicated":
        late.append("--variable_consistency=relaxed")
    if not (late and params.fp16_enable_auto_loss_scale):
        return None
    return (
        f"--fp16_enable_auto_loss_scale with {' and '.join(late)}: gradients come a step late, when the loss scale may "
        "have changed. Give a constant --fp16_loss_scale instead, or leave the other flag out."
    )


@rule("precision", "device")
def tf32_on_gpu(params: Params) -> str | None:
    """TF32 is a format of GPUs."""
    if params.precision == "tf32" and params.device == "cpu":
        return "--precision=tf32 with --device=cpu: only GPUs from Ampere on have TF32. Take --precision=fp32 or bf16."
    return None


@rule("results_dir")
def writable_results(params: Params) -> str | None:
    """The record can be written."""
    if not params.results_dir:
        return "--results_dir= names no folder. Give one, or leave it out for runs."
    return folder_problem("results_dir", params.results_dir)
