"""What the server does with a client, in process: roots, progress, completion, refusals."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import (
    ListRootsResult,
    PromptReference,
    ResourceTemplateReference,
    Root,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

from kioku.errors import NotFoundError
from kioku.mcp import server as served
from kioku.mcp.desk import Desk
from kioku.mcp.table import Prompt, PromptArgument, Resource, Result, Tool
from kioku.mcp.tools import TOOLS
from tests.unit.test_mcp_desk import repository

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

SECONDS_MAX = 60  # far beyond anything; only so that a hang fails instead of lasting
BOTH_ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])


@dataclass(frozen=True, slots=True)
class Counted:
    count: int = 0


def talk(use: Callable[[Client], Coroutine[Any, Any, Any]], desk: Desk, **options: Any) -> Any:
    """What a client got out of a conversation with a server over this desk."""

    async def converse() -> Any:
        async with Client(served.Service(desk, "all").server(), **options) as client:
            return await use(client)

    with desk:
        return asyncio.run(asyncio.wait_for(converse(), SECONDS_MAX))


def offer(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], **more: Any) -> None:
    """Add a tool to those there are."""
    tool = Tool(
        function.__name__,
        function,
        "Title",
        "What.",
        read_only=True,
        destructive=False,
        idempotent=True,
        open_world=False,
        profiles=frozenset({"all"}),
        **more,
    )
    monkeypatch.setattr(served, "TOOLS", (*TOOLS, tool))


@BOTH_ERAS
def test_it_says_who_the_client_is_in_both_eras(mode: str) -> None:
    async def use(client: Client) -> Any:
        return (await client.call_tool("get_memory_status", {})).structured_content

    status = talk(use, Desk(), mode=mode)
    assert status["agent_family"] == "mcp"
    assert status["session_id"].startswith("s-")


def test_a_client_whose_directory_is_the_home_is_asked_where_it_works(
    home: Path, tmp_path: Path
) -> None:
    work = repository(tmp_path / "check out", "acme/rocket")
    asked = []

    async def roots(_: Any) -> ListRootsResult:
        asked.append(1)
        elsewhere = ("file:///nowhere", "file://host/share", work.as_uri())
        return ListRootsResult(roots=[Root.model_validate({"uri": uri}) for uri in elsewhere])

    async def use(client: Client) -> Any:
        results = [await client.call_tool("get_memory_status", {}) for _ in range(2)]
        return [result.structured_content["project"] for result in results]

    desk = Desk(directory=str(home))
    found = talk(use, desk, mode="legacy", list_roots_callback=roots)
    assert found == ["acme/rocket", "acme/rocket"]
    assert len(asked) == 1


def test_a_client_that_does_not_say_where_it_works_is_served_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "ROOTS_S", 0.01)

    async def never(_: Any) -> ListRootsResult:
        await asyncio.Event().wait()
        raise AssertionError

    async def use(client: Client) -> Any:
        return await client.call_tool("save_observation", {"content": "saved anyway"})

    desk = Desk(directory=str(home))
    assert not talk(use, desk, mode="legacy", list_roots_callback=never).is_error


@BOTH_ERAS
def test_progress_of_a_long_call_reaches_the_client(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[float, float | None]] = []
    seen = threading.Event()

    def slow(desk: Desk) -> Result[Counted]:
        desk.progress(1, 3)
        assert seen.wait(SECONDS_MAX)  # the client hears of it while the call runs
        return Result(Counted(3), "done")

    async def told(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, total))
        seen.set()

    async def use(client: Client) -> Any:
        asked = await client.call_tool("slow", {}, progress_callback=told)
        unasked = await client.call_tool("slow", {})
        return asked.structured_content, unasked.structured_content

    offer(monkeypatch, slow)
    assert talk(use, Desk(), mode=mode) == ({"count": 3}, {"count": 3})
    assert steps == [(1, 3)]


def test_a_call_that_breaks_is_an_error_and_the_next_one_works(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(desk: Desk) -> Result[Counted]:
        raise ZeroDivisionError("/home/secret/path")

    async def use(client: Client) -> Any:
        return await client.call_tool("broken", {}), await client.call_tool("get_memory_status", {})

    offer(monkeypatch, broken)
    failed, fine = talk(use, Desk())
    assert failed.is_error
    assert "secret" not in failed.content[0].text
    assert "/home/secret/path" in caplog.text
    assert not fine.is_error


def test_wrong_arguments_say_what_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    def many(
        desk: Desk,
        *,
        words: list[str] | None = None,
        text: str = "",
        count: Annotated[int, Field(ge=1, le=5)] = 2,
    ) -> Result[Counted]:
        assert text in ("", "[]")
        return Result(Counted(len(words or []) * count), "text")

    cases: list[tuple[dict[str, Any], str | int]] = [
        ({}, 0),
        ({"words": None, "count": None}, 0),
        ({"words": ["a", "b"]}, 4),
        ({"words": '["a", "b"]', "text": "[]", "count": "1"}, 2),
        ({"words": "a"}, "many: words: Input should be a valid list (got 'a'); correct"),
        ({"count": 6}, "many: count: Input should be less than or equal to 5 (got 6); correct"),
        ({"count": [[]] * 1000}, "many: count: Input should be a valid integer (got [[], [], "),
        ({"text": 1, "words": [1, 2, 3, 4]}, "; and 2 more; correct it and call again"),
        ({"word": "a", "\x1b[2J": 1}, "takes no 'word', '\\x1b[2J'; it takes words, text, count"),
        ({"old": 1}, 0),
    ]

    async def use(client: Client) -> Any:
        return [await client.call_tool("many", arguments) for arguments, _ in cases]

    offer(monkeypatch, many, left_out={"old": "There is no `old` here."})
    results = talk(use, Desk())
    for (_, expected), result in zip(cases, results, strict=True):
        if isinstance(expected, int):
            assert not result.is_error, result
            assert result.structured_content == ({"count": expected} if expected else {})
        else:
            assert result.is_error
            assert expected in result.content[0].text
    assert results[-1].content[0].text == "There is no `old` here.\ntext"


@BOTH_ERAS
def test_resources_and_prompts_are_read_and_completed(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names(_: Desk, begin: str) -> list[str]:
        return [f"{begin}{number}" for number in range(150)]

    def read(_: Desk, name: str) -> str:
        if name == "no one":
            raise NotFoundError("no one: is not here; look elsewhere")
        return f"about {name}"

    def write(_: Desk, *, who: str, how: str = "well") -> str:
        return f"greet {who} {how}"

    about = Resource("test://about/{name}", read, "about", "About", "…", complete=names)
    whole = Resource("test://all", lambda _: "everything", "all", "All", "…")
    arguments = (PromptArgument("who", "…", True, names), PromptArgument("how", "…"))
    monkeypatch.setattr(served, "RESOURCES", (about, whole))
    monkeypatch.setattr(served, "PROMPTS", (Prompt("greet", write, "Greet", "…", arguments),))

    async def use(client: Client) -> None:
        await _read_resources(client, about.uri)
        await _get_prompts(client)
        for reference, argument in (
            (ResourceTemplateReference(uri=about.uri), "name"),
            (PromptReference(name="greet"), "who"),
        ):
            found = await client.complete(reference, {"name": argument, "value": "a"})
            assert found.completion.values == names(Desk(), "a")[:100]
            assert (found.completion.total, found.completion.has_more) == (150, True)
        found = await client.complete(PromptReference(name="greet"), {"name": "how", "value": ""})
        assert found.completion.values == []

    talk(use, Desk(), mode=mode)


async def _refused(asking: Coroutine[Any, Any, Any]) -> str:
    with pytest.raises(MCPError) as caught:
        await asking
    return str(caught.value)


async def _read_resources(client: Client, template_uri: str) -> None:
    assert [one.uri for one in (await client.list_resources()).resources] == ["test://all"]
    [template] = (await client.list_resource_templates()).resource_templates
    assert template.uri_template == template_uri
    for uri, text in (("test://all", "everything"), ("test://about/a%2Fb/c", "about a/b/c")):
        [content] = (await client.read_resource(uri)).contents
        assert isinstance(content, TextResourceContents)
        assert (content.text, content.mime_type) == (text, "text/markdown")
    assert "look elsewhere" in await _refused(client.read_resource("test://about/no%20one"))
    assert "no resource" in await _refused(client.read_resource("test://about/"))


async def _get_prompts(client: Client) -> None:
    [prompt] = (await client.list_prompts()).prompts
    assert [one.required for one in prompt.arguments or ()] == [True, False]
    [message] = (await client.get_prompt("greet", {"who": "you", "more": "x"})).messages
    assert isinstance(message.content, TextContent)
    assert message.content.text == "greet you well"
    assert "needs who" in await _refused(client.get_prompt("greet", {"how": "badly"}))
    assert "no prompt" in await _refused(client.get_prompt("meet", {}))


def test_a_cancelled_call_takes_up_its_place_until_it_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[int] = []
    go_on = threading.Event()

    def slow(desk: Desk) -> Result[Counted]:
        begun.append(threading.get_ident())
        assert go_on.wait(SECONDS_MAX)
        return Result(Counted(len(begun)), "done")

    async def use(client: Client) -> Any:
        calls = [
            asyncio.create_task(client.call_tool("slow", {})) for _ in range(served.THREADS_MAX)
        ]
        while len(begun) < served.THREADS_MAX:
            await client.list_tools()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        unheard = asyncio.create_task(client.call_tool("slow", {}))
        following = asyncio.create_task(client.call_tool("slow", {}))
        for _ in range(20):
            await client.list_tools()
        unheard.cancel()
        await asyncio.gather(unheard, return_exceptions=True)
        assert len(begun) == served.THREADS_MAX
        go_on.set()
        return (await following).structured_content

    offer(monkeypatch, slow)
    try:
        assert talk(use, Desk(), mode="legacy") == {"count": served.THREADS_MAX + 1}
    finally:
        go_on.set()
