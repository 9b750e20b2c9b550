"""Readers for the few corpora whose labels lie in files that are no tables. Each gives what a table would.

A hook takes the corpus folder and returns a `SideTable` keyed by file name. It raises FileNotFoundError, saying what
it looked for, where there is nothing to read. The fields it gives are named in `xlser.corpora.card.HOOK_FIELDS`.
"""

from collections.abc import Callable
from pathlib import Path

from xlser.corpora.hooks import esd, iemocap, msp_improv, thai_ser
from xlser.corpora.tables import SideTable

HOOKS: dict[str, Callable[[Path], SideTable]] = {
    "esd": esd.read,
    "iemocap": iemocap.read,
    "msp-improv": msp_improv.read,
    "thai-ser": thai_ser.read,
}
