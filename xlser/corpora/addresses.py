"""What stands behind the addresses of a card: a file, or the page of a record or a repository that stands for files."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from xlser.corpora.download import Remote
from xlser.corpora.server_answers import content_of
from xlser.errors import CorpusError
from xlser.jsonfile import parse_lenient

# Bytes of a record's list of files.
_LONGEST_LIST = 2**24


def remotes(address: str, sha256: str = "") -> list[Remote]:
    """Return the files that an address of a card stands for.

    A page ``.../records/123`` (Zenodo and its kin) stands for all files of the record, which its server is asked for; a
    page ``https://github.com/owner/name`` for the repository's main branch as one archive; anything else for itself.

    Raises:
        CorpusError: the server of a record cannot be reached, or lists no files.

    >>> remotes("https://github.com/owner/name")[0].url
    'https://github.com/owner/name/archive/HEAD.zip'
    """
    split = urlsplit(address)
    path = split.path.rstrip("/")
    if found := re.fullmatch(r"/records?/(\d+)", path):
        return _record(address, f"{split.scheme}://{split.netloc}/api/records/{found[1]}")
    if split.netloc == "github.com" and (found := re.fullmatch(r"/[^/]+/([^/]+?)(\.git)?", path)):
        return [Remote(f"https://github.com{path.removesuffix('.git')}/archive/HEAD.zip", f"{found[1]}.zip")]
    name = unquote(path.rsplit("/", 1)[-1])
    return [Remote(address, name, f"sha256:{sha256}" if sha256 else "")]


def _record(address: str, api: str) -> list[Remote]:
    import requests

    try:
        content = content_of(api, _LONGEST_LIST)
    except requests.RequestException as error:
        raise CorpusError(f"cannot list the files of {address}: {' '.join(str(error).split())[:200]}") from error
    try:
        entries = parse_lenient(content)["files"]
        files = [Remote(_content(entry, api), entry["key"], entry.get("checksum", "")) for entry in entries]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CorpusError(f"{address} does not list its files as records do; download them by hand") from error
    if not files:
        raise CorpusError(f"{address} lists no files")
    return files


def _content(entry: dict, api: str) -> str:
    return f"{api}/files/{quote(entry['key'])}/content"
