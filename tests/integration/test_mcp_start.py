"""How the server's process begins: what it imports of the SDK, and that nothing of it is missed."""

from __future__ import annotations

import json
from importlib import metadata

from kioku.mcp import light
from tests.integration.child import Child

# The process imports as kioku-mcp does, and tells which modules are there.
_IMPORT = """
import json, sys
from importlib import import_module
from kioku.mcp import light
calls = []
def load():
    calls.append(1)
    if sys.argv[2:] and len(calls) == 1:
        import_module("mcp.server.lowlevel.server")
        raise AttributeError("what a later SDK may miss")
    return import_module("kioku.mcp.server")
server = light.imported(load, version=sys.argv[1])
print(json.dumps([len(calls), sorted(sys.modules), len(sys.meta_path)]))
"""
_LEFT_OUT = ("mcp.client", "starlette", "httpx2", "uvicorn", "mcp.server.auth")


def _imported(*arguments: str) -> tuple[int, set[str], int]:
    with Child(_IMPORT, *arguments) as child:
        code, out, err = child.finish()
    assert (code, err) == (0, "")
    calls, modules, finders = json.loads(out)
    return calls, set(modules), finders


def test_the_pinned_sdk_is_one_that_was_tried_without_its_http_half() -> None:
    version = metadata.version("mcp")
    assert version.rpartition(".")[0] in light.TRIED
    calls, modules, _ = _imported(version)
    assert calls == 1
    assert not modules & set(_LEFT_OUT)
    assert "mcp.server.lowlevel.server" in modules


def test_any_other_sdk_is_imported_whole() -> None:
    calls, modules, _ = _imported("9.9.9")
    assert calls == 1
    assert modules >= set(_LEFT_OUT)


def test_what_cannot_be_imported_so_is_imported_whole() -> None:
    calls, modules, finders = _imported(metadata.version("mcp"), "broken")
    assert calls == 2
    assert modules >= set(_LEFT_OUT)
    assert finders == _imported("9.9.9")[2]
