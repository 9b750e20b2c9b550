"""Messages that name an option, a command or a key of a recipe name one that there is."""

import ast
import re
from pathlib import Path

import click
import pytest

from xlser.cli.main import VERBS, xlser
from xlser.corpora.card import Card
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe

PACKAGE = Path(__file__).parents[1] / "xlser"
# Of other programs, which messages say how to call.
OTHERS = {
    "--least",
    "--force-reinstall",
    "--help",
    "--version",
    "--local-dir",
    "--nproc-per-node",
    "--nthreads",
    "--notest",
    "--jobs",
    "--no-input",
}


def commands(group=xlser, name="xlser"):
    context = click.Context(group)
    for sub in group.list_commands(context):
        command = group.get_command(context, sub)
        yield f"{name} {sub}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {sub}")


COMMANDS = dict(commands())
OPTIONS = {
    option
    for command in (xlser, *COMMANDS.values())
    for parameter in command.params
    for option in (*parameter.opts, *parameter.secondary_opts)
}


def texts():
    """Yield every text of the package but docstrings, with where it stands; what is put into it is a gap."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
        docs = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, documented) and ast.get_docstring(node)
        }
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "\x00" for part in node.values]
                yield path, "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | inside:
                yield path, node.value


TEXTS = list(texts())


def test_options_in_messages_are_options_of_a_command():
    named = {
        (option, path.name)
        for path, text in TEXTS
        for option in re.findall(r"(?<![\w-])(?<!var\()--[a-z][a-z-]*[a-z]", text)
    }
    assert len(named) > 30
    assert {(option, where) for option, where in named if option not in OPTIONS | OTHERS} == set()


def test_commands_in_messages_are_commands():
    named = set()
    for path, text in TEXTS:
        for words in re.findall(r"\bxlser ((?:[a-z][a-z-]+ ?)+)", text):
            first, _, second = words.strip().partition(" ")
            if first in VERBS:
                named.add((f"xlser {first}", path.name))
            if first == "corpora" and second:
                named.add((f"xlser corpora {second.split()[0]}", path.name))
    assert len(named) > 10
    assert {(command, where) for command, where in named if command not in COMMANDS} == set()


@pytest.mark.parametrize(
    ("pattern", "models"), [(r"`(\w+)` in (?:the|its|your) card", (Card,)), (r"--set (\w+)=", (Recipe, EncoderRecipe))]
)
def test_keys_in_messages_are_keys(pattern, models):
    keys = {key for model in models for key in _keys(model)}
    named = {(key, path.name) for path, text in TEXTS for key in re.findall(pattern, text)}
    assert named
    assert {(key, where) for key, where in named if key not in keys} == set()


def _keys(model, seen=()):
    for name, field in model.model_fields.items():
        yield name
        for kind in re.findall(r"xlser\.[\w.]+\.(\w+)", str(field.annotation)):
            inner = next((cls for cls in _models() if cls.__name__ == kind), None)
            if inner and inner not in seen:
                yield from _keys(inner, (*seen, inner))


def _models():
    from xlser.schema import Strict

    kinds = [Strict]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return kinds
