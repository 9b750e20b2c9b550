"""What is known of a corpus beside its recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xlser.corpora.card import Card, load_card
from xlser.data.manifest import Manifest
from xlser.errors import CardError, CorpusError
from xlser.filenames import path_part


@dataclass(frozen=True)
class Facts:
    """What is known of a corpus beside its recordings; of several put together, all that any of them says."""

    name: str
    title: str
    languages: tuple[str, ...]
    elicitation: str = "unknown"
    licence: str = "unknown"
    citation: str = ""
    card_hash: str = ""
    verified: bool = True
    synthetic: bool = False

    def __post_init__(self) -> None:
        """Refuse a name that cannot be a file's, as a manifest's may not be."""
        path_part(self.name, "the name of a dataset", CorpusError)

    @classmethod
    def of_card(cls, card: Card) -> Facts:
        """Return the facts of a card."""
        about = (card.elicitation, card.licence, card.source.citation or "", card.hash, card.verified, card.synthetic)
        return cls(card.name, card.title, card.languages, *about)

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Facts:
        """Return the facts of a manifest: its card's, where that is the card it was made with; else its own."""
        try:
            card = load_card(manifest.card)
            if card.hash == manifest.card_hash:
                return cls.of_card(card)
        except CardError:
            pass
        frame = manifest.frame
        licence = "; ".join(dict.fromkeys(frame["licence"]))
        languages = tuple(dict.fromkeys(frame["language"]))
        made = manifest.synthetic
        return cls(
            manifest.card, manifest.card, languages, licence=licence, card_hash=manifest.card_hash, synthetic=made
        )

    @classmethod
    def of_several(cls, several: Sequence[Facts]) -> Facts:
        """Return the facts of corpora put one behind the other."""
        texts = {
            key: "; ".join(dict.fromkeys(str(getattr(facts, key)) for facts in several))
            for key in ("title", "elicitation", "licence", "citation", "card_hash")
        }
        return cls(
            name="+".join(facts.name for facts in several),
            languages=tuple(dict.fromkeys(tag for facts in several for tag in facts.languages)),
            verified=all(facts.verified for facts in several),
            synthetic=any(facts.synthetic for facts in several),
            **texts,
        )
