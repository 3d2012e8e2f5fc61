"""Which space a spoke becomes part of: the table of ``joining``, row by row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kioku.log.schema import space_id_of
from kioku.node.joining import Offer, decide, read_offers
from kioku.transport.message import SpacesAnswer


def offer(name: str) -> Offer:
    return Offer(space_id_of(name), name)


def answer(*names: str) -> bytes:
    return SpacesAnswer(tuple(sorted(offer(name) for name in names))).encode()


OWN = offer("default")
OFFERS = st.lists(
    st.sampled_from([offer(name) for name in ("default", "team", "home")]), unique=True
)


def test_the_same_name_is_the_same_space() -> None:
    for has_met in (False, True):
        assert decide([offer("default")], OWN, has_met=has_met) == (OWN, "")
        assert decide([offer("team"), offer("default")], OWN, has_met=has_met) == (OWN, "")


def test_a_hub_that_offers_the_private_space_offers_nothing() -> None:
    assert read_offers([answer("private", "team"), answer("private")]) == [offer("team")]


def test_a_store_that_met_nobody_becomes_the_one_space_that_the_hubs_have() -> None:
    assert decide([offer("team")], OWN, has_met=False) == (offer("team"), "")


def test_a_store_that_has_met_peers_stays_and_says_how_to_bring_it_over() -> None:
    chosen, problem = decide([offer("team")], OWN, has_met=True)
    assert chosen == OWN
    assert "team" in problem
    assert "export" in problem
    assert "import" in problem


def test_several_spaces_wait_for_a_person_and_are_named() -> None:
    chosen, problem = decide([offer("team"), offer("home")], OWN, has_met=False)
    assert chosen is None
    assert problem == "the hubs have several spaces, home, team; choose one with --space"


def test_many_spaces_are_not_all_named() -> None:
    many = [offer(f"s{n}") for n in range(9)]
    assert "s4 and 4 more;" in decide(many, OWN, has_met=False).problem


def test_no_answer_means_to_wait_unless_it_is_known_whose_the_store_is() -> None:
    assert decide([], OWN, has_met=False) == (None, "")
    assert decide([], OWN, has_met=True) == (OWN, "")


@given(offers=OFFERS, has_met=st.booleans())
def test_what_has_met_peers_never_becomes_another_space(
    offers: list[Offer], *, has_met: bool
) -> None:
    chosen, problem = decide(offers, OWN, has_met=has_met)
    if has_met:
        assert chosen == OWN
    if chosen not in (None, OWN):
        assert offers == [chosen]
        assert not problem


def test_the_answers_of_several_hubs_are_one_list() -> None:
    found = read_offers([answer("team", "home"), answer("team")])
    assert found == sorted([offer("team"), offer("home")])


def test_what_cannot_be_read_is_no_offer() -> None:
    assert read_offers([b"", b"\xff", answer("team")[:-1], answer("team")]) == [offer("team")]


def test_a_name_does_not_depend_on_which_hub_answered_first() -> None:
    space = space_id_of("team")
    one, two = (SpacesAnswer(((space, name),)).encode() for name in ("alpha", "beta"))
    assert read_offers([one, two]) == read_offers([two, one]) == [Offer(space, "alpha")]


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_no_answer_ends_the_reading(answers: list[bytes]) -> None:
    read_offers(answers)
