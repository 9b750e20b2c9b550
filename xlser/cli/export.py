"""``xlser export``."""

from __future__ import annotations

from pathlib import Path

import click

from xlser.cli.choosing import model_options

FOLDER = click.Path(path_type=Path)


@click.command("export")
@click.argument("folder", type=FOLDER)
@click.option("--onnx", type=FOLDER, required=True, help="File to write.")
@model_options
def command(folder: Path, onnx: Path, model: str | None, method: str | None, seed: int | None) -> None:
    """Write a fine-tuned encoder of the run or bench in FOLDER for ONNX runtimes, and check it against torch.

    It takes samples (1, S) at 16 kHz and gives the embedding, the classifier's probabilities and the trained
    dimensions. Neighbours and windows are not part of it.
    """
    from xlser.experiment.use.export import export_onnx

    click.echo(export_onnx(folder, onnx, model=model, method=method, seed=seed).text())
