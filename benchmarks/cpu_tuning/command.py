"""The story of a search for settings, from the command line to the command that runs the fastest."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import numa
from benchmarks.console import Console
from benchmarks.cpu_tuning.report import named, table
from benchmarks.cpu_tuning.rounds import FINAL_RUNS, better_half, fastest, most_runs, not_slower, too_many
from benchmarks.cpu_tuning.settings import Setting, settings
from benchmarks.errors import ExitCode
from benchmarks.machine.processors import usable_cores
from benchmarks.params import CommandLine, CommandLineError, Params, notices, parse
from benchmarks.params.recorded_flags import written
from benchmarks.params.resolve import images_per_tower
from benchmarks.trials import (
    SearchEnded,
    Trial,
    TrialFailed,
    Trials,
    command_to_run,
    length_flags,
)
from results.durations import about

_WARMUP = 3
_FIRST_STEPS = 5  # of the trial that shows how long a step takes
_WINDOW_SECONDS = 5.0  # of a trial, as far as its numbers of steps allow
_STEPS = (10, 200)
_TIMES_AS_LONG, _SECONDS_MORE = 5.0, 60.0  # than expected: then a trial is ended

Speeds = defaultdict[Setting, list[float]]


class CpuTuning:
    """A search for the fastest settings of the run that `command`, with these `arguments`, asks for."""

    def __init__(self, arguments: Sequence[str], command: CommandLine, results_dir: Path, console: Console) -> None:
        params = command.params
        self._arguments = list(arguments)
        self._command = command
        self._console = console
        self._trials = Trials(arguments, results_dir)
        self._images = params.num_gpus * images_per_tower(params)
        self._default, *self._others = settings(params, command.given, self._images, _cores(params))
        self._length: list[str] = []
        self._limit_seconds = float("inf")
        self._before: Speeds = defaultdict(list)
        self._finals: Speeds = defaultdict(list)
        self._made: list[Trial] = []
        self._again = FINAL_RUNS  # so many runs of the finals may be made anew
        self._codes: defaultdict[Setting, int] = defaultdict(int)

    def run(self) -> ExitCode:
        """Make the trials, print them as a table, and say which settings to take; returns the exit code."""
        with self._trials.receiving_signals():
            for notice in notices(self._command.params, self._command.given):
                self._console.notice(f"WARNING: {notice}")
            try:
                left = [self._default, *filter(self._possible, self._others)]
                self._plan(len(left))
                found = self._search(left)
            except SearchEnded as ended:
                self._table()
                self._console.notice(f"run_benchmark.py: {ended}")
                self._tell_so_far()
                return ended.code
            self._table()
            self._tell(found)
            return self._code_of(found)

    def _search(self, left: list[Setting]) -> Setting:
        """Try all, again and again the better half of them, and measure the last ones several times for the verdict."""
        number = 0
        while too_many(len(left)):
            number += 1
            self._round(f"round {number}", left, self._before, backwards=number % 2 == 0)
            left = better_half({each: self._before[each] for each in left}, self._default)
        for number in range(1, FINAL_RUNS + 1):
            self._round(f"final {number} of {FINAL_RUNS}", left, self._finals, backwards=number % 2 == 0)
            left = not_slower({each: self._finals[each] for each in left}, self._default)
            if left == [self._default]:
                break
        return fastest(self._finals, self._default)

    def _possible(self, setting: Setting) -> bool:
        """Whether the run can have `setting` at all, as far as flags tell."""
        flags = [written(name, value) for name, value in setting.flags(self._images).items()]
        try:
            parse([*self._arguments, *flags])
        except CommandLineError as error:
            self._console.notice(f"NOTE: not tried: {named(setting, self._images)}: {error.problems[0]}")
            return False
        return True

    def _plan(self, number: int) -> None:
        """Make the run as it is once, which shows how long a step takes, and say how long all will take."""
        self._length = _length(self._command, _FIRST_STEPS)
        trial, made = self._trials.run(self._flags(self._default)), self._steps()
        if trial.step_seconds is None:
            raise SearchEnded(
                ExitCode.FAILED, f"{trial.outcome} with your command as it is: give a smaller --batch_size"
            )
        steps = min(max(math.ceil(_WINDOW_SECONDS / trial.step_seconds), _STEPS[0]), _STEPS[1])
        self._length = _length(self._command, steps)
        seconds = trial.seconds + (self._steps() - made) * trial.step_seconds
        self._limit_seconds = _TIMES_AS_LONG * seconds + _SECONDS_MORE
        if number == 1:
            self._console.notice(
                "NOTE: there is nothing to try beside your command as it is, which is run once more: flags that are "
                "given stay. Leave some of them out."
            )
            return
        runs = most_runs(number)
        self._console.notice(
            f"NOTE: {number} settings with {self._images} images a step: at most {runs} more runs of some "
            f"{seconds:.0f} s, in all about {about(runs * seconds)}. Ctrl-C ends them and tells what was found; "
            "flags that are given stay, and leave fewer to try."
        )

    def _steps(self) -> int:
        """The number of measured steps of a trial, as far as it is a number; flags of the user's go before."""
        return parse([*self._arguments, *self._length]).params.num_batches or 0

    def _round(self, name: str, left: list[Setting], speeds: Speeds, *, backwards: bool) -> None:
        """Try each of `left` once; those that cannot run are taken out of it."""
        for setting in left[::-1] if backwards else list(left):
            self._console.progress(f"{name}: {named(setting, self._images)}")
            try:
                trial = self._trials.run(self._flags(setting), self._limit_seconds)
                if trial.busy and speeds is self._finals and self._again:
                    self._again -= 1
                    self._console.notice(f"NOTE: {name}: other programs kept the processors busy: once more")
                    trial = self._trials.run(self._flags(setting), self._limit_seconds)
                reason = trial.outcome
            except TrialFailed as failed:
                if setting == self._default:
                    raise
                trial, reason = None, str(failed)
            if trial is None or trial.images_per_second is None:
                if setting == self._default:
                    raise SearchEnded(ExitCode.FAILED, f"{reason} with your command, which ran before")
                left.remove(setting)
                speeds.pop(setting, None)
                self._console.notice(f"NOTE: {name}: {named(setting, self._images)}: left out: {reason}")
                continue
            self._made.append(trial)
            speeds[setting].append(trial.images_per_second)
            self._codes[setting] = max(self._codes[setting], trial.code)
            told = f"{named(setting, self._images)}: {trial.images_per_second:,.1f} images/s"
            self._console.notice(f"NOTE: {name}: {told}")

    def _flags(self, setting: Setting) -> list[str]:
        return [*self._length, *(written(name, value) for name, value in setting.flags(self._images).items())]

    def _table(self) -> None:
        if not self._made:
            return
        for line in table(self._finals, self._before, self._default, self._images):
            self._console.line(line)
        busy = sum(trial.busy for trial in self._made)
        if busy:
            self._console.notice(
                f"NOTE: in {busy} of {len(self._made)} trials other programs kept the processors busy: what they "
                "say is less sure."
            )

    def _tell(self, found: Setting) -> None:
        if found == self._default:
            self._console.line("Nothing that was tried is measurably faster than your command as it is.")
        else:
            self._console.line(f"The fastest that is measurably faster than yours: {named(found, self._images)}.")
        self._console.line(command_to_run(self._command, ("tune_cpu",), self._flags_of(found)))

    def _flags_of(self, found: Setting) -> dict[str, Any]:
        """What to give besides the command as it is."""
        return {"device": "cpu"} if found == self._default else found.flags(self._images)

    def _tell_so_far(self) -> None:
        speeds = {each: found for of in (self._before, self._finals) for each, found in of.items() if found}
        if speeds:
            best = max(speeds, key=lambda each: sum(speeds[each]) / len(speeds[each]))
            own = " (yours)" if best == self._default else ""
            told = f"So far the fastest, of too few runs to be sure: {named(best, self._images)}{own}."
            self._console.notice(f"The search ended early. {told}")
            self._console.line(command_to_run(self._command, ("tune_cpu",), self._flags_of(best)))

    def _code_of(self, found: Setting) -> ExitCode:
        """Whether what the trials of `found` computed was right."""
        if self._codes[found]:
            self._console.notice("run_benchmark.py: INVALID: a trial of these settings computed something wrong")
        return ExitCode(self._codes[found])


def _length(command: CommandLine, steps: int) -> list[str]:
    return length_flags(command, {"num_warmup_batches": _WARMUP, "num_batches": steps})


def _cores(params: Params) -> int:
    """On how many processors a trial may run: those of its NUMA node, or those that this process may use."""
    nodes = numa.usable(numa.nodes())
    node = numa.node_of(params, os.environ, nodes)
    if node is not None:
        return len(nodes[node])
    return usable_cores() or 1
