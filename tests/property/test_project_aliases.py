"""Aliases add up to the same in any order, and every name has one project."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from kioku.project.aliases import Alias, ProjectNames

NAMES = "abcdef"
names = st.sampled_from(NAMES)
places = st.tuples(
    st.integers(0, 5), st.binary(min_size=1, max_size=1), st.integers(1, 3), st.binary(max_size=1)
)
aliases = st.lists(
    st.builds(Alias, places, names, names), max_size=12, unique_by=lambda alias: alias.order
)


def shown(found: ProjectNames) -> dict[str, tuple[str, ...]]:
    return {name: found.names_of(name) for name in NAMES}


@given(aliases, st.randoms())
def test_the_order_of_arrival_and_repetitions_change_nothing(
    said: list[Alias], random: object
) -> None:
    shuffled = [*said, *said[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shown(ProjectNames(shuffled)) == shown(ProjectNames(said))


@given(aliases)
def test_every_name_has_exactly_one_project(said: list[Alias]) -> None:
    found = ProjectNames(said)
    for name in NAMES:
        project = found.project_of(name)
        assert found.project_of(project) == project
        assert name in found.names_of(name)
        assert len(set(found.names_of(name))) == len(found.names_of(name))
        for other in NAMES:
            same = other in found.names_of(name)
            assert same == (found.project_of(other) == project)


@given(aliases)
def test_the_last_word_on_a_name_counts_unless_it_closes_a_circle(said: list[Alias]) -> None:
    """Written down anew, without a graph: leave out the least of a circle until there is none."""
    last = {alias.name: alias for alias in sorted(said) if alias.name != alias.of}
    for circle in {frozenset(path) for name in NAMES if (path := round_from(name, last))}:
        del last[min(circle, key=lambda name: last[name].order)]
    found = ProjectNames(said)
    for name in NAMES:
        end = name
        while end in last:
            end = last[end].of
        assert found.project_of(name) == end


def round_from(name: str, last: dict[str, Alias]) -> list[str]:
    """The names on the way from one back to itself; empty if there is no such way."""
    path = [name]
    while path[-1] in last and len(path) <= len(NAMES):
        path.append(last[path[-1]].of)
        if path[-1] == name:
            return path[:-1]
    return []


@given(aliases, places, names, names)
def test_the_greatest_alias_is_always_followed(
    said: list[Alias], place: tuple[int, bytes, int, bytes], name: str, of: str
) -> None:
    newest = Alias((9, *place[1:]), name, of)
    found = ProjectNames([*said, newest])
    assert found.project_of(name) == found.project_of(of)


def test_three_in_a_circle_go_by_the_name_that_was_last_made_one() -> None:
    said = [
        Alias((stamp, b"", 1, b""), name, of)
        for stamp, name, of in ((1, "a", "b"), (2, "b", "c"), (3, "c", "a"))
    ]
    for some in permutations(said):
        found = ProjectNames(some)
        assert found.names_of("b") == ("a", "b", "c")
        assert list(found) == ["a"]


def test_a_long_chain_of_renames_is_followed() -> None:
    said = [Alias((n, b"", 1, b""), str(n), str(n + 1)) for n in range(2_000)]
    found = ProjectNames(said)
    assert found.project_of("0") == "2000"
    assert len(found.names_of("7")) == 2_001
