"""The server: kioku's tables in the SDK's words. The only module that imports the MCP SDK.

The SDK's low-level server is used, not its ``MCPServer``: what an agent is told of a wrong
argument, and how large the schemas are, is decided here (docs/adr/0085). A tool runs in a thread,
so that pings are answered and calls cancelled meanwhile; what a cancelled call did can be known:

    cancelled before its thread began     it never runs
    cancelled while it runs               it ends by itself, its result is dropped; the next call
                                          sees whether it was written
"""

from __future__ import annotations

import logging
import math
import threading
from contextlib import suppress
from functools import partial
from importlib import metadata
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final, Never, cast

import anyio
import anyio.from_thread
import anyio.to_thread
import mcp.types as protocol
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from kioku.errors import KiokuError
from kioku.mcp import unreadable
from kioku.mcp.arguments import Shape
from kioku.mcp.desk import reporting
from kioku.mcp.instructions import instructions_for
from kioku.mcp.prompts import PROMPTS
from kioku.mcp.resources import RESOURCES
from kioku.mcp.tools import TOOLS
from kioku.mcp.wire import Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server import ServerRequestContext

    from kioku.mcp.desk import Desk
    from kioku.mcp.table import Prompt, Resource, Tool
    from kioku.mcp.wire import Wire

    Asked = ServerRequestContext[Any]

THREADS_MAX: Final = 8  # calls at once; more wait their turn in the loop
COMPLETIONS_MAX: Final = 100  # the protocol's own limit
ROOTS_S: Final = 1.0  # for a client to say where it works; no save waits longer for that
ROOTS_MAX: Final = 16

_log = logging.getLogger(__name__)


class Service:
    """One connection's handlers: the tables over its desk."""

    def __init__(self, desk: Desk, profile: str) -> None:
        self._desk = desk
        self._profile = profile
        self._tools = {tool.name: tool for tool in TOOLS if profile in tool.profiles}
        self._shapes: dict[str, Shape] = {}
        self._threads = anyio.CapacityLimiter(THREADS_MAX)  # a cancelled call's ends with it
        self._any = anyio.CapacityLimiter(math.inf)
        self._settling = anyio.Lock()
        self._is_settled = False

    def server(self) -> Server[Any]:
        """Build the SDK's server over these handlers."""
        server = Server[Any](
            "kioku",
            title="kioku",
            version=metadata.version("kioku-log"),
            description="A memory that agents share, on this machine and others.",
            instructions=instructions_for(self._profile),
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
            on_completion=self._complete,
        )
        server.add_notification_handler(
            "notifications/initialized", protocol.NotificationParams, self._begin
        )
        server.add_request_handler(unreadable.METHOD, protocol.RequestParams, self._unreadable)
        return server

    async def _unreadable(self, _: Asked, __: Any) -> Never:
        raise MCPError(code=protocol.PARSE_ERROR, message=unreadable.WHY)

    # -- tools

    async def _list_tools(self, asked: Asked, _: Any) -> protocol.ListToolsResult:
        self._meet(asked)
        return protocol.ListToolsResult(tools=[self._described(t) for t in self._tools.values()])

    def _described(self, tool: Tool) -> protocol.Tool:
        shape = self._shape(tool)
        return protocol.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=shape.input_schema(),
            output_schema=shape.output_schema(),
            annotations=protocol.ToolAnnotations(
                read_only_hint=tool.read_only,
                destructive_hint=tool.destructive,
                idempotent_hint=tool.idempotent,
                open_world_hint=tool.open_world,
            ),
        )

    def _shape(self, tool: Tool) -> Shape:
        if tool.name not in self._shapes:
            self._shapes[tool.name] = Shape(tool)
        return self._shapes[tool.name]

    async def _call_tool(
        self, asked: Asked, params: protocol.CallToolRequestParams
    ) -> protocol.CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            known = ", ".join(self._tools)
            return _failed(f"there is no tool {params.name[:64]!r}; there are {known}")
        self._meet(asked)
        sent = params.arguments or {}
        try:
            shape = self._shape(tool)
            arguments = shape.arguments(sent)
            result = await self._in_thread(asked, partial(tool.function, self._desk, **arguments))
        except KiokuError as error:
            return _failed(str(error))
        except Exception:  # noqa: BLE001 - of one call; it is logged, and the others go on
            _log.exception("tool %s", tool.name)
            return _failed(f"{tool.name} failed inside kioku; its log on standard error says why")
        remarks = [tool.left_out[name] for name in sent if name in tool.left_out]
        text = "\n".join([*remarks, result.text])
        structured = shape.structured(result.structured)
        if remarks and "notes" in shape.output_schema()["properties"]:
            structured["notes"] = [*remarks, *structured.get("notes", ())]
        return protocol.CallToolResult(
            content=[protocol.TextContent(type="text", text=text)],
            structured_content=structured,
        )

    # -- resources

    async def _list_resources(self, _: Asked, __: Any) -> protocol.ListResourcesResult:
        return protocol.ListResourcesResult(
            resources=[
                protocol.Resource(uri=resource.uri, **_said_of(resource))
                for resource in RESOURCES
                if not resource.is_template
            ]
        )

    async def _list_templates(self, _: Asked, __: Any) -> protocol.ListResourceTemplatesResult:
        return protocol.ListResourceTemplatesResult(
            resource_templates=[
                protocol.ResourceTemplate(uri_template=resource.uri, **_said_of(resource))
                for resource in RESOURCES
                if resource.is_template
            ]
        )

    async def _read_resource(
        self, asked: Asked, params: protocol.ReadResourceRequestParams
    ) -> protocol.ReadResourceResult:
        uri = str(params.uri)
        self._meet(asked)
        resource, values = _resource_of(uri)
        text = await self._answered(asked, partial(resource.read, self._desk, *values))
        return protocol.ReadResourceResult(
            contents=[
                protocol.TextResourceContents(uri=uri, mime_type=resource.mime_type, text=text)
            ]
        )

    # -- prompts

    async def _list_prompts(self, _: Asked, __: Any) -> protocol.ListPromptsResult:
        return protocol.ListPromptsResult(
            prompts=[
                protocol.Prompt(
                    name=prompt.name,
                    title=prompt.title,
                    description=prompt.description,
                    arguments=[
                        protocol.PromptArgument(
                            name=one.name, description=one.description, required=one.required
                        )
                        for one in prompt.arguments
                    ],
                )
                for prompt in PROMPTS
                if self._profile in prompt.profiles
            ]
        )

    async def _get_prompt(
        self, asked: Asked, params: protocol.GetPromptRequestParams
    ) -> protocol.GetPromptResult:
        self._meet(asked)
        prompt = _prompt_of(params.name)
        given = params.arguments or {}
        missing = [one.name for one in prompt.arguments if one.required and one.name not in given]
        if missing:
            raise _refused(f"prompt {prompt.name} needs {', '.join(missing)}")
        known = {one.name: given[one.name] for one in prompt.arguments if one.name in given}
        text = await self._answered(asked, partial(prompt.write, self._desk, **known))
        message = protocol.PromptMessage(
            role="user", content=protocol.TextContent(type="text", text=text)
        )
        return protocol.GetPromptResult(description=prompt.description, messages=[message])

    async def _complete(
        self, asked: Asked, params: protocol.CompleteRequestParams
    ) -> protocol.CompleteResult:
        self._meet(asked)
        complete = _completer_of(params.ref, params.argument.name)
        values: list[str] = []
        if complete is not None:
            begin = params.argument.value
            values = await self._answered(asked, partial(complete, self._desk, begin))
        shown = values[:COMPLETIONS_MAX]
        return protocol.CompleteResult(
            completion=protocol.Completion(
                values=shown, total=len(values), has_more=len(shown) < len(values)
            )
        )

    # -- all of them

    async def _begin(self, asked: Asked, _: Any) -> None:
        """The handshake is over."""
        self._meet(asked)

    def _meet(self, asked: Asked) -> None:
        """Learn who speaks: from the handshake, or from each request where there is none."""
        client = asked.session.client_params
        if client is not None:
            self._desk.introduce(client.client_info.name)
        self._desk.begin()

    async def _settle(self, asked: Asked) -> None:
        """Ask the client where it works, once, if nothing else says so; it need not answer."""
        async with self._settling:
            if self._is_settled:
                return
            self._is_settled = True
            capabilities = asked.session.client_capabilities
            if capabilities is None or capabilities.roots is None:
                return
            if not asked.session.can_send_request or not await self._wants_place():
                return
            with anyio.move_on_after(ROOTS_S), suppress(MCPError, ValueError):
                answer = await asked.session.send_request(
                    protocol.ListRootsRequest(), protocol.ListRootsResult
                )
                self._desk.place([_path_of(str(root.uri)) for root in answer.roots[:ROOTS_MAX]])

    async def _wants_place(self) -> bool:
        with suppress(KiokuError):
            return await anyio.to_thread.run_sync(lambda: self._desk.needs_place)
        return False

    async def _answered(self, asked: Asked, call: Callable[[], Any]) -> Any:
        """What a call gives; its error as the protocol's, where there is no ``is_error``."""
        try:
            return await self._in_thread(asked, call)
        except KiokuError as error:
            raise _refused(str(error)) from error

    async def _in_thread(self, asked: Asked, call: Callable[[], Any]) -> Any:
        """Run in a thread, telling the client how far it is; a cancelled call is left to end."""
        await self._settle(asked)

        def report(done: int, total: int) -> None:
            # Nobody to tell it to, any more, is no reason for the work to stop half-way.
            with suppress(RuntimeError, anyio.BrokenResourceError, anyio.ClosedResourceError):
                anyio.from_thread.run(asked.session.report_progress, done, total)

        reporting(report)
        turn = threading.Lock()  # taken once: by the thread, or by a cancellation before it begins
        await self._threads.acquire_on_behalf_of(turn)
        release = partial(self._threads.release_on_behalf_of, turn)

        def run() -> Any:
            if not turn.acquire(blocking=False):
                return None
            try:
                return call()
            finally:
                with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                    anyio.from_thread.run_sync(release)

        try:
            return await anyio.to_thread.run_sync(run, abandon_on_cancel=True, limiter=self._any)
        finally:
            if turn.acquire(blocking=False):
                release()


def serve(desk: Desk, profile: str, wire: Wire) -> None:
    """Serve one client on a wire, until its incoming side ends."""
    anyio.run(_serve, desk, profile, wire)


async def _serve(desk: Desk, profile: str, wire: Wire) -> None:
    server = Service(desk, profile).server()
    stdin = cast(anyio.AsyncFile[str], Lines(wire, _is_message))
    stdout = anyio.wrap_file(TextIOWrapper(wire.outgoing, encoding="utf-8", write_through=True))
    async with stdio_server(stdin, stdout) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def _is_message(line: str) -> bool:
    """Whether the SDK will take a line for a message: it is read as the SDK reads it."""
    try:
        protocol.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        return False
    return True


def _failed(message: str) -> protocol.CallToolResult:
    content = protocol.TextContent(type="text", text=message)
    return protocol.CallToolResult(content=[content], is_error=True)


def _refused(message: str) -> MCPError:
    return MCPError(code=protocol.INVALID_PARAMS, message=message)


def _said_of(resource: Resource) -> dict[str, Any]:
    """What a list says of a resource, and of a template alike."""
    return {
        "name": resource.name,
        "title": resource.title,
        "description": resource.description,
        "mime_type": resource.mime_type,
    }


def _resource_of(uri: str) -> tuple[Resource, tuple[str, ...]]:
    """The resource of a uri, and what stands for the variable of a template."""
    from urllib.parse import unquote

    for resource in RESOURCES:
        begin = resource.uri.partition("{")[0]
        if not resource.is_template and uri == resource.uri:
            return resource, ()
        if resource.is_template and uri.startswith(begin) and len(uri) > len(begin):
            return resource, (unquote(uri.removeprefix(begin)),)
    raise _refused(f"there is no resource {uri[:120]!r}; resources/list shows those there are")


def _path_of(uri: str) -> str:
    """The path that a root names; ``""`` if it is none of this machine."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" and not parts.netloc else ""


def _prompt_of(name: str) -> Prompt:
    for prompt in PROMPTS:
        if prompt.name == name:
            return prompt
    raise _refused(f"there is no prompt {name[:64]!r}; prompts/list shows those there are")


def _completer_of(ref: Any, argument: str) -> Callable[[Desk, str], list[str]] | None:
    if isinstance(ref, protocol.PromptReference):
        arguments = _prompt_of(ref.name).arguments
        return next((one.complete for one in arguments if one.name == argument), None)
    for resource in RESOURCES:
        if resource.uri == str(ref.uri):
            return resource.complete
    raise _refused(f"there is no resource template {str(ref.uri)[:120]!r}")
