"""What Zenoh says when something failed, as an error that says what to do.

Its messages are sentences made for its developers, with the line of the source at the end. Nothing
is taken from them but whether one of a few known things is the matter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kioku.errors import AddressInUseError, ConfigError, PeerUnreachableError
from kioku.wording import no_hub

if TYPE_CHECKING:
    from kioku.errors import KiokuError
    from kioku.transport.zenoh_settings import ZenohSettings

TEXT_LENGTH_MAX: Final = 200

_WHERE: Final = re.compile(r"\s*at /\S+\.rs:\d+\.?")
_INSTEAD: Final = re.compile(r", expected one of .*", re.DOTALL)
"""All the names that it knows: hundreds of characters."""

# What a message contains when a hub cannot listen, and what that means.
_NOT_LISTENING: Final = (
    ("Address already in use", "another program listens there"),
    ("Cannot assign requested address", "this machine has no such address"),
    ("Permission denied", "that needs more rights than this user has"),
    ("Unable to open lock file", "no socket can be made there"),
    ("Unable to get file lock", "another program listens there"),
)


def one_line(error: Exception) -> str:
    """Give what an error says, without the places in Zenoh's source and the names it knows."""
    text = _INSTEAD.sub("", _WHERE.sub("", str(error)))
    return " ".join(text.split())[:TEXT_LENGTH_MAX]


def of_opening(error: Exception | None, settings: ZenohSettings) -> KiokuError:
    """Say why no session could be opened; ``error`` is None when time was up."""
    text = "" if error is None else one_line(error)
    if settings.role == "hub" and error is not None:
        return _of_listening(text, settings)
    return PeerUnreachableError(no_hub(settings.connect))


def _of_listening(text: str, settings: ZenohSettings) -> KiokuError:
    endpoint = next((one for one in settings.listen if one in text), ", ".join(settings.listen))
    for sign, reason in _NOT_LISTENING:
        if sign in text:
            return AddressInUseError(endpoint, reason)
    return ConfigError(f"cannot listen on {endpoint}: {text}; correct the endpoint")


def of_reply(payload: bytes) -> str:
    """Say what an error that came instead of a reply means."""
    if payload == b"Timeout":
        return "timeout"
    return payload[:TEXT_LENGTH_MAX].decode("utf-8", "replace") or "error"
