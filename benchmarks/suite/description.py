"""What a suite's file asks for, before its cells are made: settings with the line that each stands on.

model: resnet50                     flags of all cells
repeats: 3                          words of cells, see WORDS_OF_A_CELL
grid: {num_gpus: [1, 2, 4]}         every combination is a cell; a list of grids has those of each
cells: [{model: vgg16}]             and these are cells
exclude: [{num_gpus: 4}]            but not these; {study: xla} leaves out a study
overrides: [{where: {num_gpus: [2, 4]}, set: {batch_size: 32}}]
studies: all                        the studies of python -m benchmarks.studies, a cell each
studies: [{study: all, pairs: 3}]   with options of their own, see STUDY_OPTIONS; cells can be such, too, as can where
                                    and exclude: {study: all} means every study there
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.errors import UserError
from benchmarks.suite.study_names import study_names
from benchmarks.suite.words import ALL, FAILURES, OF_A_STUDY, STUDY_OPTIONS, WORDS, WORDS_OF_A_CELL, known
from benchmarks.suite.yaml_lines import Mapping, Node, Sequence, Text


@dataclass(frozen=True)
class Setting:
    """What a flag or a word of a cell is set to, as it was typed, and where; None: as if it were not given."""

    text: str | None
    where: str


Settings = dict[str, Setting]
Axes = dict[str, list[Setting]]


@dataclass(frozen=True)
class Placed:
    """The settings of an explicit cell, or of an override, and where they stand."""

    settings: Settings
    where: str


@dataclass(frozen=True)
class Condition:
    """Which cells are meant: those that have one of the values of each flag; of studies only such as `study` names."""

    values: Axes
    where: str

    def holds(self, settings: Settings) -> bool:
        """Whether a cell with these settings is meant."""
        if not self.values or ("study" in settings and "study" not in self.values):
            return False  # a condition without values is one whose words are wrong, which is told
        return all(_meant(name, settings.get(name), wanted) for name, wanted in self.values.items())


@dataclass(frozen=True)
class Override:
    """What the cells of a condition have in place of what they would have."""

    condition: Condition
    settings: Settings


@dataclass
class Description:
    """A suite as it was described; `where` is where it stands."""

    name: str
    where: str
    about: str = ""
    base: Settings = field(default_factory=dict)
    grids: list[Axes] = field(default_factory=list)
    cells: list[Placed] = field(default_factory=list)
    studies: list[Placed] = field(default_factory=list)
    exclude: list[Condition] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    skips_missing_devices: bool = False


def described(root: Node, name: str, problems: list[str]) -> Description:
    """The suite that `root`, read from a file, describes; what is wrong with it is added to `problems`."""
    return _Reader(problems).suite(root, name)


def _meant(name: str, setting: Setting | None, wanted: Iterable[Setting]) -> bool:
    """Whether a cell that has `name` set so is one of those that a condition wants."""
    values = [_value(each) for each in wanted]
    return _value(setting) in values or (name == "study" and setting is not None and ALL in values)


def _value(setting: Setting | None) -> str | None:
    return setting.text.lower() if setting is not None and setting.text is not None else None


class _Reader:
    """Reads a description, and goes on after what is wrong."""

    def __init__(self, problems: list[str]) -> None:
        self._problems = problems

    def suite(self, root: Node, name: str) -> Description:
        found = Description(name, root.where)
        if not isinstance(root, Mapping):
            self._wrong(root, "a suite has flags with their values, as in model: resnet50")
            return found
        for key, value in root:
            word = str(key.text)
            if word in ("name", "description"):
                text = self._text(key, value).text or ""
                if word == "name" and not (text.strip() and text.isprintable()):
                    self._wrong(value, "a suite's name is one line of text")
                found.name, found.about = (text, found.about) if word == "name" else (found.name, text)
            elif word == "devices_missing":
                found.skips_missing_devices = self._text(key, value).text == "skip"
                self._check_word(word, self._text(key, value), ("skip", "fail"))
            elif word == "grid":
                found.grids += [self._axes(word, grid) for grid in _items(value)]
            elif word == "cells":
                found.cells += [one for each in self._list(key, value) for one in self._all_of(self._cell(each))]
            elif word == "exclude":
                found.exclude += [
                    Condition(self._axes(word, each, "study"), each.where) for each in self._list(key, value)
                ]
            elif word == "overrides":
                found.overrides += [self._override(each) for each in self._list(key, value)]
            elif word == "studies":
                found.studies += self._studies(value)
            else:
                found.base |= self._setting(key, value)
        return found

    def _override(self, node: Node) -> Override:
        entries = {str(key.text): value for key, value in node} if isinstance(node, Mapping) else {}
        if entries.keys() != {"where", "set"}:
            self._wrong(node, "an override has where and set, as in {where: {model: vgg16}, set: {batch_size: 32}}")
            return Override(Condition({}, node.where), {})
        return Override(
            Condition(self._axes("where", entries["where"], "study"), node.where), self._settings(entries["set"])
        )

    def _cell(self, node: Node) -> Placed:
        """A cell of its own: a configuration, or a study with its options."""
        settings = self._settings(node, "study", *STUDY_OPTIONS)
        for name in STUDY_OPTIONS:
            if name in settings and "study" not in settings:
                self._problems.append(f"{settings.pop(name).where}: {name} {OF_A_STUDY}.")
        return Placed(settings, node.where)

    def _studies(self, node: Node) -> list[Placed]:
        found = []
        for item in _items(node):
            if isinstance(item, Text) and item.text:
                found.append(Placed({"study": Setting(item.text, item.where)}, item.where))
            elif isinstance(item, Mapping) and "study" in [key.text for key, _ in item]:
                found.append(self._cell(item))
            else:
                such = "studies: [xla, {study: threads, pairs: 3}], or all"
                self._wrong(item, f"studies has names of studies, as in {such}")
        return [one for placed in found for one in self._all_of(placed)]

    def _all_of(self, placed: Placed) -> list[Placed]:
        """A cell as it is, or for the study `all` every one, with the same options."""
        study = placed.settings.get("study")
        if study is None or study.text != ALL:
            return [placed]
        try:
            names = study_names()
        except UserError as error:
            self._problems.append(f"{study.where}: {str(error).rstrip('.')}.")
            return []
        return [Placed(placed.settings | {"study": Setting(name, study.where)}, placed.where) for name in names]

    def _settings(self, node: Node, *words: str) -> Settings:
        """Flags and words of a cell, and these `words`, each with one value."""
        found: Settings = {}
        if not isinstance(node, Mapping):
            self._wrong(node, "here stand flags with their values, as in {model: resnet50, num_gpus: 2}")
            return found
        for key, value in node:
            found |= self._setting(key, value, *words)
        return found

    def _setting(self, key: Text, value: Node, *words: str) -> Settings:
        if key.text == "retries" and isinstance(value, Mapping):
            found: Settings = {}
            for failure, times in value:
                if failure.text in FAILURES:
                    found[f"retries.{failure.text}"] = self._text(failure, times)
                else:
                    self._wrong(failure, f"retries are of {', '.join(FAILURES)}, and not of {failure.text}")
            return found
        if key.text == "retries":
            self._wrong(key, f"retries are so many of each kind of failure, as in {{crash: 1}}: {', '.join(FAILURES)}")
            return {}
        if not known(str(key.text), key.where, (*WORDS_OF_A_CELL, *words, *WORDS), self._problems, _shown(value)):
            return {}
        if key.text in WORDS:
            self._wrong(key, f"{key.text} stands at the beginning of a line, for the whole suite")
            return {}
        if key.text == "cases":
            return {"cases": self._patterns(key, value)}
        if isinstance(value, Sequence):
            self._wrong(value, f"{key.text} has several values: such stand in grid, as in grid: {{{key.text}: [...]}}")
            return {}
        return {str(key.text): self._text(key, value)}

    def _patterns(self, key: Text, node: Node) -> Setting:
        """Names of cases, with commas between; within one, ? stands for its comma too."""
        if isinstance(node, Text) and node.text is None:
            return Setting(None, node.where)
        texts = [self._text(key, item).text or "" for item in _items(node)]
        return Setting(",".join(text.replace(",", "?") for text in texts), node.where)

    def _axes(self, word: str, node: Node, *words: str) -> Axes:
        """Flags and words of a cell, and these `words`, each with one value or several."""
        found: Axes = {}
        if not isinstance(node, Mapping):
            self._wrong(node, f"{word} has flags with lists of values, as in {{num_gpus: [1, 2, 4]}}")
            return found
        for key, value in node:
            if known(str(key.text), key.where, (*WORDS_OF_A_CELL, *words), self._problems, _shown(value)):
                if values := [self._text(key, item) for item in _items(value)]:
                    found[str(key.text)] = values
                else:
                    self._wrong(value, f"{key.text} has no value")
        return found

    def _list(self, key: Text, node: Node) -> tuple[Node, ...]:
        if isinstance(node, Sequence):
            return node.items
        self._wrong(node, f"{key.text} is a list, an entry a line with a dash before it")
        return ()

    def _text(self, key: Text, node: Node) -> Setting:
        if isinstance(node, Text):
            return Setting(node.text, node.where)
        self._wrong(node, f"{key.text} takes a text, a number or a truth value")
        return Setting(None, node.where)

    def _check_word(self, name: str, setting: Setting, choices: tuple[str, ...]) -> None:
        if setting.text not in choices:
            self._problems.append(f"{setting.where}: {name}={setting.text} is none of {', '.join(choices)}.")

    def _wrong(self, node: Node, reason: str) -> None:
        self._problems.append(f"{node.where}: {reason}.")


def _shown(node: Node) -> str | None:
    """A value as a message has it; None for several."""
    return (node.text or "") if isinstance(node, Text) else None


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else (node,)
