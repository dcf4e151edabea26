"""YAML as text with the line that it stands on: a flag's value is what was typed, not what YAML makes of it.

So `on`, `1:20` and `1e-3` stay what they are. It is read by PyYAML's safe loader, which makes no objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.errors import UserError
from results.files import open_regular

_LARGEST_BYTES = 2**20  # a suite that is larger is none
_DEEPEST = 6  # levels: one more than a suite has
_MOST_NODES = 100_000  # with aliases a small file can stand for any number
_NULL, _MERGE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Text:
    """A scalar, and where it stands ("sweep.yaml:3"). `text` is None where nothing stands there, or null."""

    text: str | None
    where: str


@dataclass(frozen=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    where: str


@dataclass(frozen=True)
class Mapping:
    """Keys and their values, in their order; a key may stand twice."""

    entries: tuple[tuple[Text, Node], ...]
    where: str

    def __iter__(self) -> Iterator[tuple[Text, Node]]:
        return iter(self.entries)


Node = Text | Sequence | Mapping


def read(path: Path, problems: list[str]) -> Node:
    """What stands in `path`. Raises UserError, with the line, where it cannot be read.

    To `problems` it adds keys that stand twice.
    """
    try:
        with open_regular(path) as stream:
            data = stream.read(_LARGEST_BYTES + 1)
        text = data.decode()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}. Give a YAML file.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is no UTF-8: it is no YAML file.") from error
    if len(data) > _LARGEST_BYTES:
        raise UserError(f"{path}: is larger than {_LARGEST_BYTES // 2**20} MiB: it is no suite.")
    return parsed(text, path.name, problems)


def parsed(text: str, name: str, problems: list[str]) -> Node:
    """What `text`, which is called `name`, says; otherwise as `read`."""
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            problems += _tags(text, name)
            return Text(None, f"{name}:1") if root is None else _Reader(loader, name, problems).node(root, 1)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        tab = " Indent with spaces." if "\\t" in (error.problem or "") else ""
        raise UserError(f"{where}: no YAML: {' '.join(filter(None, (error.context, error.problem)))}.{tab}") from error
    except yaml.YAMLError as error:
        raise UserError(f"{name}: no YAML: {str(error).splitlines()[0]}.") from error
    except RecursionError as error:
        raise UserError(f"{name}: nested too deeply for a suite.") from error


def _tags(text: str, name: str) -> Iterator[str]:
    """What is wrong with the tags in `text`, which is YAML: they would make something else of a value."""
    for token in yaml.scan(text) if "!" in text else ():
        if isinstance(token, yaml.TagToken):
            tag = "".join(filter(None, token.value))
            told = f"the tag {tag}: values are what is typed. Leave it out, or put it in quotes if it is meant as text"
            yield f"{name}:{token.start_mark.line + 1}: {told}."


class _Reader:
    """Takes YAML's nodes apart."""

    def __init__(self, loader: yaml.SafeLoader, name: str, problems: list[str]) -> None:
        self._loader = loader
        self._name = name
        self._problems = problems
        self._left = _MOST_NODES
        self._looked_at: set[int] = set()

    def node(self, node: yaml.Node, level: int) -> Node:
        where = f"{self._name}:{node.start_mark.line + 1}"
        self._left -= 1
        if level > _DEEPEST or self._left < 0:
            raise UserError(f"{where}: nested too deeply, or too much, for a suite.")
        if isinstance(node, yaml.ScalarNode):
            return Text(None if node.tag == _NULL else node.value, where)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(tuple(self.node(item, level + 1) for item in node.value), where)
        if id(node) not in self._looked_at:  # an alias comes again, and has by then what << names among its own
            self._looked_at.add(id(node))
            self._find_twice([key for key, _ in node.value])
        self._loader.flatten_mapping(node)  # what << names, before what stands here
        return Mapping(tuple(self._entry(key, value, level) for key, value in node.value), where)

    def _entry(self, key: yaml.Node, value: yaml.Node, level: int) -> tuple[Text, Node]:
        known = self.node(key, level + 1)
        if not isinstance(known, Text) or known.text is None:
            raise UserError(f"{known.where}: a key must be the name of a flag, or a word of a suite.")
        return known, self.node(value, level + 1)

    def _find_twice(self, keys: list[yaml.Node]) -> None:
        first: dict[str, int] = {}
        for key in keys:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                line = key.start_mark.line + 1
                if key.value in first:
                    told = f"{key.value} stands twice, first in line {first[key.value]}. Leave one of them out."
                    self._problems.append(f"{self._name}:{line}: {told}")
                first.setdefault(key.value, line)
