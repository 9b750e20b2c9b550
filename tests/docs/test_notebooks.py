"""The notebooks run from beginning to end, and stand there as they ran."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="notebooks are read by nbformat")
NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "xlser/docs/notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_stand_in_it_and_no_place_of_a_machine(path):
    book = nbformat.read(path, 4)
    said = [cell for cell in book.cells if cell.cell_type == "code" and not cell.source.startswith("%%capture")]
    assert any(cell.outputs for cell in said)
    assert all(output.output_type != "error" for cell in said for output in cell.outputs)
    assert not any(word in path.read_text(encoding="utf-8") for word in ("/home/", "/root/", "/tmp/", "site-packages"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, tmp_path, monkeypatch):
    client = pytest.importorskip("nbclient", reason="notebooks are run by nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    book = nbformat.read(path, 4)
    resources = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(book, timeout=600, kernel_name="python3", resources=resources).execute()
    assert [cell.execution_count for cell in book.cells if cell.cell_type == "code"][-1] is not None
