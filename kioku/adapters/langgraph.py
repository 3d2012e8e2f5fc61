"""LangGraph's long-term memory on kioku: ``builder.compile(store=KiokuStore(memory))``.

What an item is in the memory, and how machines agree on it, is in ``items``; here are the words of
the framework. What this store cannot do it refuses, and does not pass over in silence.
"""

from __future__ import annotations

import asyncio
import math
from functools import partial, wraps
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from kioku.adapters.items import Found, Items, Name, Put, check_text
from kioku.adapters.values import check_filter, decode, encode, matches
from kioku.errors import InvalidArgumentError
from kioku.memory import Memory
from kioku.memory.awaiting import AsyncMemory
from kioku.observation import from_unix_ms
from kioku.secrets import refuse_in_name

try:
    from langgraph.store.base import (
        BaseStore,
        GetOp,
        InvalidNamespaceError,
        Item,
        ListNamespacesOp,
        MatchCondition,
        Op,
        PutOp,
        Result,
        SearchItem,
        SearchOp,
        TTLConfig,
    )
except ImportError as error:
    raise ImportError(
        f"kioku.adapters.langgraph needs LangGraph ({error});"
        " install it: pip install 'kioku-log[langgraph]'"
    ) from None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

P = ParamSpec("P")
T = TypeVar("T")

SCHEME: Final = "langgraph"
"""How each item's reference begins, and the project unless one is given."""


def _reading(method: Callable[P, T]) -> Callable[P, T]:
    """A method of the framework's that reads, refusing to write for it."""

    @wraps(method)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        if kwargs.get("refresh_ttl"):
            raise NotImplementedError(
                "refresh_ttl: reading a kioku store writes nothing; put the item again instead"
            )
        return method(*args, **kwargs)

    return reading


class KiokuStore(BaseStore):
    """A LangGraph store in a memory, which any number of machines may share.

    With a ``Memory`` all calls work; with an ``AsyncMemory`` the awaited ones alone. The memory
    stays the caller's to close.
    """

    supports_ttl = True

    get = _reading(BaseStore.get)
    aget = _reading(BaseStore.aget)
    search = _reading(BaseStore.search)
    asearch = _reading(BaseStore.asearch)

    def __init__(
        self,
        memory: Memory | AsyncMemory,
        *,
        project: str = SCHEME,
        memory_type: str = "note",
        ttl: TTLConfig | None = None,
    ) -> None:
        """Keep items in a project of ``memory``; another project is another store.

        Args:
            memory: an open memory.
            project: the project of all items.
            memory_type: the type of new items.
            ttl: ``default_ttl`` in minutes, counted from the last put. What has expired is never
                shown, and a read prolongs nothing.

        Raises:
            InvalidArgumentError: if an argument cannot be used.
            NotImplementedError: if ``ttl`` asks for what this store does not do.
        """
        if not isinstance(memory, Memory | AsyncMemory):
            raise InvalidArgumentError(
                f"memory: {type(memory).__name__} is none; give what kioku.open() gives"
            )
        if not project:
            raise InvalidArgumentError("project: is empty; name the project that items lie in")
        self._memory = memory
        self._items = Items(SCHEME, project=project, memory_type=memory_type)
        self.ttl_config = _checked_ttl(ttl or {})

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do several operations: all that read see what was there before any of them writes.

        Of several puts of one item the last counts. All are checked before anything is written.
        """
        if isinstance(self._memory, AsyncMemory):
            raise InvalidArgumentError(
                "memory: is an AsyncMemory; await aget, aput and so on, or give kioku.open()'s"
            )
        return self._done(self._memory, list(ops))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """``batch`` in another thread; what runs when it is cancelled ends by itself."""
        if isinstance(self._memory, AsyncMemory):
            return await self._memory.run(self._done, list(ops))
        return await asyncio.to_thread(self._done, self._memory, list(ops))

    def _done(self, memory: Memory, ops: list[Op]) -> list[Result]:
        puts: dict[Name, Put | None] = {}
        reads = [self._step(op, puts, memory) for op in ops]
        results = [None if read is None else read(memory) for read in reads]
        if puts:
            self._items.write(memory, puts)
        return results

    def _step(
        self, op: Op, puts: dict[Name, Put | None], memory: Memory
    ) -> Callable[[Memory], Result] | None:
        """What an operation reads, once it has been checked; what it puts is noted."""
        if isinstance(op, PutOp):
            name = _name(op)
            puts[name] = _put(op, name, memory)
            return None
        if isinstance(op, GetOp):
            return partial(self._got, name=_name(op))
        if isinstance(op, SearchOp):
            return partial(self._searched, op=_checked_search(op))
        if isinstance(op, ListNamespacesOp):
            return partial(self._namespaces, op=_checked_listing(op))
        raise InvalidArgumentError(f"op: {type(op).__name__} is no operation of a store")

    def _got(self, memory: Memory, *, name: Name) -> Result:
        known = self._items.find(memory, name)
        return Item(**_fields(Found(name, known[0]))) if known else None

    def _searched(self, memory: Memory, *, op: SearchOp) -> Result:
        words, enough = (op.query or "").strip(), op.offset + op.limit
        if words:
            found = self._items.ranked(memory, op.namespace_prefix, words)
        else:
            found = self._items.newest(memory, op.namespace_prefix, enough)
        wanted = (
            SearchItem(**fields, score=one.score)
            for one in found
            if matches((fields := _fields(one))["value"], op.filter or {})
        )
        return list(islice(wanted, op.offset, enough))

    def _namespaces(self, memory: Memory, *, op: ListNamespacesOp) -> Result:
        found = {one.name.namespace for one in self._items.newest(memory, ())}
        conditions = op.match_conditions or ()
        kept = {
            namespace[: op.max_depth]
            for namespace in found
            if all(_is_match(namespace, condition) for condition in conditions)
        }
        return sorted(kept)[op.offset : op.offset + op.limit]


def _fields(found: Found) -> dict[str, Any]:
    """What the framework wants to know of an item."""
    one = found.observation
    return {
        "value": decode(one.content),
        "key": found.name.key,
        "namespace": found.name.namespace,
        "created_at": one.created_at or one.updated_at,
        "updated_at": one.updated_at,
    }


# --- arguments -----------------------------------------------------------------------------------


def _name(op: GetOp | PutOp) -> Name:
    if not op.namespace:
        raise InvalidNamespaceError("Namespace cannot be empty.")
    key = str(op.key)
    check_text("key", key)
    return Name(_labels(op.namespace), key)


def _labels(namespace: Iterable[Any]) -> tuple[str, ...]:
    """Check labels as the framework's own methods do, for whoever calls ``batch`` itself."""
    labels = tuple(namespace)
    for label in labels:
        if not isinstance(label, str) or not label or "." in label:
            raise InvalidNamespaceError(
                f"namespace: {label!r} of {labels} is no label; give text without a period"
            )
        check_text("namespace", label)
    return labels


def _put(op: PutOp, name: Name, memory: Memory) -> Put | None:
    """What an item becomes; None if it is to be deleted."""
    if op.index not in (None, False):
        raise NotImplementedError(
            "index: kioku keeps no vectors, and finds every item by its words; leave index out"
        )
    if op.value is None:
        return None
    for text in (*name.namespace, name.key):
        field = "key" if text == name.key else "namespace"
        refuse_in_name(field, text, memory.secrets)  # without it, it would be another item's name
    content = encode(op.value, secrets=memory.secrets)
    return Put(content, None if op.ttl is None else _end(op.ttl, memory.now_ms()))


def _end(minutes: Any, now_ms: int) -> datetime:
    is_number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
    if not is_number or not math.isfinite(minutes) or minutes * 60_000 < 1:
        raise InvalidArgumentError(f"ttl: {minutes!r} is not a number of minutes above 0")
    try:
        return from_unix_ms(now_ms + round(minutes * 60_000))
    except OverflowError:
        raise InvalidArgumentError("ttl: ends after the year 9999; leave it out") from None


def _checked_ttl(ttl: TTLConfig) -> TTLConfig:
    """What a store does about ends, and a refusal of what it does not."""
    unknown = ttl.keys() - TTLConfig.__annotations__.keys()
    if unknown:
        raise InvalidArgumentError(f"ttl: {min(unknown)} is unknown; give default_ttl")
    for name, is_refused, instead in (
        ("refresh_on_read", ttl.get("refresh_on_read"), "reading writes nothing"),
        ("omit_expired", ttl.get("omit_expired") is False, "what has expired is never shown"),
        ("sweep_interval_minutes", ttl.get("sweep_interval_minutes"), "`kioku gc` erases it"),
    ):
        if is_refused:
            raise NotImplementedError(f"ttl: no {name} in a kioku store: {instead}; leave it out")
    default = ttl.get("default_ttl")
    if default is not None:
        _end(default, 0)
    return {"refresh_on_read": False, "omit_expired": True, "default_ttl": default}


def _checked_search(op: SearchOp) -> SearchOp:
    _check_window(op.limit, op.offset)
    if op.query is not None and not isinstance(op.query, str):
        raise InvalidArgumentError(f"query: {type(op.query).__name__} is not text")
    check_filter(op.filter or {})
    return op._replace(namespace_prefix=_labels(op.namespace_prefix))


def _checked_listing(op: ListNamespacesOp) -> ListNamespacesOp:
    _check_window(op.limit, op.offset)
    for condition in op.match_conditions or ():
        _labels(condition.path)
        if condition.match_type not in ("prefix", "suffix"):
            raise InvalidArgumentError(
                f"match_type: {condition.match_type!r} is neither prefix nor suffix"
            )
    return op


def _check_window(limit: object, offset: object) -> None:
    for name, value in (("limit", limit), ("offset", offset)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise InvalidArgumentError(f"{name}: {value!r} is not a whole number from 0 on")


def _is_match(namespace: tuple[str, ...], condition: MatchCondition) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    skipped = len(namespace) - len(path) if condition.match_type == "suffix" else 0
    return all(
        wanted in ("*", label) for label, wanted in zip(namespace[skipped:], path, strict=False)
    )
