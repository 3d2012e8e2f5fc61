"""What must not be saved: credentials and private parts, found before an event is made of them.

``gate`` asks of each body whether there may be anything at all, in 4 µs, and is all that most
saves load. ``detection`` says what and where, with ``formats`` (credentials that tell their
issuer), ``named`` (those that only a name tells) and ``blocks`` (those of many lines).
``screening`` takes them out of an observation. All are functions of the text alone: nothing is
asked of anybody, nothing is remembered. What is found and what is not: docs/security.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.secrets.gate import must_screen as must_screen

if TYPE_CHECKING:
    from kioku.observation import Observation


def screened(observation: Observation, policy: str) -> Observation:
    """Give an observation as it may be saved; as of ``kioku.secrets.screening``."""
    from kioku.secrets import screening

    return screening.screened(observation, policy)


def screened_text(field: str, text: str, policy: str) -> str:
    """Give a text that is no part of an observation as it may be saved."""
    if not must_screen(text.encode("utf-8", "replace"), policy):
        return text
    from kioku.secrets import screening

    return screening.Screening(policy).text(field, text)


def refuse_in_name(field: str, name: str, policy: str) -> None:
    """Refuse a project's name that holds anything to be taken out: no part of a name can be.

    Raises:
        SecretRefusedError: if it holds a credential, unless those are allowed.
        InvalidObservationError: if it holds a private part.
    """
    if must_screen(name.encode("utf-8", "replace"), policy):
        from kioku.secrets import screening

        screening.refuse_in_name(field, name, policy)


def with_marks(observation: Observation, body: bytes) -> Observation:
    """Give a stored observation with the kinds of credentials that it looks to hold."""
    if not must_screen(body, ""):
        return observation
    from kioku.secrets import screening

    return screening.with_marks(observation)
