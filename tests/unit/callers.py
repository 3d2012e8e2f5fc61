"""A client of the MCP server in this process: the SDK's own, without its loops.

What it sees is checked each time: a result fits its schema and the limit, an error is text alone.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import jsonschema
from anyio.from_thread import start_blocking_portal
from mcp import Client
from mcp.types import Implementation

from kioku.mcp.desk import Desk
from kioku.mcp.server import Service
from kioku.mcp.showing import RESULT_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

ERAS = ("legacy", "auto")  # with a handshake, and without one


class Seen:
    """What a tool answered: its text and, by key, its structure."""

    def __init__(self, text: str, structured: dict[str, Any]) -> None:
        self.text = text
        self.structured = structured

    def __getitem__(self, name: str) -> Any:
        return self.structured[name]

    @property
    def ids(self) -> list[str]:
        """The ids of the memories on a page."""
        return [one["id"] for one in self["memories"]]


class Caller:
    """One connection, open while its ``with`` lasts."""

    def __init__(
        self, desk: Desk, *, profile: str = "all", era: str = "legacy", name: str = "codex"
    ) -> None:
        self.desk = desk
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal())
        about = Implementation(name=name, version="1")
        mode: Any = era
        client = Client(Service(desk, profile).server(), mode=mode, client_info=about)
        self.client = self._stack.enter_context(self._portal.wrap_async_context_manager(client))
        self.tools = {tool.name: tool for tool in self.ask(self.client.list_tools).tools}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def origin(self) -> str:
        """Whose the saves of this connection are."""
        return f"codex on {self.desk.settings.pc_id}"

    def ask(self, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """What one of the SDK client's methods gives."""
        return self._portal.call(partial(method, *arguments, **named))

    def call(self, tool: str, **arguments: Any) -> Seen:
        """What a tool answers, which must be no error."""
        text, structured = self.try_call(tool, arguments)
        assert structured is not None, text
        return Seen(text, structured)

    def refused(self, tool: str, **arguments: Any) -> str:
        """What a tool says, which must be an error."""
        text, structured = self.try_call(tool, arguments)
        assert structured is None, text
        return text

    def try_call(self, tool: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
        """What a tool answers: its text, and its structure unless it is an error."""
        result = self.ask(self.client.call_tool, tool, arguments)
        [content] = result.content
        text: str = content.text
        structured: dict[str, Any] | None = result.structured_content
        sent = json.dumps(text, ensure_ascii=False) + json.dumps(structured, ensure_ascii=False)
        assert len(sent.encode()) <= RESULT_BYTES_MAX
        assert text
        assert "Traceback" not in text
        assert "failed inside" not in text, text
        assert result.is_error == (structured is None)
        if structured is not None:
            jsonschema.validate(structured, strict(self.tools[tool].output_schema))
        return text, structured

    def read(self, uri: str) -> str:
        """The text of a resource."""
        [found] = self.ask(self.client.read_resource, uri).contents
        text: str = found.text
        return text

    def prompt(self, name: str, **arguments: str) -> str:
        """The text of a prompt."""
        [message] = self.ask(self.client.get_prompt, name, arguments).messages
        text: str = message.content.text
        return text


def strict(schema: Any) -> Any:
    """A schema that takes no field which it does not name."""
    if isinstance(schema, dict):
        closed = {name: strict(value) for name, value in schema.items()}
        return {"additionalProperties": False, **closed} if "properties" in schema else closed
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


def desk_at(directory: Path, **environ: str) -> Desk:
    """A desk in the project owner/repo, with stores in ``directory``."""
    base = {
        "HOME": str(directory),
        "KIOKU_STATE_DIR": str(directory / "state"),
        "KIOKU_CONFIG": str(directory / "config.toml"),
        "KIOKU_PROJECT": "owner/repo",
    }
    return Desk({**base, **environ}, directory=str(directory))
