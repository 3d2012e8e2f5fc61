"""Which space a spoke takes part in that was told of none: the one that its hubs have.

The rule this module guards: **a store becomes another space's only while nobody else's events are
in it**, for what two spaces hold must never flow together unasked. So the store of a spoke that was
just set up takes the id and the name of the one space that its hubs offer; where they offer
several, a person must say which; and a store that has met its peers stays what it is.

    ours is offered                    it is joined: the same name gives the same id in open spaces
    nobody answers, or has no space    wait, and ask again
    one other, and we met nobody yet   ours becomes that
    several others                     wait for a person to choose
    others, and we have met peers      keep to ours, and say so
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.errors import PeerError
from kioku.log.private import PRIVATE_SPACE
from kioku.transport.message import SpacesAnswer, decode

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMED_MAX: Final = 5
"""Spaces that a message names; the others are counted."""


class Offer(NamedTuple):
    """A space, as its hubs or its store name it."""

    space_id: bytes
    name: str


class Decision(NamedTuple):
    """What to do: join as ``offer``, which may be another than ours, or wait while it is None."""

    offer: Offer | None
    problem: str = ""


def read_offers(answers: Iterable[bytes]) -> list[Offer]:
    """Give the spaces that hubs offer, ascending by id; what cannot be read is left out.

    So is one that is called as the private space is: nobody can take part in that.

    Where two hubs name one space differently, the first name in order counts.
    """
    found: dict[bytes, str] = {}
    for data in answers:
        try:
            answer = decode(data)
        except PeerError:
            continue
        if isinstance(answer, SpacesAnswer):
            for space_id, name in answer.spaces:
                if name != PRIVATE_SPACE:
                    found[space_id] = min(name, found.get(space_id, name))
    return [Offer(space_id, found[space_id]) for space_id in sorted(found)]


def decide(offers: list[Offer], own: Offer, *, has_met: bool) -> Decision:
    """Say which space to take part in, by the table above."""
    if own.space_id in {offer.space_id for offer in offers}:
        return Decision(own)
    if has_met:
        return Decision(own, _stays(offers, own) if offers else "")
    if not offers:
        return Decision(None)
    if len(offers) > 1:
        return Decision(
            None, f"the hubs have several spaces, {_listed(offers)}; choose one with --space"
        )
    return Decision(offers[0])


def _stays(offers: list[Offer], own: Offer) -> str:
    return (
        f"this store is of space {own.name} and has met its peers, but the hubs have"
        f" {_listed(offers)}; to bring it there: kioku export, and kioku import --space NAME"
    )


def _listed(offers: list[Offer]) -> str:
    names = sorted(offer.name for offer in offers)
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
