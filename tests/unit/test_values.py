"""A class of ``kioku.values`` is what ``dataclasses`` would have made of it."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import KW_ONLY
from pprint import pformat
from typing import TYPE_CHECKING, Any

import pytest

from kioku import values

if TYPE_CHECKING:
    from types import ModuleType


def _point(maker: ModuleType) -> Any:
    @maker.dataclass(frozen=True, slots=True)
    class Point:
        """Where."""

        x: int
        y: int = 0
        _: KW_ONLY
        names: list[str] = maker.field(default_factory=list)
        note: str = maker.field(default="", compare=False)
        secret: str = maker.field(default="", repr=False)

        @property
        def total(self) -> int:
            return self.x + self.y

    return Point


OURS, THEIRS = _point(values), _point(dataclasses)
ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, 2), {"names": ["a"], "note": "n", "secret": "s"}),
    ((), {"x": 1, "y": 2}),
]


@values.dataclass(frozen=True, slots=True)
class _Kept:
    """At the top of a module, where pickle finds it."""

    value: int
    more: tuple[int, ...] = ()


KEPT: Any = _Kept


@pytest.mark.parametrize(("positional", "named"), ARGUMENTS)
def test_it_holds_and_shows_what_a_dataclass_does(
    positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    ours, theirs = OURS(*positional, **named), THEIRS(*positional, **named)
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert repr(ours) == repr(theirs)
    assert pformat(ours, width=10) == repr(ours)
    assert ours.total == theirs.total
    assert OURS.__match_args__ == THEIRS.__match_args__
    assert OURS.__doc__ == THEIRS.__doc__


@pytest.mark.parametrize(
    ("positional", "named"), [((), {}), ((1, 2, []), {}), ((1,), {"z": 1}), ((1,), {"x": 1})]
)
def test_it_refuses_the_arguments_that_a_dataclass_does(
    positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    for kind in (OURS, THEIRS):
        with pytest.raises(TypeError):
            kind(*positional, **named)


def test_each_instance_gets_a_default_of_its_own() -> None:
    assert OURS(1).names is not OURS(1).names


def test_values_of_one_class_are_equal_if_what_is_compared_is() -> None:
    assert OURS(1, note="a") == OURS(1, note="b")
    assert OURS(1) != OURS(2)
    assert OURS(1, secret="a") != OURS(1, secret="b")
    assert OURS(1) != THEIRS(1)
    assert hash(KEPT(1)) == hash(KEPT(1, ()))
    with pytest.raises(TypeError):
        hash(OURS(1))  # of a list


def test_a_value_cannot_be_changed() -> None:
    value = KEPT(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.value = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del value.value
    assert not hasattr(value, "__dict__")


def test_a_value_is_copied_and_pickled() -> None:
    value = KEPT(1, (2,))
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == copy.copy(value) == value


def test_replacing_gives_another_value() -> None:
    value = OURS(1, 2, note="n")
    for replaced in (values.replace(value, y=3), dataclasses.replace(value, y=3)):
        assert replaced == OURS(1, 3)
        assert replaced.note == "n"
    assert value.y == 2
    with pytest.raises(TypeError):
        values.replace(value, z=1)


def test_dataclasses_knows_its_fields() -> None:
    assert [dataclasses.is_dataclass(kind) for kind in (OURS, OURS(1))] == [True, True]

    def told(kind: Any) -> list[tuple[Any, ...]]:
        return [
            (one.name, one.default, one.default_factory, one.compare, one.repr, one.kw_only)
            for one in dataclasses.fields(kind)
        ]

    assert told(OURS) == told(THEIRS)
    assert str(inspect.signature(OURS)) == str(inspect.signature(THEIRS))
