"""Models of the Hugging Face hub, fetched once into its cache."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from xlser.errors import RecipeError, did_you_mean
from xlser.machine import pass_on_machine
from xlser.models.other_layouts import other_layout, without_config, without_weights

FILES = ["config.json", "preprocessor_config.json", "processor_config.json", "model*.safetensors*", "README.md"]
NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")
# What a mistyped name may have meant.
KNOWN = (
    *(f"openai/whisper-{size}" for size in ("tiny", "base", "small", "medium", "large-v2", "large-v3", "tiny.en")),
    *(f"facebook/wav2vec2-{name}" for name in ("base", "large-robust", "large-xlsr-53", "xls-r-300m")),
    *(
        f"facebook/{name}"
        for name in ("hubert-base-ls960", "hubert-large-ll60k", "data2vec-audio-base", "w2v-bert-2.0")
    ),
    *(f"microsoft/{name}" for name in ("wavlm-base", "wavlm-base-plus", "wavlm-large", "unispeech-sat-base")),
)


def fetched(name: str, revision: str | None, *, other: Iterable[str] = ()) -> Path:
    """Return the folder of a hub model in the cache, which is named after its commit; nothing pickled is fetched.

    ``other`` are names that mean something else, for the hint when ``name`` is none of the hub.

    Raises:
        RecipeError: no such model or revision, no right to it, or no way to the hub and nothing in the cache.
        RunError: a model without config or safetensors.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        HTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    _check(name, other)
    here = f"There is no folder {name} in {Path.cwd()} either."
    try:
        return _complete(Path(snapshot_download(name, revision=revision, allow_patterns=FILES)), name)
    except GatedRepoError:
        fault = "asks for its terms to be accepted. Do so on its page on the hub, then log in with `hf auth login`."
    except (RepositoryNotFoundError, HFValidationError):
        fault = f"is not on the hub, or is private. {here} {_meant(name)}"
    except RevisionNotFoundError:
        fault = f"has no revision {revision!r}. Leave `revision` out, or choose one that its page on the hub lists."
    except (OSError, HTTPError) as error:  # no network, or offline by choice, and not in the cache
        pass_on_machine(error, f"fetching checkpoint {name}")
        fault = f"{_unreachable(name, revision, error)} {here}"
    raise RecipeError(f"checkpoint {name} {fault}")


def _check(name: str, other: Iterable[str]) -> None:
    path = Path(name).expanduser()
    if path.is_file():
        other_file = other_layout([path.name])
        way = f"is {other_file}" if other_file else f"is a file. Give the folder it is in: {path.parent}"
        raise RecipeError(f"checkpoint {name} must be a folder, but {way}")
    if not NAME.fullmatch(name):
        raise RecipeError(
            f"checkpoint {name!r} is neither a folder that exists nor the name of a hub model (owner/model); "
            f"{did_you_mean(name, other)}"
        )


def _complete(folder: Path, name: str) -> Path:
    """Return the folder if it holds what can be read, otherwise say what the model holds on the hub."""
    config, weights = (folder / "config.json").is_file(), any(folder.glob("*.safetensors*"))
    if config and weights:
        return folder
    from huggingface_hub import list_repo_files

    try:
        names = list_repo_files(name, revision=folder.name)
    except Exception:  # whatever it is, what was fetched says enough
        names = [path.name for path in folder.iterdir()]
    raise (without_weights if config else without_config)(name, names)


def _meant(name: str) -> str:
    near = get_close_matches(name.lower(), [*KNOWN, *(known.partition("/")[2] for known in KNOWN)], n=1, cutoff=0.8)
    if not near:
        return "Check the spelling: names of hub models are owner/model, such as openai/whisper-tiny."
    return f"Did you mean {next(known for known in KNOWN if known.endswith(near[0]))!r}?"


def _unreachable(name: str, revision: str | None, error: Exception) -> str:
    """Return what to say where the hub does not answer: what is missing, why, and how to do without."""
    from huggingface_hub import constants

    kind = type(error).__name__
    part = "only in part in" if kind.startswith("Incomplete") else "not in"
    which = f"revision {revision} is" if revision else "is"
    offline = ", because HF_HUB_OFFLINE is set" * bool(constants.HF_HUB_OFFLINE)
    option = f" --revision {revision}" if revision else ""
    return (
        f"{which} {part} the cache, and the hub cannot be reached ({kind}){offline}. Fetch it once with a network: `hf "
        f"download {name}{option} --local-dir FOLDER`, carry FOLDER here, and give FOLDER in place of the name."
    )
