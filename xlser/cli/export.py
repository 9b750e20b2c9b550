"""``xlser export``."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


@click.command("export")
@click.argument("run", type=FOLDER)
@click.option("--onnx", type=FOLDER, required=True, help="File to write.")
@click.option("--method", help="Method of the run.  [default: the best on the source's validation speakers]")
@click.option("--seed", type=int, help="Seed of the method.  [default: likewise]")
def command(run: Path, onnx: Path, method: str | None, seed: int | None) -> None:
    """Write a fine-tuned encoder of the run folder RUN for ONNX runtimes, and check it against torch.

    It takes samples (1, S) at 16 kHz and gives the embedding, the classifier's probabilities and the trained
    dimensions. Neighbours and windows are not part of it.
    """
    from xlser.experiment.use.export import export_onnx

    click.echo(export_onnx(run, onnx, method=method, seed=seed).text())
