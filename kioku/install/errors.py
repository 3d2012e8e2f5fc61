"""Why a client's config is left as it is."""

from __future__ import annotations

from kioku.errors import KiokuError


class InstallError(KiokuError):
    """Nothing was changed; the message says why, and what to do."""


class UnreadableConfigError(InstallError):
    """A client's config is not what its client would read: it is not touched."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}; it is left as it is: mend it, then try again")
        self.path = path
        self.reason = reason


class UneditableConfigError(InstallError):
    """Our entry cannot be put there without touching something else."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}; it is left as it is: edit it by hand")
        self.path = path
        self.reason = reason


class ChangedMeanwhileError(InstallError):
    """Another program wrote the file between our reading and our writing."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path}: changed while it was being edited; nothing was written, try again"
        )
        self.path = path


class NoServerError(InstallError):
    """There is no command that could be registered."""
