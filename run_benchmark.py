#!/usr/bin/env python3
"""Measure the training speed of a convolutional network: parse, run, print, write the record.

Exit codes: 0 the run completed and what it computed is right; 1 it failed; 2 something given cannot be used; 3 it
completed, but computed something wrong; 130 and 143 it was interrupted (Ctrl-C, SIGTERM).
"""

from __future__ import annotations

import time

START = time.perf_counter()  # the time to the first step counts from here

from benchmarks import signals  # noqa: E402

if __name__ == "__main__":
    signals.end_without_a_word()

import dataclasses  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

from benchmarks import rerun  # noqa: E402
from benchmarks.cluster import roles  # noqa: E402
from benchmarks.cluster.cluster import Cluster  # noqa: E402
from benchmarks.console import DONE, Console, total_block  # noqa: E402
from benchmarks.errors import ExitCode, UserError  # noqa: E402
from benchmarks.params import CommandLine, notices, parse  # noqa: E402
from benchmarks.params.recorded_flags import overridden  # noqa: E402
from benchmarks.preflight import command as preflight  # noqa: E402
from benchmarks.preparation import prepare  # noqa: E402
from benchmarks.repeats import Repeats  # noqa: E402
from benchmarks.tensorflow_lines import import_tensorflow  # noqa: E402
from results import cost, store  # noqa: E402
from results.exports import tcb_logs  # noqa: E402
from results.record import RunRecord  # noqa: E402

NO_RECORD = "Record: none, as nothing was measured"

if TYPE_CHECKING:
    from benchmarks.ending import Ending  # needs NumPy, for which help and errors must not wait


def main(arguments: Sequence[str]) -> ExitCode:
    """Do what the arguments ask for."""
    console = Console()
    try:
        command = parse(arguments)
        if command.answer is not None:
            console.answer(command.answer)
            return ExitCode.VALID
        if command.params.preflight:
            return preflight.run(command.params, console)
        cluster = _cluster(command, console)
        _check_rerun(command, cluster)
        results_dir = Path(command.params.results_dir).expanduser()
        if cluster is None or cluster.drives:
            store.check_folder(results_dir)
            if log_dir := _log_dir(command.params.benchmark_log_dir):
                store.check_folder(log_dir, tcb_logs.FLAG, tcb_logs.WHAT)
    except (UserError, store.FolderError) as error:
        return _unusable(error, console)
    except KeyboardInterrupt:
        return _interrupted(console)
    if command.params.repeats > 1 and not command.params.repeat_number:
        return Repeats(arguments, command.params.repeats, results_dir, console).run()
    command_line = [sys.argv[0], *arguments]
    try:
        if command.params.find_batch_size and not command.params.trial_number:
            from benchmarks.batch_search.command import BatchSearch  # needs NumPy, for which others must not wait

            preflight.before_run(command.params, console.notice)
            return BatchSearch(arguments, command, results_dir, console).run()
        if command.params.tune_cpu and not command.params.trial_number:
            from benchmarks.cpu_tuning.command import CpuTuning  # as above

            return CpuTuning(arguments, command, results_dir, console).run()
        if cluster is not None:
            return _in_cluster(command, cluster, command_line, results_dir, console)
        return benchmark(command, command_line, results_dir, console)
    except UserError as error:
        return _unusable(error, console)
    except KeyboardInterrupt:
        return _interrupted(console)


def benchmark(command: CommandLine, command_line: Sequence[str], results_dir: Path, console: Console) -> ExitCode:
    """Run on this machine alone, write the record, and print the last lines. Raises UserError where preflight stops."""
    _prepare_environment(command, console)
    known = preflight.before_run(command.params, console.notice)
    try:
        import_tensorflow()  # which must find its environment variables set
        from benchmarks import runner
    except ImportError as error:
        if command.params.debug:
            raise
        console.notice(f"run_benchmark.py: error: cannot import what requirements.txt installs: {error}")
        return ExitCode.UNUSABLE

    ending = runner.run(command, command_line, console, started=START, known=known)
    exit_code = ending.exit_code
    if not ending.leaves_record:
        console.notice(NO_RECORD if ending.refused else "Record: left by the first process of Horovod")
    elif not _write(ending.record, results_dir, console):
        exit_code = ExitCode.FAILED
    if command.rerun and not ending.refused:
        console.notice(rerun.outcome(command.rerun, ending.record))
    _conclude(ending, ending.record.images_per_second, console)
    return exit_code


def _interrupted(console: Console) -> ExitCode:
    console.notice("run_benchmark.py: interrupted before the run began; there is no record")
    return ExitCode.INTERRUPTED


def _unusable(error: Exception, console: Console) -> ExitCode:
    for problem in str(error).splitlines():
        console.notice(f"run_benchmark.py: error: {problem}")
    return ExitCode.UNUSABLE


def _cluster(command: CommandLine, console: Console) -> Cluster | None:
    """The cluster that this process is part of, if any. Raises UserError."""
    if command.params.variable_update == "horovod":
        return None  # its processes are those that it has started
    if command.params.cluster_resolver not in roles.RESOLVERS:
        return roles.find(command.params, os.environ)
    _prepare_environment(command, console)
    import_tensorflow()
    from benchmarks.cluster import resolvers

    return resolvers.find(command.params)


def _in_cluster(
    command: CommandLine, cluster: Cluster, command_line: Sequence[str], results_dir: Path, console: Console
) -> ExitCode:
    """Play this process's part in `cluster`. Does not return: TensorFlow's servers end with their process only.

    Raises UserError where preflight stops it.
    """
    from benchmarks.cluster import session
    from benchmarks.cluster.watchdog import leave

    if cluster.source != "flags":
        console.notice(f"NOTE: this process is {cluster.task} of the cluster ({cluster}) that {cluster.source} names.")
    command = dataclasses.replace(command, params=session.with_roles(command.params, cluster))
    if command.params.cluster_resolver not in roles.RESOLVERS:  # for those it is done
        _prepare_environment(command, console)
    os.environ.update(session.past_proxies(cluster, os.environ))
    known = preflight.before_run(command.params, console.notice)
    part = session.join(
        command, cluster, command_line, console, START, lambda record: _write(record, results_dir, console), known
    )
    ending = part.run()
    exit_code = ending.exit_code
    if cluster.drives and ending.refused:
        console.notice(NO_RECORD)
    elif cluster.drives and not _write(ending.record, results_dir, console):
        exit_code = ExitCode.FAILED
    if cluster.drives and command.rerun and not ending.refused:
        console.notice(rerun.outcome(command.rerun, ending.record))
    figure = part.finish(ending, exit_code)
    _conclude(ending, figure, console)
    leave(exit_code)
    return exit_code


def _prepare_environment(command: CommandLine, console: Console) -> None:
    prepare(command.params, notices(command.params, command.given), console.notice)
    if command.advice:
        console.notice(f"NOTE: {command.advice}")
    if command.rerun:
        _tell_rerun(command.rerun, command, console)


def _check_rerun(command: CommandLine, cluster: Cluster | None) -> None:
    """Raises UserError where the record of a cluster would be run again by this process alone."""
    if command.rerun and command.rerun.cluster and cluster is None:
        raise UserError(
            f"--rerun={command.rerun.file}: that run had several processes. Start each of them, with its role in flags "
            "or TF_CONFIG as before; on one machine python -m benchmarks.launch does."
        )


def _tell_rerun(record: RunRecord, command: CommandLine, console: Console) -> None:
    """What is run again, and what is not as it was."""
    console.notice(f"Rerun of {record.file}, which ran at {record.started_at}.")
    for override in overridden(record, command.params):
        console.notice(f"NOTE: {override}")
    differences = rerun.differences_now(record)
    for difference in differences:
        console.notice(f"NOTE: {difference}")
    if not differences:
        console.notice("Nothing that the record knows of the machine differs now.")


def _write(record: RunRecord, results_dir: Path, console: Console) -> bool:
    """Write `record`, and the logs that were asked for; whether that could be done."""
    try:
        console.notice(f"Record: {store.write(record, results_dir)}")
        if log_dir := _log_dir(record.params["benchmark_log_dir"]):
            tcb_logs.write(record, log_dir)
    except store.FolderError as error:
        console.notice(f"run_benchmark.py: error: {error}")
        return False
    return True


def _log_dir(given: str | None) -> Path | None:
    return Path(given).expanduser() if given else None


def _conclude(ending: Ending, images_per_second: float | None, console: Console) -> None:
    """The message of a run that did not complete, or the total; on stdout nothing follows the total's dashes.

    With evaluations there is no total: tf_cnn_benchmarks printed none, and the figure is in the record.
    """
    record = ending.record
    if record.message:
        console.notice(f"run_benchmark.py: {record.status}: {record.message}")
    for line in cost.report(record.cost):
        console.notice(f"NOTE: {line}.")
    if fingerprint := record.checks.get("determinism", {}).get("losses_sha256"):
        console.notice(f"NOTE: --deterministic: the losses have the fingerprint {fingerprint}.")
    if record.statistics:
        for finding in record.statistics.findings:
            if str(finding) not in record.statistics.unsteady:  # else it is among the problems
                console.notice(f"NOTE: {finding}.")
    for problem in record.problems:
        verdict = "INVALID" if problem in record.wrong else "not fit for comparison"
        console.notice(f"run_benchmark.py: {verdict}: {problem}")
    if record.status == "completed" and images_per_second is not None:
        trained_too = record.evaluation and not record.params.get("eval")
        if trained_too:
            console.notice(f"NOTE: {images_per_second:.2f} images a second while it trained.")
        console.line(DONE if trained_too else total_block(images_per_second))


if __name__ == "__main__":
    signals.interrupt()
    sys.exit(main(sys.argv[1:]))
