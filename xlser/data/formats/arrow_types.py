"""What `datasets` writes into an Arrow schema: which columns are audio, and the words of a label's numbers."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from xlser.jsonfile import parse_json


def holds_audio(kind: pa.DataType) -> bool:
    """Say whether a column is audio as `datasets` stores it: a struct of bytes and path."""
    return pa.types.is_struct(kind) and {"bytes", "path"} <= {kind.field(i).name for i in range(kind.num_fields)}


def light_columns(schema: pa.Schema) -> list[str]:
    """Return the columns of a schema to read, without the bytes of its audio."""
    return [f"{field.name}.path" if holds_audio(field.type) else field.name for field in schema]


def class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """Return the words of each column of numbered labels, by `datasets`' description in the schema."""
    try:
        return names_of(parse_json((schema.metadata or {})[b"huggingface"])["info"]["features"])
    except (KeyError, TypeError, ValueError):
        return {}


def names_of(features: Any) -> dict[str, list[str]]:
    """Return the words of each column of numbered labels in a description of features; none where there is no such."""
    if not isinstance(features, dict):
        return {}
    named = {name: feature.get("names") for name, feature in features.items() if isinstance(feature, dict)}
    return {name: list(map(str, words)) for name, words in named.items() if isinstance(words, list)}


def word(label: Any, words: list[str]) -> Any:
    """Return the word of a numbered label (of -1, which `datasets` writes for none, nothing), or the cell as it is."""
    if not words or not isinstance(label, int):
        return label
    return words[label] if 0 <= label < len(words) else None if label == -1 else label
