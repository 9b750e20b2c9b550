"""What a run rests on: its corpora, splits and network, how targets were read, and what validation data chose."""

from __future__ import annotations

from markupsafe import Markup

from xlser.reporting.facts import Facts, Row
from xlser.reporting.pretraining import lines as checkpoint_lines
from xlser.reporting.recipe import encoder_lines, loss_lines
from xlser.reporting.section import Box, Cell, Details, Group, Heading, Note, Pairs, Part, Raw, Section, Table
from xlser.reporting.section import Row as Line
from xlser.reporting.wording import as_yaml, counted, known, listing, plural, reader_name, whole

_CHOSEN = {
    "distance": "distance",
    "k": "k",
    "temperature": "temperature",
    "weight": "weight",
    "c": "C",
    "alpha": "alpha",
}


def section(facts: Facts) -> Section:
    """Return corpora, splits, network, protocol, recipe and choices, as far as each is known."""
    cards = [Box(_card(row), "card") for row in facts.corpora.values()]
    parts: list[Part] = [Heading("Corpora"), Box(cards, "cards")]
    parts += [Heading(f"Splits of {facts.source}"), _splits(facts)] if facts.results["splits"] else []
    parts += _provenance(facts) if "command" in facts.about else []
    parts += _choices(facts)
    return Section("used", "What was used", parts)


def _card(row: Row) -> list[Part]:
    """Return what is known of one corpus."""
    made = f", {row['elicitation']}" if "elicitation" in row else ""
    size = f"{plural(row['utterances'], 'utterance')}, {plural(row['speakers'], 'speaker')}"
    rated = f" ({counted(row['rated'])})" if "rated" in row and row["ratings"] != "none" else ""
    checked = {True: ", checked against real files", False: ", not yet checked against real files"}
    lines = {
        "Role": f"{row['role']}, {row['language']}{made}",
        "Size": size + (f", {row['hours']:.2f} h" if known(row.get("hours")) else ""),
        "Ratings": row["ratings"] + rated,
        "Labels kept": counted(row["labels"]["kept"]),
        "Merged": counted(row["labels"]["merged"]),
        "Dropped": counted(row["labels"]["dropped"]),
        **({"Taught a classifier": counted(row["labels"]["taught"])} if "taught" in row["labels"] else {}),
        "Files left out": counted(row.get("left_out", {})),
        "Licence": row.get("licence") or "not stated",
        "Citation": row.get("citation") or "not stated",
        "Card": str(row.get("card_hash", "not stated")) + checked.get(row.get("verified", ""), ""),
    }
    marks = [
        mark
        for mark, there in (("synthetic", row["synthetic"]), ("derived ratings", row["ratings"] == "derived"))
        if there
    ]
    parts: list[Part] = [Heading(row["corpus"], marks=marks), Note(row["title"], ""), Pairs(list(lines.items()))]
    if row.get("left_out_files"):
        files = [(f"{reason}:", _paths(row, reason, paths)) for reason, paths in row["left_out_files"].items()]
        parts += [Details("Files left out", [Pairs(files, "paths")])]
    return parts + [Note(note) for note in row.get("notes", [])]


def _paths(row: Row, reason: str, paths: list[str]) -> str:
    more = row.get("left_out", {}).get(reason, 0) - len(paths)
    return ", ".join(paths) + (f" and {whole(more)} more" if more > 0 else "")


def _splits(facts: Facts) -> Table:
    groups = []
    for split in facts.results["splits"]:
        lines: list[Line] = []
        for part, names in split["speakers"].items():
            count = split["utterances"].get(part)
            sizes = [Cell(text, kind="num") for text in ("n/a" if count is None else whole(count), str(len(names)))]
            told = (part, *sizes, ", ".join(map(str, names)))
            named = (Cell(hidden=f"seed {split['seed']}"), "") if lines else (str(split["seed"]), split["hash"])
            lines.append(Line([*named, *told]))
        if split["shared"]:
            lines.append(
                Line(
                    [
                        Cell(hidden=f"seed {split['seed']}"),
                        f"Shared between parts: {listing(map(str, split['shared']))}",
                    ],
                    "alarm",
                )
            )
        groups.append(Group(lines))
    caption = "Speakers of each part, by seed. No speaker stands in two parts"
    caption += ", except those named as shared." if facts.shared else "."
    heads = [*map(Cell, ("Seed", "Hash", "Part")), Cell("Utterances", kind="num"), Cell("Speakers", kind="num")]
    heads.append(Cell("Names"))
    return Table(caption, heads, groups, "splits", "Splits")


def _provenance(facts: Facts) -> list[Part]:
    """Return the network, how targets were read, and what it takes to do it again."""
    about, features = facts.about, facts.recipe.get("features", {})
    parts: list[Part] = []
    if network := encoder_lines(facts):
        parts += [Heading("Encoder"), Pairs(network)]
    parts += [Heading("Pretrained checkpoints")] if facts.checkpoints else []
    parts += [Pairs(checkpoint_lines(one)) for one in facts.checkpoints]
    if losses := loss_lines(facts):
        heads = ["Method", "Loss", "Settings"]
        parts += [Table.of("What each method minimises", heads, losses, kind="labels", label="Losses")]
    seconds = f", {about['seconds']} s" if "seconds" in about else ""
    lines = {"Recipe hash": about["recipe_hash"], "Command": about["command"], "Finished": about["finished"] + seconds}
    if "columns" in about and not facts.encoder:
        lines["Features"] = f"{about['columns']} columns, {features.get('extractor', '')}"
    lines["Versions"] = ", ".join(f"{library} {version}" for library, version in about["versions"].items())
    if facts.files:
        files = Markup(", ").join(Markup('<a href="{0}">{0}</a>').format(name) for name in facts.files)
        lines["Numbers"] = Markup("with every column, beside this page: {}").format(files)
    parts += [Heading("Protocol"), Note(_protocol(facts), ""), Heading("Recipe, versions, command")]
    parts += [Pairs(list(lines.items())), Details("The whole recipe", [preformatted(as_yaml(facts.recipe), "Recipe")])]
    return parts


def preformatted(text: str, label: str) -> Raw:
    """Return a text as it is written, in a frame to scroll in."""
    return Raw(Markup('<pre tabindex="0" role="region" aria-label="{}">{}</pre>').format(label, text))


def _protocol(facts: Facts) -> Markup:
    how = Markup("The encoder takes clips as they are, which makes the recipe's targets <strong>{}</strong>.")
    if not facts.encoder:
        kind = facts.recipe.get("features", {}).get("normalise", "?")
        how = Markup("This recipe z-scores features by <code>{}</code> statistics, which makes its targets ").format(
            kind
        )
        how += Markup("<strong>{}</strong>.")
    seen = "Zero-shot: nothing of a target was seen before it was scored."
    if facts.protocol != "zero-shot":
        seen = "Transductive: unlabelled recordings of a target gave its means and deviations; no label of it was used."
    chosen = "Epochs, the mixture with neighbours" if facts.encoder else "Checkpoints"
    rest = f" {seen} {chosen}, k, C and the strength of the ridge are chosen on the source's validation speakers."
    return how.format(facts.protocol) + rest


def _choices(facts: Facts) -> list[Part]:
    lines = choices(facts)
    if not lines:
        return []
    mixed = (
        "; of classifier + kNN the distance, k, the temperature in median distances to a neighbour, and the "
        "neighbours' weight"
    )
    caption = (
        "Chosen on the source's validation speakers, a value per seed (k of kNN, C of the linear probe, alpha of the "
        f"ridge{mixed * facts.has_heads}). A target that shares fewer emotions with the source has a choice of its own."
    )
    table = Table.of(caption, ["Method", "Reader", "What", "Values by seed"], lines, label="Choices")
    return [Details("What validation data chose", [table])]


def choices(facts: Facts) -> list[tuple[str, str, str, str]]:
    """Return what validation data of the source chose: method, reader, what, and its value by seed.

    A target shows the source's own choice and is not named, unless it shares fewer emotions with the source: a reader
    of those alone has a choice of its own.
    """
    found: dict[tuple[str, str, str], dict[str, dict[int, str]]] = {}
    for row in facts.results["choices"]:
        for name, title in _CHOSEN.items():
            if isinstance(row.get(name), str) or known(row.get(name)):
                key = (facts.method_name(row["method"]), reader_name(row["reader"]), title)
                found.setdefault(key, {}).setdefault(row.get("corpus", ""), {})[row["seed"]] = _written(row[name])
    return [
        (method, reader, what + place, values)
        for (method, reader, what), corpora in found.items()
        for place, values in _places(corpora)
    ]


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _places(corpora: dict[str, dict[int, str]]) -> list[tuple[str, str]]:
    """Return the values by seed, once for all corpora with the same ones; only those unlike the first are named."""
    found: dict[str, list[str]] = {}
    for corpus, values in corpora.items():
        found.setdefault(" ".join(values.values()), []).append(corpus)
    return [(f", on {listing(names)}" if i else "", values) for i, (values, names) in enumerate(found.items())]


def label_lines(facts: Facts) -> list[tuple[str, ...]]:
    """Return what became of each corpus's labels: corpus, kept, merged, dropped and files left out."""
    return [
        (
            name,
            f"{whole(sum(row['labels']['kept'].values()))} of {whole(row['utterances'])}",
            *(_sum(counts) for counts in (row["labels"]["merged"], row["labels"]["dropped"], row.get("left_out", {}))),
        )
        for name, row in facts.corpora.items()
    ]


def _sum(counts: dict[str, int]) -> str:
    return f"{whole(sum(counts.values()))} ({counted(counts)})" if counts else "none"
