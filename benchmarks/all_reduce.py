"""`python -m benchmarks.all_reduce`: how fast each all-reduce algorithm exchanges gradients on these devices."""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import models
from benchmarks.bandwidth import Result, line, table
from benchmarks.errors import ExitCode, UserError
from benchmarks.inputs.datasets import DATASETS
from benchmarks.memory import available
from benchmarks.params import CommandLine, Notice, Params, ResolvedParams, notices, parse, resolve
from benchmarks.preparation import prepare
from benchmarks.studies import report
from benchmarks.tensorflow_lines import import_tensorflow
from results.commands.arguments import count
from variable_mgr.all_reduce_spec import ALGORITHMS, TWO_LEVELS, SpecError
from variable_mgr.all_reduce_spec import parse as parse_spec
from variable_mgr.exchange_plan import (
    TRANSFER_BYTES,
    CannotReduceError,
    Plan,
    ReduceOptions,
    exchange_bytes,
    make_plan,
)
from variable_mgr.packs import GRADIENT_BYTES

Item = TypeVar("Item")

DESCRIPTION = """\
Time the all-reduce of gradients between towers, algorithm by algorithm: of all gradients of a model, packed as the
flags say, and of single tensors of a sweep of sizes. Every flag of run_benchmark.py is understood, and there is a
warning about those that have no effect here. What has: --model, --data_name, --num_gpus (2 where it is not given),
--device, --gradient_repacking, --gradient_transfer and so on; --num_batches is the number of steps to measure (30),
--num_warmup_batches of those before (2).

MB         one tower's gradients, as they travel
sent       what leaves the device that sends most, by the algorithm's schedule
median     time of one all-reduce: of a step with --iters_per_step of them one after another, divided by that; also
           the 99th percentile of the steps
algbw      algorithm bandwidth: MB / median
busbw      bus bandwidth: algbw x 2 (n - 1) / n with n towers, to be held against the speed of the links (both as
           NVIDIA's nccl-tests define them)
error      largest deviation on any tower from the mean that NumPy computes, with gradients around 1; where it is more
           than rounding explains, it says WRONG and the exit code is 1

Each row is told on stderr as soon as it is measured; the model and each size have their table once its rows are there.
"""
NO_SPEC = "default"
SIZES = "1kB,32kB,1MB,32MB,1GB"
STEPS, WARMUP = 30, 2
# The flags of run_benchmark.py that say what is exchanged here, between which devices, how and how often.
HEEDED = frozenset(  # a text, as a set would have a line for each
    "model data_name tcb_class_counts num_batches num_warmup_batches "  # noqa: SIM905
    "variable_update all_reduce_spec hierarchical_copy network_topology gradient_repacking bytes_per_pack "
    "agg_small_grads_max_bytes agg_small_grads_max_group allreduce_merge_scope compact_gradient_transfer "
    "gradient_transfer precision use_fp16 "
    "device num_gpus gpu_indices num_intra_threads num_inter_threads gpu_thread_mode per_gpu_thread_count allow_growth "
    "gpu_memory_frac_for_testing use_unified_memory sync_on_finish mkl kmp_blocktime kmp_affinity kmp_settings "
    "gpu_allocator numa_node use_numa_affinity enable_optimizations".split()
)
# A tower holds a tensor, its mean and parts on their way; the check has them in float64 in NumPy.
COPIES_IN_MEMORY = 8


@dataclass(frozen=True)
class Case:
    """Gradients to exchange: name -> shape; `title` is the model's name or the size."""

    title: str
    shapes: dict[str, tuple[int, ...]]

    @property
    def sizes(self) -> dict[str, int]:
        """The number of elements of each."""
        return {name: math.prod(shape) for name, shape in self.shapes.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    parser = _parser()
    options, flags = parser.parse_known_args(arguments)
    results: list[Result] = []
    code = report.conclude(parser, lambda: benchmark(options, run_flags(flags), results))  # flags are checked in there
    return code if all(result.right for result in results) else ExitCode.FAILED


def run_flags(flags: Sequence[str]) -> CommandLine:
    """The flags of run_benchmark.py among the arguments. Raises UserError where they are no all-reduce."""
    command = parse(["--variable_update=replicated", "--num_gpus=2", *flags])
    params = command.params
    if command.answer is None and params.variable_update != "replicated":
        raise UserError(
            f"--variable_update={params.variable_update}: what is timed here is the all-reduce of replicated towers in "
            "one process. Leave the flag out, and those of a cluster; --algorithms chooses what is timed."
        )
    if command.answer is None and params.num_gpus < 2:
        raise UserError(f"--num_gpus={params.num_gpus}: there is nothing to exchange. Pass at least --num_gpus=2.")
    return command


def without_effect(command: CommandLine, algorithms: Sequence[str] | None) -> list[Notice]:
    """What was given and does not act here. `algorithms` are those of --algorithms; None: as the flags say, or all.

    Raises UserError where two flags choose the algorithm.
    """
    params = command.params
    if algorithms and (params.all_reduce_spec or params.hierarchical_copy):
        given = f"--all_reduce_spec={params.all_reduce_spec}" if params.all_reduce_spec else "--hierarchical_copy"
        raise UserError(f"{given} and --algorithms={','.join(algorithms)} both choose the algorithm: give one of them.")
    # No spec to run, but one that names what is timed: some flags act with certain algorithms only.
    named = params.all_reduce_spec or ":".join(algorithms or ALGORITHMS)
    return notices(dataclasses.replace(params, all_reduce_spec=named), command.given, HEEDED)


def benchmark(options: argparse.Namespace, command: CommandLine, results: list[Result]) -> None:
    """Measure, print and save; `results` gets each result as it comes."""
    if command.answer is not None:
        report.say(command.answer)
        return
    report.check_writable(options.output)
    prepare(command.params, without_effect(command, options.algorithms), report.note)

    import_tensorflow()
    from benchmarks import devices
    from benchmarks.exchange import plan_exchange, reduce_options
    from benchmarks.topology.tower_wiring import derived_topology, told

    found = devices.set_up(command.params)
    params = resolve(command.params, device=found.kind)
    derived = derived_topology(params, found.towers, partial(devices.numbers, params))
    if derived:
        report.note(f"NOTE: --network_topology=auto: {told(derived)}")
    exchange = reduce_options(params, derived)
    names = options.algorithms or ([exchange.spec] if exchange.spec else possible(exchange, found.towers))
    chosen = {name: _with_algorithm(exchange, name) for name in names}
    for each in chosen.values():
        plan_exchange(each, {"probe": 1}, found.towers)  # what these devices lack is said at once
    report.say(f"{len(found.towers)} towers on {', '.join(found.towers)}, medians of all-reduces.")
    for case in cases(options, params, found.towers):
        measured = []
        for name, each in chosen.items():
            plan = plan_exchange(each, case.sizes, found.towers)
            if result := measure(case, name, plan, options, command.params):
                measured.append(result)
                report.note(line(result))
        results += measured
        if measured:
            report.say(f"\n{table(measured)}")
        _save(options, results)


def possible(exchange: ReduceOptions, towers: Sequence[str]) -> list[str]:
    """Every algorithm that exchanges gradients so between these towers; a word on those that do not."""
    names = [NO_SPEC, *ALGORITHMS]
    names += [f"{first}/{second}" for first, seconds in TWO_LEVELS.items() for second in seconds]
    lacking = [name for name in names if not _can_be_had(_with_algorithm(exchange, name), towers)]
    if lacking:
        report.note(f"left out, as they cannot be had here: {', '.join(lacking)}")
    return [name for name in names if name not in lacking]


def _can_be_had(exchange: ReduceOptions, towers: Sequence[str]) -> bool:
    try:
        make_plan(exchange, {"probe": 1}, towers)
    except CannotReduceError:
        return False
    return True


def _with_algorithm(exchange: ReduceOptions, name: str) -> ReduceOptions:
    return dataclasses.replace(exchange, spec=None if name == NO_SPEC else name)


def cases(options: argparse.Namespace, params: ResolvedParams, towers: Sequence[str]) -> Iterator[Case]:
    """The gradients of the model, and tensors of the sizes that fit into memory."""
    if options.only != "sizes":
        from models.layers import declarations

        network = models.get(params.model, params.data_name)
        facts = DATASETS[params.data_name]
        declared = declarations(network, facts.tcb_num_classes if params.tcb_class_counts else facts.num_classes)
        yield Case(params.model, {each.name: each.shape for each in declared if each.trainable})
    free = available()
    for text, nbytes in options.sizes if options.only != "model" else ():
        needed = nbytes * len(towers) * COPIES_IN_MEMORY
        if params.device == "cpu" and free is not None and needed > free:
            report.note(f"{text} is left out: {len(towers)} towers need {needed:.2g} bytes, {free:.2g} are free")
        else:
            yield Case(text, {"tensor": (nbytes // GRADIENT_BYTES,)})


def measure(case: Case, algorithm: str, plan: Plan, options: argparse.Namespace, params: Params) -> Result | None:
    """Check and time `plan` on the gradients of `case`; None, and a word, where a device's memory is too small."""
    import tensorflow as tf

    from benchmarks.timed_exchange import TimedExchange

    try:
        exchange = TimedExchange(plan, case.shapes)
        largest_error = exchange.largest_error()
        seconds = exchange.seconds(
            options.iters_per_step,
            warmup=WARMUP if params.num_warmup_batches is None else params.num_warmup_batches,
            steps=params.num_batches or STEPS,
            at_most_seconds=options.seconds,
        )
    except tf.errors.ResourceExhaustedError:
        report.note(f"{case.title}: {algorithm} is left out: out of memory")
        return None
    traffic = exchange_bytes(plan)
    form = plan.options.transfer_format
    nbytes = TRANSFER_BYTES[form] * sum(case.sizes.values())
    return Result(
        case.title,
        algorithm,
        form,
        len(plan.towers),
        nbytes,
        traffic.exchanges,
        traffic.sent_bytes,
        seconds,
        largest_error,
    )


def size(text: str) -> tuple[str, int]:
    """A size as it is written, and in bytes: a multiple of 4, such as 1kB, 32MB or 1GB (powers of 1024)."""
    match = re.fullmatch("([1-9][0-9]*)(k|K|M|G|)B", text)
    nbytes = int(match[1]) * 1024 ** " KMG".index(match[2].upper() or " ") if match else 0
    if not nbytes or nbytes % GRADIENT_BYTES:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: a multiple of 4 bytes, such as 400B, 1kB, 32MB or 1GB")
    return text, nbytes


def algorithm(text: str) -> str:
    """An entry of --algorithms."""
    if text != NO_SPEC:
        try:
            parse_spec(text)
        except SpecError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error
    return text


def _listed(item: Callable[[str], Item]) -> Callable[[str], list[Item]]:
    def read(text: str) -> list[Item]:
        return [item(each) for each in text.split(",")]

    return read


def _save(options: argparse.Namespace, results: Sequence[Result]) -> None:
    figures = {"iters_per_step": options.iters_per_step, "results": [result.figures() for result in results]}
    report.save(options.output, "all_reduce", figures)


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("all_reduce", DESCRIPTION)
    parser.prog = "python -m benchmarks.all_reduce"
    parser.add_argument(
        "--algorithms",
        type=_listed(algorithm),
        metavar="SPEC,SPEC",
        help=f"as in --all_reduce_spec, or {NO_SPEC}: what a run does without one (every one that the devices have)",
    )
    parser.add_argument("--sizes", type=_listed(size), default=SIZES, metavar="SIZE,SIZE", help=f"default {SIZES}")
    parser.add_argument("--only", choices=("model", "sizes"), help="leave the other part out")
    parser.add_argument("--iters_per_step", type=count, default=5, help="all-reduces in a step (default 5)")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="end a row after this time, with 3 steps at least (default 10)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
