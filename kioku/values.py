"""``dataclass(frozen=True, slots=True)`` for what every command makes, at a fifth of the cost.

``dataclasses`` imports inspect, ast and tokenize, and takes a millisecond for a class: together a
fifth of what starting a save or a search costs (docs/adr/0067). A class that is made here is one to
type checkers, which are shown the real decorator, and to ``dataclasses`` itself: ``replace``,
``fields`` and ``asdict`` of the standard library work on it. Only what kioku uses is here: no
inheritance, no ``__post_init__``, no ``ClassVar``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


class _Absent:
    def __repr__(self) -> str:
        return "<factory>"  # so a signature shows what is made anew each time


_ABSENT: Final = _Absent()


class _Field:
    """What is special about a field."""

    __slots__ = ("default", "factory", "is_compared", "is_keyword", "is_shown", "name")

    def __init__(self, default: Any, factory: Any, *, is_compared: bool, is_shown: bool) -> None:
        self.name = ""
        self.default = default
        self.factory = factory
        self.is_compared = is_compared
        self.is_shown = is_shown
        self.is_keyword = False


def field(
    *,
    default: Any = _ABSENT,
    default_factory: Any = _ABSENT,
    compare: bool = True,
    repr: bool = True,
) -> Any:
    """Say what is special about a field, as ``dataclasses.field`` does."""
    return _Field(default, default_factory, is_compared=compare, is_shown=repr)


def dataclass(*, frozen: bool, slots: bool) -> Callable[[type[_T]], type[_T]]:
    """Make a class whose instances are values: both must be True, as ``dataclasses`` has them."""
    assert (frozen, slots) == (True, True), "values are frozen and have slots"
    return _made


def replace(value: _T, /, **changes: Any) -> _T:
    """Give a value with some fields changed, as ``dataclasses.replace`` does."""
    for name in value.__slots__:  # type: ignore[attr-defined]  # of what this module makes
        if name not in changes:
            changes[name] = getattr(value, name)
    return value.__class__(**changes)


def _made(cls: type[_T]) -> type[_T]:
    """Make the class anew, as slots want it."""
    body = dict(cls.__dict__)
    fields = _fields_of(body)
    names = tuple(each.name for each in fields)
    for name in (*names, "__dict__", "__weakref__", "_"):
        body.pop(name, None)
    compared = tuple(each.name for each in fields if each.is_compared)
    body.update(
        __slots__=names,
        __match_args__=tuple(each.name for each in fields if not each.is_keyword),
        __eq__=_compiled(_eq_source(compared), {}),
        __repr__=_repr_of([each.name for each in fields if each.is_shown]),
        __setattr__=_refuse,
        __delattr__=_refuse,
        __getstate__=_state,
        __setstate__=_set_state,
        __replace__=replace,
        __dataclass_fields__=_Late(fields),
        __dataclass_params__=_Late(fields),
    )
    body.setdefault("__hash__", _compiled(_hash_source(compared), {}))
    made: Any = type(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    scope = {"Open": type(cls.__name__, cls.__bases__, {"__slots__": names}), "Made": made}
    become = object.__dict__["__class__"].__set__
    made.__init__ = _compiled(
        _init_source(fields), {**scope, "become": become, "ABSENT": _ABSENT}, fields
    )
    made.__init__.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__init__.__annotations__ = {
        **{name: cls.__annotations__[name] for name in names},
        "return": None,
    }
    return made  # type: ignore[no-any-return]


def _fields_of(body: dict[str, Any]) -> list[_Field]:
    fields: list[_Field] = []
    is_keyword = False
    for name, annotation in body["__annotations__"].items():
        if annotation == "KW_ONLY":
            is_keyword = True
            continue
        given = body.get(name, _ABSENT)
        one = given if isinstance(given, _Field) else field(default=given)
        one.name, one.is_keyword = name, is_keyword
        fields.append(one)
    return fields


def _init_source(fields: list[_Field]) -> str:
    """An ``__init__`` that fills what may still be written: an object of a class that has the same
    slots and does not refuse, which becomes ours when all is in it. Setting 26 fields past what
    refuses takes 1 µs longer.
    """
    parameters, lines = ["self"], [" become(self, Open)"]
    for each in fields:
        if each.is_keyword and "*" not in parameters:
            parameters.append("*")
        name, value = each.name, each.name
        if each.factory is not _ABSENT:
            value = f"make_{name}() if {name} is ABSENT else {name}"
        has_default = each.default is not _ABSENT or each.factory is not _ABSENT
        parameters.append(f"{name}=default_{name}" if has_default else name)
        lines.append(f" self.{name} = {value}")
    lines.append(" become(self, Made)")
    return f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines)


def _eq_source(names: tuple[str, ...]) -> str:
    ours, theirs = (_tuple_source(who, names) for who in ("self", "other"))
    return f"""def __eq__(self, other):
 if other.__class__ is self.__class__:
  return {ours} == {theirs}
 return NotImplemented"""


def _hash_source(names: tuple[str, ...]) -> str:
    return f"def __hash__(self):\n return hash({_tuple_source('self', names)})"


def _tuple_source(who: str, names: tuple[str, ...]) -> str:
    return f"({''.join(f'{who}.{name}, ' for name in names)})"


def _compiled(source: str, scope: dict[str, Any], fields: list[_Field] | None = None) -> Any:
    """The one function that ``source``, which is made of names of fields alone, defines."""
    for each in fields or ():
        scope[f"default_{each.name}"] = _ABSENT if each.default is _ABSENT else each.default
        scope[f"make_{each.name}"] = each.factory
    scope["__name__"] = __name__
    made: dict[str, Any] = {}
    exec(source, scope, made)  # noqa: S102 - as dataclasses and namedtuple do
    return next(iter(made.values()))


def _repr_of(names: list[str]) -> Any:
    def text(self: object) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({shown})"

    return text


def _refuse(self: object, name: str, *_: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"{self.__class__.__name__}.{name} cannot be changed")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__slots__]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)


class _Late:
    """What ``dataclasses`` knows a class of its own by, made when it first asks."""

    def __init__(self, fields: list[_Field]) -> None:
        self._fields = fields

    def __get__(self, _: object, owner: type) -> Any:
        import dataclasses

        def real(each: _Field) -> Any:
            options: dict[str, Any] = {"compare": each.is_compared, "repr": each.is_shown}
            if each.default is not _ABSENT:
                options["default"] = each.default
            elif each.factory is not _ABSENT:
                options["default_factory"] = each.factory
            return dataclasses.field(kw_only=each.is_keyword, **options)

        made: Any = dataclasses.make_dataclass(
            owner.__name__,
            [(one.name, owner.__annotations__[one.name], real(one)) for one in self._fields],
            frozen=True,
        )
        for name in ("__dataclass_fields__", "__dataclass_params__"):
            setattr(owner, name, getattr(made, name))
        return getattr(owner, self._name)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name
