"""Models of the Hugging Face hub, fetched once into its cache."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from xlser.errors import RecipeError, did_you_mean
from xlser.machine import pass_on_machine

FILES = ["config.json", "preprocessor_config.json", "processor_config.json", "model*.safetensors*", "README.md"]
NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")


def fetched(name: str, revision: str | None, *, other: Iterable[str] = ()) -> Path:
    """Return the folder of a hub model in the cache, which is named after its commit; nothing pickled is fetched.

    ``other`` are names that mean something else, for the hint when ``name`` is none of the hub.

    Raises:
        RecipeError: no such model or revision, no right to it, or no way to the hub and nothing in the cache.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    _check(name, other)
    here = f"There is no folder {name} in {Path.cwd()} either."
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=FILES))
    except GatedRepoError:
        fault = "asks for its terms to be accepted. Do so on its page on the hub, then log in with `hf auth login`."
    except (RepositoryNotFoundError, HFValidationError):
        fault = f"is not on the hub, or is private. {here} Check the spelling."
    except RevisionNotFoundError:
        fault = f"has no revision {revision!r}. Leave `revision` out, or choose one that its page on the hub lists."
    except OSError as error:  # no network, or offline by choice, and not in the cache
        pass_on_machine(error, f"fetching checkpoint {name}")
        fault = (
            f"is not in the cache, and the hub cannot be reached ({type(error).__name__}). {here} "
            "Fetch it once with a network, or give the folder of a copy."
        )
    raise RecipeError(f"checkpoint {name} {fault}")


def _check(name: str, other: Iterable[str]) -> None:
    path = Path(name).expanduser()
    if path.is_file():
        raise RecipeError(f"checkpoint {name} must be a folder, but is a file. Give the folder it is in: {path.parent}")
    if not NAME.fullmatch(name):
        raise RecipeError(
            f"checkpoint {name!r} is neither a folder that exists nor the name of a hub model (owner/model); "
            f"{did_you_mean(name, other)}"
        )
