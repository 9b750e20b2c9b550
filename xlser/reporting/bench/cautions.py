"""What to beware of in a bench, in sentences."""

from __future__ import annotations

from markupsafe import Markup

from xlser.evaluation.contamination import Checkpoint
from xlser.reporting import pretraining
from xlser.reporting.bench.facts import Bench
from xlser.reporting.facts import FEW_SPEAKERS
from xlser.reporting.section import Chip
from xlser.reporting.wording import known, listing, plural

Said = tuple[str, str]


def banners(bench: Bench) -> list[str]:
    """Return what must be read before any number: synthetic speech, and what the cells warn of."""
    found: list[str] = [
        Markup("<strong>Partly synthetic speech: no evidence about human emotion.</strong> {}").format(text)
        for _, text in _synthetic(bench)
    ]
    return found + warnings(bench)


def chips(bench: Bench) -> list[Chip]:
    """Return the cautions as chips; what makes a number untrue stands in `banners`."""
    found = [Chip(lead.rstrip(":"), text) for lead, text in cautions(bench)]
    notes = [(lead, text) for lead, text in _notes(bench) if not text.startswith("WARNING")]
    told = Markup(" ").join(Markup("<strong>{}</strong> {}").format(*pair) for pair in notes)
    return [*found, *([Chip(plural(len(notes), "note") + " on cells", told)] if notes else [])]


def cautions(bench: Bench) -> list[Said]:
    """Return what is missing, and what encoders heard, few speakers, derived ratings and one seed mean."""
    return [
        *_missing(bench),
        *_heard(bench),
        *_speakers(bench),
        *_derived(bench),
        *_one_seed(bench),
    ]


def warnings(bench: Bench) -> list[str]:
    """Return the notes of cells that make a number untrue, and which encoders knew a corpus's labels, each once."""
    notes = [note for cell in bench.cells.values() for note in cell["notes"] if note.startswith("WARNING")]
    for key in bench.cells:
        targets = [key[2]] if key[2] != key[1] else []
        notes += pretraining.warnings(bench.checkpoints(key), key[1], targets)
    return list(dict.fromkeys(notes))


def _heard(bench: Bench) -> list[Said]:
    """Say once of every checkpoint what it heard of the human speech of all its cells."""
    corpora: dict[Checkpoint, list[str]] = {}
    for key in bench.cells:
        for one in bench.checkpoints(key):
            corpora.setdefault(one, []).extend(name for name in key[1:] if not bench.synthetic(name))
    return [("Pretrained:", text) for one, names in corpora.items() for text in pretraining.cautions([one], names)]


def missing(bench: Bench) -> list[tuple[str, str]]:
    """Return every job that failed and every hole, with its reason."""
    failed = [(f"{name} failed", str(why)) for name, why in bench.results["failed"].items()]
    return failed + [(f"{name}: hole", str(why)) for name, why in bench.results["holes"].items()]


def _missing(bench: Bench) -> list[Said]:
    failed, holes = bench.results["failed"], bench.results["holes"]
    told = [plural(len(failed), "job") + " failed"] if failed else []
    told += [plural(len(holes), "cell") + " could not be scored"] if holes else []
    return [("Missing:", f"{listing(told)}; the reasons stand under “Choices”.")] if told else []


def _notes(bench: Bench) -> list[Said]:
    found: dict[str, list[str]] = {}
    for (recipe, source, target), cell in bench.cells.items():
        for note in cell["notes"]:
            found.setdefault(note if note.endswith(".") else f"{note}.", []).append(f"{recipe}, {source} → {target}")
    return [(f"{where[0]}{f' and {len(where) - 1} more' if where[1:] else ''}:", note) for note, where in found.items()]


def _synthetic(bench: Bench) -> list[Said]:
    names = dict.fromkeys([*bench.sources, *bench.targets])
    found = [name for name in names if bench.synthetic(name)]
    if not found:
        return []
    told = f"Made by a speech synthesiser: {listing(found)}. No mean of human speech holds it."
    return [("Synthetic speech:", told)]


def _speakers(bench: Bench) -> list[Said]:
    sizes = {name: about["speakers"] for name, about in bench.corpora.items() if known(about.get("speakers"))}
    few = [f"{name} ({count})" for name, count in sizes.items() if count < FEW_SPEAKERS]
    if not few:
        return []
    told = f"{listing(few)}. Their intervals are widened for that; how far so few voices stand for others, none tells."
    return [(f"Fewer than {FEW_SPEAKERS} speakers:", told)]


def _derived(bench: Bench) -> list[Said]:
    found = [name for name, about in bench.corpora.items() if about.get("ratings") == "derived"]
    if not found:
        return []
    told = f"{listing(found)}: from emotion words by a published table, not given by listeners."
    return [("Derived ratings:", told)]


def _one_seed(bench: Bench) -> list[Said]:
    told = "few-shot curves, trust, dimensions and probes read the model of seed 0, and the matrix all seeds."
    count = bench.about["seeds"]
    return [(f"{plural(count, 'seed')}:", told)] if known(count) and count > 1 else []
