"""What pretrained checkpoints were trained on and where they come from, in sentences and lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xlser.evaluation.contamination import PRE_TRAINED, Checkpoint, Heard
from xlser.reporting.wording import listing

MARK = "heard by the encoder"
_BY = {
    "base": "comes from {model}, as its config or model card says, and what it was trained on after that is not stated",
    "folder": "is called like {model}, which is all that says that it is one",
}


def warnings(checkpoints: Iterable[Checkpoint], source: str, targets: Sequence[str]) -> list[str]:
    """Return what makes a number untrue: a checkpoint that has heard the labels of a corpus that it is judged on."""
    lines = []
    for one in checkpoints:
        for found in (row for row in one.heard([*targets, source]) if row.sure and row.use != PRE_TRAINED):
            home = found.corpus not in "+".join(targets).split("+")
            why = "scores on its held-out speakers are too high" if home else "the result on it is no transfer"
            lines.append(f"WARNING: The encoder {one.name} was {found.use} on {found.corpus} ({found.source}): {why}.")
    return list(dict.fromkeys(lines))


def cautions(checkpoints: Iterable[Checkpoint], corpora: Sequence[str]) -> list[str]:
    """Return what else there is to know: what was heard without labels, what may have been, and what nobody knows."""
    lines = []
    for one in checkpoints if corpora else ():
        heard = one.heard(corpora)
        lines += [_without_labels(one, row) for row in heard if row.sure and row.use == PRE_TRAINED]
        lines += _perhaps(one, [row for row in heard if not row.sure])
        rest = [name for name in dict.fromkeys(corpora) if not set(name.split("+")) & {row.corpus for row in heard}]
        lines += [_rest(one, rest)] if rest else []
    return list(dict.fromkeys(lines))


def _without_labels(one: Checkpoint, row: Heard) -> str:
    return (
        f"The encoder {one.name} was pre-trained on recordings of {row.corpus}, without their labels ({row.source}): "
        "what is called zero-shot on it is not quite that."
    )


def _perhaps(one: Checkpoint, rows: Sequence[Heard]) -> list[str]:
    if not rows:
        return []
    names = listing([row.corpus for row in rows])
    return [f"The encoder {one.name} may have been {rows[0].use} on {names}; that is not certain ({rows[0].source})."]


def _rest(one: Checkpoint, corpora: Sequence[str]) -> str:
    """Say of corpora that are not named among what it heard what that means."""
    row, by = one.known
    names = listing(corpora)
    if one.datasets and by != "name":
        told = f"was trained on {listing(one.datasets)}, as its model card says"
        return f"The encoder {one.name} {told}: that {names} is not named there is no proof."
    if row is None:
        return f"What the encoder {one.name} was trained on is not known here: it may have heard {names}."
    about = f" {_BY[by].format(model=row.model)}. That" if by in _BY else ""
    heard = f"The encoder {one.name}{about} was {row.use} on {row.heard}"
    if row.open or by == "base":
        return f"{heard}: whether recordings of {names} were among it is not known."
    who = "others say" if row.evidence == "second-hand" else "its authors say"
    return f"{heard}: as far as {who}, nothing of {names} was among it."


def lines(one: Checkpoint) -> list[tuple[str, str]]:
    """Return what a checkpoint is, where it comes from and under which terms, a line each."""
    found = {
        "Checkpoint": one.name,
        "Asked for": "" if one.weights == one.name else one.weights,
        "Revision": one.revision or "",
        "Commit": one.commit,
        "SHA-256": one.sha256,
        "Family": one.family,
        "Made from": one.base if one.base != one.hub else "",
        "Licence": one.licence,
        "Trained on": trained_on(one),
    }
    return [(name, text) for name, text in found.items() if text]


def trained_on(one: Checkpoint) -> str:
    """Return in words what a checkpoint was trained on, who says so, and how sure that is."""
    row, by = one.known
    if row is None:
        return f"{listing(one.datasets)} (its model card)" if one.datasets else "not stated"
    guess = {"base": f"as {row.model}, which it comes from: ", "folder": f"if it is {row.model}: "}.get(by, "")
    card = f"; {listing(one.datasets)} (its model card)" if one.datasets and by == "base" else ""
    return f"{guess}{row.use} on {row.heard} ({row.evidence}: {row.source}){card}"
