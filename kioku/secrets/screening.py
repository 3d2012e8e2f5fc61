"""What is taken out of an observation before it becomes an event of ours.

The rule this module guards: **what is written, indexed, compared and replicated is what was left**.
Private parts go whatever the policy; credentials are redacted, or refused, or allowed. All texts
are looked at, also those in lists and deep in ``extra``: a mapping's names as well as its values.
Nothing here, no error included, repeats what was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kioku.errors import InvalidObservationError, SecretRefusedError
from kioku.observation import Redaction
from kioku.secrets.detection import Finding, find
from kioku.secrets.gate import ALLOW, PRIVATE_TEXT
from kioku.secrets.private import PRIVATE_MARK, private_parts
from kioku.secrets.texts import LISTS, NESTED, TEXTS, kinds_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from dataclasses import replace

    from kioku.observation import Observation
else:
    from kioku.values import replace

REDACT: Final = "redact"
REFUSE: Final = "refuse"

PASSES_MAX: Final = 4
_BLANK: Final = "\n"  # ends every pattern that could reach over a private part


def refuse_in_name(field: str, name: str, policy: str) -> None:
    """As ``kioku.secrets.refuse_in_name``."""
    try:
        kept = Screening(policy if policy == ALLOW else REFUSE).text(field, name)
    except SecretRefusedError as error:
        raise SecretRefusedError(error.kind, field, error.start, is_name=True) from None
    if kept != name:
        raise InvalidObservationError(field, "has a private part, which no name can; leave it out")


def with_marks(observation: Observation) -> Observation:
    """Give an observation with the kinds of credentials that it looks to hold."""
    kinds = kinds_in(observation)
    return replace(observation, secrets=kinds) if kinds else observation


def redacted(text: str) -> str:
    """Give a text without its credentials; one that has none as it is."""
    return Screening(REDACT).text("text", text)


def screened(observation: Observation, policy: str) -> Observation:
    """Give an observation as it may be saved; the same one if nothing need be taken out.

    ``redactions`` says what was.

    Raises:
        SecretRefusedError: if it holds a credential and those are refused.
        InvalidObservationError: if a private part is never closed, or is all there is.
    """
    screening = Screening(policy)
    values: dict[str, Any] = {
        name: screening.text(name, getattr(observation, name)) for name in TEXTS
    }
    for name in LISTS:
        values[name] = screening.texts(name, getattr(observation, name))
    for name in NESTED:
        values[name] = screening.nested(name, getattr(observation, name))
    if not screening.redactions:
        return observation
    if not values["content"].replace(PRIVATE_MARK, "").strip() and observation.content.strip():
        raise InvalidObservationError(
            "content", "is private, all of it, so that nothing would be saved; say what may be kept"
        )
    return replace(observation, **values, redactions=tuple(screening.redactions))


class Screening:
    """One pass over the texts of an observation, and what it has taken out."""

    def __init__(self, policy: str) -> None:
        self.policy = policy
        self.redactions: list[Redaction] = []

    def text(self, field: str, text: str) -> str:
        """Give a text as it may be saved.

        It is looked at again, for what stood apart may now stand side by side and be a credential
        together. What gains one each time was made to, and is taken out as one.
        """
        for again in range(PASSES_MAX):
            places = self._places(field, text)
            if not places:
                break
            self.redactions += [Redaction(place.kind, field) for place in places]
            if again == PASSES_MAX - 1:
                places = [places[0]._replace(end=places[-1].end)]
            text = _replaced(text, places, _mark)
        return text

    def _places(self, field: str, text: str) -> list[Finding]:
        places = [Finding(PRIVATE_TEXT, *part) for part in private_parts(field, text)]
        if self.policy == ALLOW:
            return places
        blanked = _replaced(text, places, lambda part: _BLANK * (part.end - part.start))
        found = find(blanked)
        if found and self.policy == REFUSE:
            raise SecretRefusedError(found[0].kind, field, found[0].start)
        return sorted([*places, *found], key=lambda place: place.start)

    def texts(self, field: str, texts: Iterable[str]) -> tuple[str, ...]:
        """Give the items of a list; one that was nothing but private is left out."""
        cleaned = [self.text(f"{field}[{number}]", text) for number, text in enumerate(texts)]
        return tuple(text for text in cleaned if text != PRIVATE_MARK)

    def nested(self, field: str, value: Any) -> Any:
        """Give a value of ``extra``; the place of all in it is ``extra``, for a mapping's name may
        be a secret too.
        """
        if isinstance(value, str):
            return self.text(field, value)
        if isinstance(value, dict):
            return {
                self.nested(field, name): self.nested(field, item) for name, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.nested(field, item) for item in value]
        return value


def _mark(place: Finding) -> str:
    """What stands where something was taken out."""
    return PRIVATE_MARK if place.kind == PRIVATE_TEXT else f"[redacted: {place.kind}]"


def _replaced(text: str, places: Sequence[Finding], give: Callable[[Finding], str]) -> str:
    parts = []
    end = 0
    for place in places:
        parts += [text[end : place.start], give(place)]
        end = place.end
    return "".join([*parts, text[end:]])
