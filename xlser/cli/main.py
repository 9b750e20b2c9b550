"""The ``xlser`` command; each verb is imported when it is called, so that help answers at once."""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from typing import NoReturn

import click

from xlser.ending import told_by_signals
from xlser.errors import XlserError
from xlser.printable import print_everything
from xlser.version import __version__

VERBS = {
    "corpora": "List, show, check and prepare speech corpora.",
    "best": "Find the best model for a target that sources give, without a look at its labels.",
    "run": "Train on one language, read it in others, write the numbers and the report.",
    "transfer": "Train on several sources, score every target, with intervals and few-shot curves.",
    "probe-layers": "Say which hidden state of an encoder carries emotion to other corpora, and which the corpus.",
    "report": "Make the report of a finished run or bench anew.",
    "compare": "Set two runs, or two benches, side by side where they judged the same corpora.",
    "predict": "Say which emotion recordings have, by a model of a run.",
    "serve": "Open a page to speak into, and a JSON API, for a model of a run.",
    "embed": "Write the embeddings of recordings by a model of a run.",
    "push": "Put a model of a run on the Hugging Face hub, with its model card.",
    "recipes": "List the recipes, and what each is for; or show one.",
    "schema": "Print the JSON schema of cards or recipes, for an editor.",
    "docs": "Open the documentation, offline.",
    "doctor": "Look at the machine and the libraries; say what is wrong and how to mend it.",
    "export": "Write an encoder of a run as ONNX, checked against torch.",
}


class Verbs(click.Group):
    """A group that knows its verbs by name and loads only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order that a newcomer needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the verb's module; None for a verb that is not there."""
        if name not in VERBS:
            return None
        return importlib.import_module(f"xlser.cli.{name.replace('-', '_')}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xlser")
@click.option("--debug", is_flag=True, help="Show where an error came from; so does XLSER_DEBUG=1.")
def xlser(debug: bool) -> None:
    """Cross-lingual speech emotion recognition: learn on a language that has data, carry it to one that has little."""


def main() -> None:
    """Run the command line; an error that the user can put right is one message, not a traceback.

    Ctrl-C, SIGTERM and SIGHUP end it with 130, 143 and 129, see `xlser.ending`.
    """
    print_everything()
    # Python's own helper, which outlives a process that ends at once by a moment, would tell of what it cleans up.
    quiet = "ignore:resource_tracker:UserWarning"
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), quiet]))
    with told_by_signals() as ending:
        try:
            xlser(prog_name="xlser", standalone_mode=False)
        except click.exceptions.Exit as done:
            sys.exit(done.exit_code)
        except (click.Abort, KeyboardInterrupt):
            ending.leave()
        except Exception as error:
            if ending.signal:  # what a signal broke on its way here: a terminal that is gone, workers
                ending.leave()
            _fail(error)


def _fail(error: Exception) -> NoReturn:
    if isinstance(error, click.ClickException):
        error.show()
        sys.exit(error.exit_code)
    if isinstance(error, XlserError | MemoryError | OSError):
        _tell(error)
        sys.exit(1)
    raise error


def _tell(error: Exception) -> None:
    """Print one message; below it, where it came from, if that was asked for."""
    from xlser.machine import machine_error

    if _debugging():
        import traceback

        traceback.print_exception(error)
    text = error if isinstance(error, XlserError) else machine_error(error, "this command")
    # A name within a message cannot begin a line that reads as one of ours.
    first, *rest = f"error: {text}".split("\n")
    click.echo("\n".join([first, *(line if line[:1] == " " else f"  {line}" for line in rest)]), err=True)


def _debugging() -> bool:
    # click has let go of its context by now; the flag stands before the verb.
    words = list(itertools.takewhile(lambda word: word not in VERBS, sys.argv[1:]))
    return "--debug" in words or os.environ.get("XLSER_DEBUG", "").lower() in ("1", "true", "yes", "on")


if __name__ == "__main__":
    main()
