"""`python -m benchmarks.advise --model=vgg16`: where to keep a model's variables, and how fast that will be."""

from __future__ import annotations

from benchmarks import signals

if __name__ == "__main__":
    signals.end_without_a_word()

import argparse
import csv
import dataclasses
import io
import re
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import models
from benchmarks import output_file
from benchmarks.advice import candidates, one_device, target
from benchmarks.advice.candidates import Candidate
from benchmarks.advice.cost_model import Prediction
from benchmarks.advice.findings import Findings, facts, rows, told
from benchmarks.advice.measured import Case, Runs, images_per_second, interleaved, ranked, whole_rounds
from benchmarks.advice.one_device import OneDevice
from benchmarks.advice.predictions import predictions
from benchmarks.advice.rules import choose
from benchmarks.advice.situation import situation, training_cost
from benchmarks.advice.target import Target
from benchmarks.errors import ExitCode, UserError
from benchmarks.params import Params, parse
from benchmarks.params.data_set import data_name
from benchmarks.params.recorded_flags import written
from benchmarks.params.resolve import precision
from benchmarks.studies import report
from benchmarks.trials import SearchEnded, Trials
from models.cost import Cost
from results import store
from results.commands.arguments import count

DESCRIPTION = """\
Rank the ways of keeping a model's variables in step on the GPUs of a machine: by the images/sec that a cost model
predicts from one device's and from the machine's links, and with --measure by short runs. Beside it stands what
--variable_update=auto takes, with its rule and source.

Without --wiring, --links or --platform it is about the GPUs of this machine. What stands after -- are flags of
run_benchmark.py for the runs of --measure.
"""
_LENGTH = {"num_warmup_batches": 5, "num_batches": 50}  # fifty steps support an interval within a run
# Flags of a run that this command has itself, or gives.
_OWN = (
    "model", "data_name", "batch_size", "precision", "num_gpus", "device", "results_dir", "variable_update",
    "local_parameter_device", "all_reduce_spec", "advised", "trial_set", "trial_number", "repeats", "find_batch_size",
)  # fmt: skip
_ALONE = Candidate("parameter_server")
_RUNS, _ROUNDS = "runs", 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    parser = _parser()
    try:
        return report.run(parser, lambda options: advise(options, given[end + 1 :]), given[:end])
    except SearchEnded as ended:
        report.note(f"{parser.prog}: {'error: ' if ended.code == ExitCode.UNUSABLE else ''}{ended}")
        return ended.code


def advise(options: argparse.Namespace, flags: Sequence[str]) -> None:
    """Predict, measure where asked to, and print. Raise UserError for what cannot be used."""
    params = _params(options, flags)
    _check(options)
    about = target.find(device=options.device, platform=options.platform, links=options.links, wires=options.wiring)
    counts, tried = about.counts(options.num_gpus), candidates.named(options.candidates, about.kind)
    if options.measure and counts == [1]:
        raise UserError(
            f"--num_gpus={options.num_gpus} with --measure: one device exchanges nothing. Ask for more too."
        )
    if options.measure and about.kind == "gpu":
        target.check_gpus(max(counts))
    base = _one_device(options, params, about)
    if base is None and not options.measure:
        raise UserError(_not_known(options, params, about))
    network = models.get(params.model, _data(params))
    params = dataclasses.replace(
        params, batch_size=base.batch_size if base else params.batch_size or network.batch_size
    )
    training = training_cost(network, _data(params))
    choices = {
        count: choose(situation(params.model, training, about.kind, count, about.wired(count), {})) for count in counts
    }
    runs = Runs({})
    if options.measure:
        cases = [Case(count, candidate) for count in counts if count > 1 for candidate in tried]
        runs, base = _measure(options, params, flags, about, cases, base)
    several = [count for count in counts if count > 1]
    found = Findings(
        params.model,
        params.batch_size,
        about.kind,
        about.machine,
        base,
        choices,
        why_not=about.why_not,
        broken=about.broken,
        predicted=_predicted(several, tried, about, base, params, training),
        measured={count: ranked(of_count) for count in several if (of_count := _of(runs.speeds, count))},
    )
    if runs.ended:  # --output keeps what it had
        if found.measured:
            report.say(told(found))
        raise runs.ended
    _save(options.output, found)
    report.say(told(found))


def _check(options: argparse.Namespace) -> None:
    """Raise UserError for options that would be passed over."""
    if options.rounds and not options.measure:
        raise UserError(f"--rounds={options.rounds}: rounds are of --measure. Add it, or leave them out.")
    if options.output and options.output.suffix not in ("", ".json", ".csv"):
        raise UserError(f"--output={options.output}: it is written as JSON or CSV. Give a name in .json or .csv.")
    folder = options.results_dir and Path(options.results_dir).expanduser()
    if folder and not options.measure and not folder.is_dir():
        raise UserError(f"--results_dir={options.results_dir}: there is no such folder to read runs from.")


def _params(options: argparse.Namespace, flags: Sequence[str]) -> Params:
    """The options and `flags` as those of a run. Raise UserError where they cannot be."""
    if flags and not options.measure:
        raise UserError(f"{' '.join(flags)}: flags after -- are for the runs of --measure. Add it, or leave them out.")
    for flag in flags:
        name = re.sub("^--?(no)?|=.*$", "", flag)
        if name in (*_OWN, "help"):
            raise UserError(f"{flag} after --: this command sets --{name} itself. Leave it out there.")
    own = {"model": options.model, "data_name": options.data_name or "imagenet", "precision": options.precision}
    own |= {"batch_size": options.batch_size, "results_dir": options.results_dir or _RUNS}
    return parse([*(written(name, value) for name, value in own.items()), *flags]).params


def _data(params: Params) -> str:
    return str(data_name(params))


def _one_device(options: argparse.Namespace, params: Params, about: Target) -> OneDevice | None:
    """What one device gives, as far as it is known without measuring, and of use."""
    if about.machine is None:
        return None
    numbers, asked = precision(params), params.batch_size
    batch_size = asked or models.get(params.model, _data(params)).batch_size
    if options.images_per_second:
        return OneDevice(options.images_per_second, batch_size, "--images_per_second")
    if options.platform and (found := one_device.published(about.machine.name, params.model, asked, numbers)):
        return found
    folder = Path(params.results_dir).expanduser()
    return one_device.of_records(folder, params.model, about.machine.accelerator, batch_size, numbers)


def _not_known(options: argparse.Namespace, params: Params, about: Target) -> str:
    if about.machine is None:
        return f"Nothing can be predicted: {about.why_not}. Add --measure."
    numbers = precision(params)
    looked = f"no valid run with one tower in {numbers} is in {params.results_dir}"
    looked += f", and of {about.machine.name} no figure of one in {numbers} was published" if options.platform else ""
    size = f" and {params.batch_size} images a step" if params.batch_size else ""
    return (
        f"What one device gives with --model={params.model}{size} is not known: {looked}. Give --images_per_second or "
        "another --batch_size, or run run_benchmark.py, or this command with --measure, on such a machine."
    )


def _measure(
    options: argparse.Namespace,
    params: Params,
    flags: Sequence[str],
    about: Target,
    cases: Sequence[Case],
    base: OneDevice | None,
) -> tuple[Runs, OneDevice | None]:
    """The figures of `cases`, and what one device gives: it is measured too where that is of use and not known."""
    length = {} if params.num_batches or params.num_epochs or params.target_precision else _LENGTH
    own: dict[str, Any] = {"model": params.model, "data_name": _data(params), "precision": precision(params)}
    own |= {"device": about.kind, "batch_size": params.batch_size, "verify_variable_update": False} | length
    results_dir = Path(params.results_dir).expanduser()
    own |= {"advised": True, "results_dir": str(results_dir)}
    store.check_folder(results_dir)
    alone = Case(1, _ALONE)
    needed = about.machine is not None and base is None
    trials = Trials([*(written(name, value) for name, value in own.items()), *flags], results_dir)
    with trials.receiving_signals():
        runs = interleaved(
            lambda case: images_per_second(trials, case),
            [alone, *cases] if needed else cases,
            options.rounds or _ROUNDS,
            report.note,
        )
    speeds = whole_rounds(runs.speeds)
    if of_one := speeds.pop(alone, None):
        told_by = f"mean of {len(of_one)} run(s) of this command"
        base = OneDevice(statistics.geometric_mean(of_one), params.batch_size, told_by)
    return Runs(speeds, runs.ended), base


def _of(runs: Mapping[Case, list[float]], count: int) -> dict[Candidate, list[float]]:
    return {case.candidate: speeds for case, speeds in runs.items() if case.devices == count}


def _predicted(
    counts: Sequence[int],
    tried: Sequence[Candidate],
    about: Target,
    base: OneDevice | None,
    params: Params,
    training: Cost,
) -> dict[int, list[tuple[Candidate, Prediction]]]:
    """What each candidate is to give on each number of devices, the fastest first; {} where nothing says."""
    if about.machine is None or base is None:
        return {}
    of_one = Candidate("parameter_server", "cpu" if base.variables_on_cpu else "gpu")
    own = (params.model, training, params.batch_size, precision(params))
    workloads = {each: each.workload(*own, synthetic=not params.data_dir) for each in tried}
    measured = of_one.workload(*own, synthetic=not params.data_dir)
    return predictions(workloads, about.machine, measured, base.images_per_second, counts)


def _save(path: Path | None, found: Findings) -> None:
    """Write JSON, or where the name ends in .csv a row for each candidate. Raise UserError where it cannot."""
    if path is None or path.suffix != ".csv":
        report.save(path, "advise", facts(found))
        return
    text = io.StringIO()
    made = rows(found)
    writer = csv.DictWriter(text, list(made[0]) if made else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(made)
    output_file.write("output", str(path), text.getvalue().encode())


def _images_per_second(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, is {text!r}") from None
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0 and finite, is {text}")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.advise",
        usage="%(prog)s --model=NAME [options] [-- FLAGS]",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--model", required=True, metavar="NAME", help="a network of run_benchmark.py --list_models")
    add("--data_name", metavar="NAME", help="its data set (imagenet)")
    add("--batch_size", type=int, default=0, metavar="N", help="images a device and step (the model's own number)")
    add("--precision", default="fp32", metavar="NAME", help="numbers to compute with (fp32)")
    add("--num_gpus", default="", metavar="N,N", help="numbers of devices (1, 2, 4 ... all; on the CPU 2)")
    add("--device", default="auto", choices=("auto", "cpu", "gpu"), help="cpu: towers on logical CPU devices")
    add("--platform", metavar="NAME", help="a machine of results/reference, such as 'NVIDIA DGX-1'")
    add(
        "--wiring",
        type=report.file,
        metavar="FILE",
        help="another machine's, as python -m benchmarks.topology --output has it",
    )
    add(
        "--links",
        type=report.file,
        metavar="FILE",
        help="links as python -m benchmarks.topology --measure has measured them",
    )
    add(
        "--images_per_second",
        type=_images_per_second,
        metavar="X",
        help="of one device with its variables; else what was published of --platform, or valid runs in --results_dir",
    )
    add("--results_dir", metavar="DIR", help=f"where runs are read from and written to ({_RUNS})")
    add("--candidates", default="", metavar="NAME,NAME", help="only these, as the tables name them")
    add("--measure", action="store_true", help="run each candidate, in turn, and rank by that")
    add("--rounds", type=count, metavar="N", help=f"of --measure, runs of each candidate ({_ROUNDS})")
    add(
        "--output",
        type=report.file,
        metavar="FILE",
        help="also write it as JSON, or as CSV where the name ends in .csv",
    )
    return parser


if __name__ == "__main__":
    signals.interrupt()
    sys.exit(main())
