"""From the arguments of a command to `Params`, or to all that is wrong with them at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from absl import flags

from benchmarks.errors import UserError
from benchmarks.params import recorded_flags
from benchmarks.params.advised import Advice, advised
from benchmarks.params.help_text import help_text, model_list
from benchmarks.params.option import Option, closest
from benchmarks.params.paper_schedule import with_paper_schedule
from benchmarks.params.params import Params, options
from benchmarks.params.rules import Check, validate
from results.record import RunRecord

ANSWERS = {
    "help": help_text,
    "h": help_text,
    "helpfull": lambda: help_text(full=True),
    "helpshort": help_text,  # absl's name
    "list_models": model_list,
}
OWN_FLAGS = ("flagfile", "undefok", recorded_flags.FLAG)  # read before the options are


class CommandLineError(UserError):
    """A command line that cannot be run, with every problem it has."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class CommandLine:
    """What a command asks for: a run with `params`, or, if it asked for help, to print `answer` and be done.

    `given` are the names of the options that were written out, whatever their value; `rerun` is the record that --rerun
    names, whose flags are among them. --paper_schedule has been followed in `params`; `advice` is what stands there for
    each auto of the flags that say where variables live.
    """

    params: Params
    given: frozenset[str] = frozenset()
    answer: str | None = None
    rerun: RunRecord | None = None
    advice: Advice | None = None


def parse(arguments: Sequence[str], *, leave_out: Collection[Check] = ()) -> CommandLine:
    """Read the arguments that follow the program's name. Raises CommandLineError with all problems together.

    The rules in `leave_out` say nothing: what they look for is not there yet.
    """
    values = _declared_flags()
    problems: list[str] = []
    expanded = _with_flagfiles(arguments, values, problems)
    with_recorded, record = recorded_flags.with_recorded_flags(expanded, problems)
    readable = _without_negated_values(with_recorded, problems)
    rest = _consume(readable, values, problems)
    for name, answer in ANSWERS.items():
        if values[name].value:
            return CommandLine(Params(), answer=answer())
    problems += _unknown(rest)

    given = frozenset(name for name in options() if values[name].present)
    unreadable = {name: values[name].value for name in given if isinstance(values[name].value, Unreadable)}
    problems += [unreadable[name].problem for name in options() if name in unreadable]
    params = Params(**{name: values[name].value for name in given if name not in unreadable})
    params, advice = advised(params)
    problems += validate(params, without=unreadable, leave_out=leave_out)
    if problems:
        raise CommandLineError(advice.behind(problems) if advice else problems)
    return CommandLine(with_paper_schedule(params, given), given, rerun=record, advice=advice)


@dataclass(frozen=True)
class Unreadable:
    """What absl keeps as the value of a flag whose text stands for none, so that it goes on to the next flag."""

    problem: str


class _Parser(flags.ArgumentParser):  # type: ignore[misc]  # absl is not typed
    """Lets an option's declaration read its text, and never raises: a wrong value must not hide the next."""

    def __init__(self, option: Option) -> None:
        super().__init__()
        self.option = option

    def parse(self, argument: Any) -> Any:
        if not isinstance(argument, str) or argument == self.option.default:
            return argument
        try:
            return self.option.parse(argument)
        except ValueError as problem:
            return Unreadable(str(problem))


def _declared_flags() -> flags.FlagValues:
    """All options as absl flags, in a place of their own: importing a library must not add to them."""
    values = flags.FlagValues()
    values.set_gnu_getopt(True)  # go on after a positional argument, to find what else is wrong
    for option in options().values():
        flag = flags.Flag(
            _Parser(option),
            flags.ArgumentSerializer(),
            option.name,
            option.default,
            option.help,
            boolean=option.kind is bool,
        )
        flags.DEFINE_flag(flag, values, module_name=option.group)
    for name in ANSWERS:
        flags.DEFINE_boolean(name, False, "Print it and end.", flag_values=values, module_name="help")
    return values


def _with_flagfiles(arguments: Iterable[str], values: flags.FlagValues, problems: list[str]) -> list[str]:
    """`arguments` with each --flagfile replaced by what is in it."""
    expanded = []
    rest = iter(arguments)
    for argument in rest:
        if argument in ("--flagfile", "-flagfile"):
            argument = f"--flagfile={next(rest, '')}"
        if argument == "--":
            expanded += [argument, *rest]
        elif re.match("--?flagfile=", argument):
            expanded += _lines_of(argument, values, problems)
        else:
            expanded.append(argument)
    return expanded


def _lines_of(argument: str, values: flags.FlagValues, problems: list[str]) -> list[str]:
    """The arguments in the file that a --flagfile=FILE names, and in those named there."""
    cause: object = "it names no file"
    if argument.partition("=")[2]:
        try:
            return list(values.read_flags_from_files([argument]))
        except flags.CantOpenFlagFileError as error:
            reason = error.__context__
            cause = f"{reason.filename}: {reason.strerror}" if isinstance(reason, OSError) else error
        except UnicodeDecodeError:
            cause = "it is not text"
    problems.append(f"{argument} cannot be read: {cause}. Give a text file with one flag a line.")
    return []


def _without_negated_values(arguments: Iterable[str], problems: list[str]) -> list[str]:
    """`arguments` without any --noname=value, which absl would raise at."""
    kept = []
    for argument in arguments:
        match = re.match("--?no([^=]+)=", argument)
        if match and match[1] in options() and options()[match[1]].kind is bool:
            name = match[1]
            problems.append(f"{argument}: --no{name} takes no value. Write --no{name} or --{name}=false.")
        else:
            kept.append(argument)
    return kept


def _without_answer_values(arguments: list[str], problems: list[str]) -> list[str]:
    """`arguments` without any --help=value, which absl would raise at."""
    kept = []
    for argument in arguments:
        name, equals, value = argument.lstrip("-").partition("=")
        if equals and name in ANSWERS and argument.startswith("-") and value not in ("true", "false"):
            problems.append(f"{argument}: --{name} takes no value. Write --{name}.")
        else:
            kept.append(argument)
    return kept


def _consume(arguments: list[str], values: flags.FlagValues, problems: list[str]) -> list[str]:
    """Set `values` from `arguments`; what is left are unknown flags and positional arguments."""
    arguments = _without_answer_values(arguments, problems)
    try:
        rest = values(["", *arguments], known_only=True)
    except flags.Error:  # as no parser raises, the one thing left is a last flag whose value is missing
        flag = arguments[-1]
        problems.append(f"{flag} is the last argument and has no value. Write {flag}=VALUE.")
        rest = values(["", *arguments[:-1]], known_only=True)
    return list(rest[1:])


def _unknown(rest: list[str]) -> list[str]:
    """The problems with what no flag has taken."""
    end = rest.index("--") if "--" in rest else len(rest)
    unknown = [argument for argument in rest[:end] if argument.strip("-") and argument.startswith("-")]
    positional = [argument for argument in rest[:end] if argument not in unknown] + rest[end + 1 :]
    problems = [_unknown_flag(argument) for argument in unknown]
    if positional:
        problems.append(
            f"Received unknown positional arguments: {' '.join(positional)}. Every setting is a flag: --name=value."
        )
    return problems


def _unknown_flag(argument: str) -> str:
    name = argument.lstrip("-").partition("=")[0]
    if " " in name:  # a line of a --flagfile, or a quoted argument
        return f"Unknown flag {argument}. Write name and value with = between: --{'='.join(name.split(None, 1))}."
    negated = [f"no{option.name}" for option in options().values() if option.kind is bool]
    match = closest(name, [*options(), *ANSWERS, *OWN_FLAGS, *negated])
    meant = f" Did you mean --{match}?" if match else ""
    return f"Unknown flag {argument}.{meant} See --help."
