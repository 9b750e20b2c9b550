"""Every extractor by name, and how a recipe writes one: a name, a name with options, or a list of these.

A new extractor is a file of its own and a row here: what recipes, messages and lists know of it comes from the table.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from xlser.errors import did_you_mean
from xlser.features.compare2016 import ComParE
from xlser.features.egemaps import Egemaps
from xlser.features.extractor import Extractor, SideBySide, parts_of
from xlser.features.frozen_encoder import Encoder
from xlser.features.logmel import LogMel

_KINDS: tuple[type[Extractor], ...] = (
    Egemaps,
    ComParE,
    LogMel,
    Encoder,
)
EXTRACTORS = {kind.name: kind for kind in _KINDS}
Part = str | dict[str, dict[str, Any]]
Written = Part | tuple[Part, ...]


def classes() -> dict[str, type[Extractor]]:
    """Return every extractor by the name that Python users know it by, such as ``LogMel``."""
    return {kind.__name__: kind for kind in (*EXTRACTORS.values(), SideBySide)}


def make_extractor(written: Any) -> Extractor:
    """Return the extractor that a recipe asks for.

    Args:
        written: a name; ``{name: {option: value}}``; ``{encoder: weights, option: value}``; or a list of these, which
            stand side by side in its order.

    Raises:
        ValueError: no such extractor or option, an option out of range or missing; all that is wrong at once.

    >>> make_extractor("egemaps"), make_extractor({"logmel": {"bands": 20}})
    (Egemaps(), LogMel(bands=20, window=400, hop=160))
    >>> make_extractor({"encoder": "random:tiny", "layer": 2}) == Encoder("random:tiny", layer=2)
    True
    >>> make_extractor(["egemaps", {"logmel": {"band": 20}}])
    Traceback (most recent call last):
    ValueError: logmel: unknown option 'band'; did you mean 'bands'?
    """
    if not isinstance(written, (list, tuple)):
        return _part(written)
    parts, problems = [], []
    for one in written:
        try:
            parts.append(_part(one))
        except ValueError as problem:
            problems.append(str(problem))
    if problems:
        raise ValueError("; ".join(problems))
    return parts[0] if len(parts) == 1 else SideBySide(tuple(parts))


def written_as(extractor: Extractor) -> Written:
    """Return the shortest way to write an extractor in a recipe, JSON-able: options at their defaults are left out.

    >>> written_as(make_extractor([{"logmel": {"bands": 40}}]))
    'logmel'
    >>> written_as(make_extractor([{"logmel": {"bands": 20}}, {"egemaps": {}}]))
    ({'logmel': {'bands': 20}}, 'egemaps')
    """
    parts = tuple(_written(part) for part in parts_of(extractor))
    return parts if len(parts) > 1 else parts[0]


def called(written: Written) -> str:
    """Return what a person calls the extractor that a recipe asks for.

    >>> called(("egemaps", {"logmel": {"bands": 20}}))
    'egemaps + logmel (bands 20)'
    """
    parts = written if isinstance(written, tuple) else (written,)
    pairs = [(part, {}) if isinstance(part, str) else next(iter(part.items())) for part in parts]
    texts = [", ".join(f"{option} {value}" for option, value in options.items()) for _, options in pairs]
    return " + ".join(f"{name} ({text})" if text else name for (name, _), text in zip(pairs, texts, strict=True))


def random_weights(written: Written) -> list[str]:
    """Return the checkpoints whose weights are random, not pretrained, among those that a recipe's features come from.

    >>> random_weights(("egemaps", {"encoder": {"weights": "random:tiny"}}))
    ['random:tiny']
    """
    names = [str(getattr(part, "weights", "")) for part in parts_of(make_extractor(written))]
    return [name for name in names if name.startswith("random:")]


def _part(written: Any) -> Extractor:
    if isinstance(written, str):
        written = {written: {}}
    if isinstance(written, dict) and isinstance(written.get(Encoder.name), str):
        written = {Encoder.name: {"weights": written[Encoder.name], **_without(written, Encoder.name)}}
    if not isinstance(written, dict) or len(written) != 1:
        raise ValueError(
            f"must be a name ({', '.join(EXTRACTORS)}), a name with options such as {{logmel: {{bands: 20}}}}, "
            f"an encoder such as {{encoder: openai/whisper-tiny, layer: 2}}, or a list of these, "
            f"but is {written!r} instead"
        )
    name, options = next(iter(written.items()))
    if name not in EXTRACTORS:
        raise ValueError(f"unknown extractor {name!r}; {did_you_mean(str(name), EXTRACTORS)}")
    return _made(EXTRACTORS[name], options or {})


def encoder_options() -> list[str]:
    """Return the names under which a recipe may write a frozen encoder and its options, ``encoder`` first."""
    return [Encoder.name, *(name for name in _options(Encoder) if name != "weights")]


def _without(options: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key != name}


def _made(kind: type[Extractor], options: Any) -> Extractor:
    if not isinstance(options, dict):
        raise ValueError(f"{kind.name}: must be a mapping of options to values, but is {options!r} instead")
    known = _options(kind)
    problems = [f"unknown option {name!r}; {did_you_mean(str(name), known)}" for name in options if name not in known]
    needed = [name for name, field in known.items() if field.default is MISSING and name not in options]
    problems += [f"`{name}` is missing" for name in needed]
    if not problems:
        try:
            return kind(**options)
        except ValueError as problem:
            problems = [str(problem)]
    raise ValueError(f"{kind.name}: {'; '.join(problems)}")


def _written(part: Extractor) -> Part:
    values = {name: getattr(part, name) for name in _options(type(part))}
    own = {name: value for name, value in values.items() if value != _options(type(part))[name].default}
    return {part.name: own} if own else part.name


def _options(kind: Any) -> dict[str, Any]:
    """Return the fields of an extractor, which is a dataclass, by name."""
    return {field.name: field for field in fields(kind)}
