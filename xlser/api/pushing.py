"""A trained model put on the Hugging Face hub: packed without what tells of people, judged, shown, sent."""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlser.api.anonymous import make_anonymous
from xlser.api.saved_folder import README, facts_of, save_model
from xlser.atomic import write_text
from xlser.corpora.licences import NON_COMMERCIAL, REFUSED, row_of
from xlser.errors import RunError
from xlser.experiment.use.hub_models import HubName, offline
from xlser.machine import pass_on_machine
from xlser.reporting.modelcard.markdown import model_readme
from xlser.reporting.modelcard.model_facts import ModelFacts
from xlser.version import __version__

SUFFIXES = (".json", ".safetensors", ".md")
# What an earlier push of another model may have left.
_OWN = ["models/*", "jobs/*", "encoder/*", "checkpoints/*", "*.json", "*.safetensors"]
_SMALL_TALK = {"root", "user", "admin", "runner", "ubuntu"}  # names of nobody


@dataclass(frozen=True)
class Parcel:
    """A model as it will be sent.

    ``folder`` holds it, ``facts`` are what its card says, ``permitted`` who permits what licences do not.
    """

    folder: Path
    name: HubName
    facts: ModelFacts
    permitted: str = ""

    @property
    def files(self) -> list[tuple[str, int]]:
        """Names and sizes in bytes."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [(path.relative_to(self.folder).as_posix(), path.stat().st_size) for path in paths]

    def text(self, public: bool) -> str:
        """Say what would be sent, where, and what the licences say of it."""
        lines = [f"{name}  {_size(size)}" for name, size in self.files]
        return "\n".join(
            [*(f"  {line}" for line in lines), verdict_text(self.facts, self.permitted), self._where(public)]
        )

    def _where(self, public: bool) -> str:
        who = "everybody may read it" if public else "private: only you and those you let in may read it"
        return f"to {self.name}, {who}: {len(self.files)} files, {_size(sum(size for _, size in self.files))}"


@contextmanager
def packed(model: Any, name: HubName, permitted: str = "") -> Iterator[Parcel]:
    """Yield a trained model as it will be sent, in a folder that is gone afterwards.

    Args:
        model: what `xlser.experiment.use.model.load` gave.
        name: on the hub.
        permitted: who permits what the licences do not; the model card says so.

    Raises:
        RunError: something in it still tells of this machine; it is not sent.
    """
    with tempfile.TemporaryDirectory(prefix="xlser-push-") as temporary:
        folder = Path(temporary) / "model"
        facts = make_anonymous(folder, save_model(model.chosen, folder))
        write_text(folder / README, model_readme(facts, where=f"hf:{name.repo}", permitted=permitted))
        check_tells_nothing(folder)
        yield Parcel(folder, name, facts, permitted)


def check_permitted(facts: ModelFacts, permitted: str = "") -> None:
    """Refuse a model that the licences of what it was made of do not let be passed on.

    Args:
        facts: of the model; see `facts_of`.
        permitted: who permits it nevertheless; empty for nobody.

    Raises:
        RunError: each corpus is named with its licence.
    """
    if facts.terms.verdict != REFUSED or permitted.strip():
        return
    refused = [f"{name}: {text} ({row_of(text).why})" for name, text in facts.terms.refused]
    raise RunError(
        "this model may not be passed on: nobody is known to permit that of what it was made of.\n  "
        + "\n  ".join(refused or ["it does not say which corpora it learnt from"])
        + '\nLeave these out and train again; or, if their owners permit it: --licence-permits "WHO, AND WHERE '
        'THEY SAY SO", which the model card then says.'
    )


def verdict_text(facts: ModelFacts, permitted: str) -> str:
    """Say in a line what the licences say."""
    terms = facts.terms
    if terms.verdict == REFUSED:
        names = ", ".join(name for name, _ in terms.refused) or "unknown corpora"
        return f"licence: {names} do not let it be passed on" + (f"; permitted by: {permitted}" if permitted else "")
    kind = "non-commercial, as its card says" if terms.verdict == NON_COMMERCIAL else "may be passed on"
    return f"licence: {terms.name or terms.hub}, {kind}"


def send(parcel: Parcel, *, public: bool = False, api: Any = None) -> str:
    """Put a parcel on the hub, as one commit, and return its address.

    Args:
        parcel: what `packed` gave.
        public: for everybody to read; otherwise private.
        api: a `huggingface_hub.HfApi`; one with the token that one has logged in with unless given.

    Raises:
        RunError: nobody is logged in, the name is somebody else's or holds something else, or there is no way to the
            hub. Nothing of the token is said.
    """
    from huggingface_hub import HfApi

    api, repo = api or HfApi(library_name="xlser", library_version=__version__), parcel.name.repo
    if parcel.name.revision:
        raise RunError(f"{parcel.name} names a revision, but a push makes a new one. Give hf:{repo} alone.")
    with _explained(parcel.name):
        url = api.create_repo(repo, private=not public, exist_ok=True)
        _check_own(api, parcel.name, public)
        done = api.upload_folder(
            repo_id=repo,
            folder_path=parcel.folder,
            commit_message=f"{parcel.facts.title}, by xlser {__version__}",
            delete_patterns=_OWN,
        )
    return f"{url} at commit {done.oid}"


def check_tells_nothing(folder: Path) -> None:
    """See that nothing in a folder tells of this machine or its user, and that nothing in it can run.

    Raises:
        RunError: a file does; it is named.
    """
    secrets = [str(Path.home()), tempfile.gettempdir().rstrip("/") + "/"]
    secrets += [] if _user() in _SMALL_TALK or len(_user()) < 3 else [f"/{_user()}/", f"\\{_user()}\\"]
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix not in SUFFIXES:
            raise RunError(f"{name} is neither JSON nor safetensors nor the model card: it was not sent.")
        text = _said(path)
        for secret in filter(lambda secret: len(secret) > 2, secrets):
            if secret in text:
                raise RunError(f"{name} names {secret}, a place of this machine: it was not sent. Please report it.")


def _said(path: Path) -> str:
    """Return the words in a file: of safetensors the header alone."""
    with path.open("rb") as file:
        if path.suffix != ".safetensors":
            return file.read().decode("utf-8", "replace")
        return file.read(int.from_bytes(file.read(8), "little")).decode("utf-8", "replace")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may have none
        return ""


def _check_own(api: Any, name: HubName, public: bool) -> None:
    """Refuse to write over what is no model of xlser, and to make public what was to be private."""
    about = api.model_info(name.repo)
    there = {one.rfilename for one in about.siblings or ()} - {".gitattributes", README}
    if there and "model.json" not in there:
        raise RunError(
            f"{name} holds something else already ({', '.join(sorted(there)[:3])}). Give another name, or empty it."
        )
    if not public and about.private is False:
        raise RunError(f"{name} is public already: everybody would read it. Say --public, or give another name.")


@contextmanager
def _explained(name: HubName) -> Iterator[None]:
    """Turn what the hub answers into what there is to do; the answers themselves are not repeated."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError, LocalTokenNotFoundError

    owner = name.repo.partition("/")[0]
    try:
        yield
        return
    except (HFValidationError, LocalTokenNotFoundError, HfHubHTTPError) as error:
        answer = getattr(getattr(error, "response", None), "status_code", None)
        fault = _FAULTS.get(401 if isinstance(error, LocalTokenNotFoundError) else answer or 400)
        fault = fault or f"the hub answered {answer}. Try again later."
    except (OSError, HTTPError) as error:
        pass_on_machine(error, f"sending {name}")
        fault = f"the hub cannot be reached ({type(error).__name__}{offline()}). Try again with a network."
    raise RunError(f"cannot push to {name}: {fault.format(owner=owner)}")


_FAULTS = {
    400: "the hub takes no such name. Use letters, digits, -, _ and .",
    401: "you are not logged in, or your token is no longer good. Log in with `hf auth login`, or set HF_TOKEN.",
    403: "it belongs to {owner}, where your token may not write. Give a name of your own, or a token that may write.",
    404: "there is no {owner}, or your token may not write there. Give a name of your own.",
    409: "it changed meanwhile. Push again.",
    413: "it is too large for the hub.",
    429: "the hub has had too many requests. Wait a while.",
}


def _size(count: int) -> str:
    """Write a size.

    >>> _size(0), _size(1536), _size(5 * 2**20)
    ('0 B', '1.5 KiB', '5.0 MiB')
    """
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >= 2**power:
            return f"{count / 2**power:.1f} {unit}"
    return f"{count} B"


def pushed_facts(model: Any) -> ModelFacts:
    """Return what the model card of a loaded model says, by which `check_permitted` judges."""
    return facts_of(model.chosen)


__all__ = ["Parcel", "check_permitted", "packed", "pushed_facts", "send", "verdict_text"]
