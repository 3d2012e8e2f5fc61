"""``AsyncMemory`` is ``Memory``, awaited: every public method has its twin there.

Whoever adds a method to ``Memory`` adds one line to ``kioku/memory/awaiting.py``.
"""

from __future__ import annotations

import inspect

import pytest

import kioku

PLAIN = {
    "author",
    "secrets",
    "session_id",
    "now_ms",
}  # they touch no store, so there is nothing to await
LEFT_OUT = {"replica"}  # its methods would stop the loop: ``run`` is the way to it
ADDED = {"run"}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_every_public_name_of_a_memory_has_its_twin() -> None:
    assert public(kioku.AsyncMemory) == public(kioku.Memory) - LEFT_OUT | ADDED


@pytest.mark.parametrize("name", sorted(public(kioku.Memory) - LEFT_OUT - PLAIN - {"close"}))
def test_a_twin_has_the_signature_and_the_words_of_its_method(name: str) -> None:
    method, twin = getattr(kioku.Memory, name), getattr(kioku.AsyncMemory, name)
    assert inspect.signature(twin) == inspect.signature(method)
    assert inspect.getdoc(twin) == inspect.getdoc(method)
    gives_iterator = "Iterator" in str(inspect.signature(method).return_annotation)
    is_twin = inspect.isasyncgenfunction if gives_iterator else inspect.iscoroutinefunction
    assert is_twin(twin)


def test_opening_has_the_signature_and_the_words_of_open() -> None:
    assert inspect.signature(kioku.open_async) == inspect.signature(kioku.open)
    assert inspect.getdoc(kioku.open_async) == inspect.getdoc(kioku.open)
