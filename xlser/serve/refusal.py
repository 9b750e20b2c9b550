"""What a server says no to: a status, a sentence in plain words, and never a path of the machine."""

from __future__ import annotations


class Refused(Exception):
    """A request that is not answered: its ``status`` in HTTP and the reason.

    ``retry_after`` are seconds after which asking again may help; None where it does not.
    """

    def __init__(self, status: int, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.retry_after = status, detail, retry_after

    @property
    def headers(self) -> dict[str, str]:
        """``Retry-After`` where there is one."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
