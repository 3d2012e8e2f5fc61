"""Importing the MCP SDK without what a server on standard streams never runs (docs/adr/0084).

The rule this module guards: **what is left out is never missed**. The SDK's packages import its
clients, an HTTP server and its authorization before the first word is said on a pipe. Here their
names stand for empty modules while the SDK is imported, and for nothing afterwards. That is done
for the versions it was tried with alone; for any other, and if anything goes wrong, the SDK is
imported as it is, which is only slower. Garbage is not collected meanwhile: there is none, and
looking for it takes a sixth of the time.

Only the process of ``kioku-mcp`` does this, which nobody else's code runs in.
"""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TRIED: Final = ("2.3",)
"""Minor versions of the SDK that were seen to serve so; the tests say so of the pinned one."""

# Packages whose own code does nothing but collect names from all of their modules.
_COLLECTING: Final = ("mcp", "mcp.server")
# What serves or asks over HTTP.
_UNUSED: Final = (
    "httpx2",
    "mcp.server.auth",
    "mcp.server.streamable_http",
    "mcp.server.streamable_http_manager",
    "mcp.server.transport_security",
    "sse_starlette",
    "starlette",
    "uvicorn",
)
_SDK: Final = ("mcp", "mcp_types")


def imported(load: Callable[[], ModuleType], *, version: str | None = None) -> ModuleType:
    """Give what ``load`` imports, which is the SDK and what stands on it.

    ``version`` is the SDK's, the installed one's unless told.
    """
    with _no_collecting():
        version = metadata.version("mcp") if version is None else version
        if not version.startswith(tuple(f"{minor}." for minor in TRIED)) or "mcp" in sys.modules:
            return load()
        before = set(sys.modules)
        try:
            with _left_out():
                return load()
        except Exception:  # noqa: BLE001 - whatever it is, the whole SDK will do
            _forget(set(sys.modules) - before)
            return load()


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Collect no garbage within, nor look again at what was made in it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


@contextmanager
def _left_out() -> Iterator[None]:
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _forget({name for name, module in sys.modules.items() if isinstance(module, _Empty)})


def _forget(names: set[str]) -> None:
    for name in names:
        if name.partition(".")[0] in _SDK or isinstance(sys.modules[name], _Empty):
            del sys.modules[name]


class _Empty(ModuleType):
    """A module that has any name that is asked of it: a class that does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        left_out = type(name, (), {"__module__": self.__name__})
        setattr(self, name, left_out)
        return left_out


class _Finder:
    """Finds the modules to be left out, and the packages whose own code is."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if any(name == unused or name.startswith(unused + ".") for unused in _UNUSED):
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]  # duck-typed
        if name not in _COLLECTING:
            return None
        found = PathFinder.find_spec(name, path)
        if found is not None:
            found.loader = self  # type: ignore[assignment]  # duck-typed, as importlib allows
        return found

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None if spec.name in _COLLECTING else _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing: that is what is saved."""
