"""Safe YAML with the three surprises of YAML 1.1 taken out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from xlser.errors import XlserError
from xlser.machine import pass_on_machine
from xlser.oddfiles import read_file

# No card and no recipe comes near these; what does is made to fill the memory or the stack.
LONGEST, DEEPEST, MOST_NODES = 4 * 2**20, 50, 200_000


class _Loader(yaml.SafeLoader):
    """SafeLoader that keeps mapping keys as text, refuses a key given twice and reads ``1e-4`` as a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            problem = None if isinstance(key_node, yaml.ScalarNode) else "a key must be plain text"
            if problem is None and key_node.value in seen:
                problem = f"key {key_node.value!r} given twice"
            if problem:
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key_node.value)
        self.flatten_mapping(node)
        # A file-name code such as 01 or no must stay the text it is in the file name: keys are taken as written.
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


_Loader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: loader.construct_mapping(node, deep=True))
# PyYAML follows YAML 1.1, where 1e-4 without a dot is text: a learning rate that is a string helps nobody.
_Loader.yaml_implicit_resolvers = {k: list(v) for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def read_yaml(path: str | Path, error: type[XlserError] = XlserError) -> dict[str, Any]:
    """Read one mapping from a YAML file; no tag can run code.

    Raises:
        XlserError: (or ``error``) the file is missing, is not UTF-8 YAML, repeats a key, or is not a mapping.
    """
    return parse_yaml(yaml_text(path, error), str(path), error)


def yaml_text(path: str | Path, error: type[XlserError] = XlserError) -> str:
    """Read a YAML file as text.

    Raises:
        XlserError: (or ``error``) the file is missing, is none, has more than 4 MiB, or is not UTF-8.
    """
    path = Path(path)
    try:
        if (size := path.stat().st_size) > LONGEST:
            raise error(f"cannot read {path}: it must have {LONGEST:,} bytes at most, but has {size:,} instead.")
        return read_file(path).decode("utf-8")
    except UnicodeDecodeError as problem:
        raise error(f"cannot read {path}: byte {problem.start} is not UTF-8. Save the file as UTF-8.") from problem
    except OSError as problem:
        pass_on_machine(problem, f"reading {path}")
        raise error(f"cannot read {path}: {problem.strerror or problem}") from problem


def parse_yaml(text: str, name: str, error: type[XlserError] = XlserError) -> Any:
    """Parse YAML text; ``name`` stands for the file in messages.

    Raises:
        XlserError: (or ``error``) see `read_yaml`; or it is nested more than 50 deep, or has more than 200,000 values
            when its aliases are written out.

    >>> parse_yaml("{lr: 1e-4, emotion: {01: neutral, no: anger}}", "x")
    {'lr': 0.0001, 'emotion': {'01': 'neutral', 'no': 'anger'}}
    """
    try:
        check_bounds(text)
        value = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError) as problem:  # ValueError: a date such as 2024-99-99
        raise error(f"{name} is not valid YAML: {_where(problem)}") from problem
    if value is None:
        raise error(f"{name} is empty; it must hold keys and values.")
    if not isinstance(value, dict):
        raise error(f"{name} must hold a mapping of keys to values, but holds {type(value).__name__}.")
    return value


def check_bounds(text: str, most: int = MOST_NODES, loader: Any = yaml.SafeLoader) -> None:
    """Refuse YAML that would fill the memory or the stack, before any of it is built.

    An alias stands for all that its anchor holds, aliases included: a line may stand for billions of values.

    Args:
        text: what is to be read.
        most: how many values it may hold.
        loader: whose parser reads it.

    Raises:
        ValueError: it is nested too deeply, or holds too many values. yaml.YAMLError: it is none.
    """
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # the anchor of each, and how many values were before it
    count = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.AliasEvent):
            count += sizes.get(event.anchor, 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, count))
            count += 1
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            sizes |= {event.anchor: 1} if event.anchor else {}
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            sizes |= {anchor: count - before} if anchor else {}
        if len(open_nodes) > DEEPEST:
            raise ValueError(f"line {event.start_mark.line + 1} is nested more than {DEEPEST} deep")
        if count > most:
            where = f"by line {event.start_mark.line + 1}"
            raise ValueError(f"it holds more than {most:,} values {where}, with its aliases written out")


def _where(problem: Exception) -> str:
    """Return a YAML error as one line: what is wrong, where, and what most often mends it."""
    if not isinstance(problem, yaml.MarkedYAMLError) or problem.problem_mark is None:
        return " ".join(str(problem).split())
    mark = problem.problem_mark
    return f"{problem.problem}, line {mark.line + 1}, column {mark.column + 1}. A value with : or # in it needs quotes."
