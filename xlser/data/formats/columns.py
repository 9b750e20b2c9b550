"""Which column of a stranger's table is which."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HEADERS = {
    "id": "id utterance_id utt_id file_id",
    "path": "path file_name filename file audio_path audio_file file_path filepath wav wav_path audio",
    "emotion_raw": "emotion_raw",
    "emotion": "emotion emo emotion_label label emoclass category class emotion_class",
    "speaker": "speaker speaker_id spk spk_id spkid spkrid speakerid actor actor_id client_id",
    "sex": "sex gender speaker_gender",
    "language": "language lang locale",
    "text": "text transcription transcript sentence raw_text normalized_text",
    "session": "session session_id",
    "licence": "licence license",
    "split": "split split_set partition subset",
    "start": "start start_time begin",
    "end": "end end_time stop",
    "valence": "valence_raw valence val emoval",
    "activation": "activation_raw activation arousal_raw arousal aro act emoact",
    "dominance": "dominance_raw dominance dom emodom",
}


ROLES = tuple(_HEADERS)


def roles(headers: Iterable[str]) -> dict[str, str]:
    """Return ``{role: header}`` for the headers that are known; of several spellings the first in our list wins.

    >>> roles(["file_name", "Label", "speaker_id", "arousal"])
    {'path': 'file_name', 'emotion': 'Label', 'speaker': 'speaker_id', 'activation': 'arousal'}
    """
    known: dict[str, str] = {}
    for header in headers:
        known.setdefault(_plain(header), header)
    found = {role: [known[name] for name in names.split() if name in known] for role, names in _HEADERS.items()}
    return {role: heads[0] for role, heads in found.items() if heads}


def read_sex(text: str | None) -> str | None:
    """Return male or female for the ways in which tables say so, None for anything else.

    >>> read_sex("F"), read_sex("Man"), read_sex("other")
    ('female', 'male', None)
    """
    word = (text or "").strip().lower()
    words = {"female": "female f w woman women weiblich fem", "male": "male m man men männlich masc"}
    return next((sex for sex, spellings in words.items() if word in spellings.split()), None)


def _plain(header: str) -> str:
    return re.sub(r"[\s-]+", "_", str(header).strip().lower())
