"""Keys: every address comes back as it was written, and nothing else becomes one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import InvalidArgumentError
from kioku.transport import key_expressions as keys
from kioku.transport.link import PUT_KINDS, QUERY_KINDS, Address

IDS = st.binary(min_size=16, max_size=16)
ADDRESSES = st.builds(Address, IDS, st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True), IDS)
WRITTEN = st.builds(keys.of_one, ADDRESSES, st.sampled_from(PUT_KINDS + QUERY_KINDS))
PIECES = st.sampled_from(
    ["/", "*", "**", "$*", "a", "A", "0", "kioku", "1", "live", "\n", "\0", "é"]
)


@given(ADDRESSES, st.sampled_from(PUT_KINDS))
def test_what_a_put_came_under_is_read_as_it_was_written(address: Address, kind: str) -> None:
    key = keys.of_one(address, kind)  # type: ignore[arg-type]
    assert keys.read_put(key) == (address, kind)
    assert keys.read_query(key, address) is None


@given(ADDRESSES, st.sampled_from(QUERY_KINDS))
def test_what_is_asked_is_read_as_it_was_written(address: Address, kind: str) -> None:
    key = keys.of_one(address, kind)  # type: ignore[arg-type]
    assert keys.read_query(key, address) == kind
    assert keys.read_put(key) is None


@given(ADDRESSES, ADDRESSES, st.sampled_from(QUERY_KINDS))
def test_a_question_to_another_is_none_to_us(one: Address, other: Address, kind: str) -> None:
    expected = kind if one == other else None
    assert keys.read_query(keys.of_one(other, kind), one) == expected  # type: ignore[arg-type]


@given(st.one_of(st.text(), st.lists(PIECES).map("".join), WRITTEN), st.integers(0, 200), PIECES)
def test_only_what_would_be_written_is_read(text: str, at: int, piece: str) -> None:
    for key in (text, text[:at] + piece + text[at:], text[:at] + text[at + 1 :]):
        read = keys.read_put(key)
        assert read is None or keys.of_one(read.sender, read.kind) == key


@pytest.mark.parametrize("space", [b"", b"a" * 15, b"a" * 17])
def test_an_id_of_another_length_is_not_written(space: bytes) -> None:
    with pytest.raises(InvalidArgumentError, match="space id"):
        keys.checked(Address(space, "anna", b"l" * 16))
    with pytest.raises(InvalidArgumentError, match="log id"):
        keys.checked(Address(b"s" * 16, "anna", space))


@pytest.mark.parametrize("machine", ["", "A", "a" * 33, "a/b", "*", "a\n", "ä", "a_b"])
def test_a_machine_without_a_name_of_the_mesh_is_not_written(machine: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^machine: .*; choose another name$"):
        keys.checked(Address(b"s" * 16, machine, b"l" * 16))


@given(ADDRESSES)
def test_the_space_of_all_spaces_is_no_space(address: Address) -> None:
    offered = keys.of_spaces(address.machine, address.log_id)
    assert keys.read_put(f"{offered}/live") is None
    assert offered.startswith("kioku/1/spaces/")
