"""What a user can say of a table that does not say it itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class TableOptions:
    """How a table is read: the same in `init`, `import` and `predict`.

    ``root`` is the folder that its paths start from, by default its own; ``encoding`` such as cp1252, by default UTF-8
    or what its first bytes say; ``separator`` of its cells, by default the one that cuts its header best;
    ``columns`` the header of a role where it is not known by its usual names, such as ``{"emotion": "mood"}``, with the
    unit behind a time's role, such as ``{"start:milliseconds": "from"}``; ``tier`` names the tiers of annotations.
    """

    root: Path | None = None
    encoding: str | None = None
    separator: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    tier: str | None = None

    def folder(self, table: str | Path) -> Path:
        """Return the folder that the paths of ``table`` start from."""
        table = Path(table).expanduser()
        return (self.root or (table if table.is_dir() else table.parent)).expanduser().resolve()
