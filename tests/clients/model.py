"""A model on the loopback that knows its lines: ``python -m tests.clients.model CALLS``.

It speaks as much of three makers' protocols as their clients need for a session. Of Claude Code it
asks for each of CALLS (JSON: pairs of a tool's name and its arguments), then says "done"; to others
it says "done". It prints the port that it listens on, then each request as a line: what a model
would be shown of kioku. A process of its own, since it must be where the clients are, in their
network.
"""

from __future__ import annotations

import http.server
import json
import sys
from typing import Any

Json = dict[str, Any]
Calls = list[tuple[str, Json]]


def results(request: Json) -> list[str]:
    """What Claude Code's model is shown of each tool call so far, in a request."""
    contents = [message["content"] for message in request.get("messages", [])]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return [json.dumps(one["content"]) for one in blocks if one["type"] == "tool_result"]


def answer(path: str, request: Json, calls: Calls) -> str:
    """The next line of the play, as the events that a client of this path expects."""
    if "GenerateContent" in path:
        said = {"content": {"role": "model", "parts": [{"text": "done"}]}, "finishReason": "STOP"}
        return _data({"candidates": [{**said, "index": 0}]})
    if "chat/completions" in path:
        said = {"delta": {"role": "assistant", "content": "done"}, "finish_reason": "stop"}
        about = {"id": "chat", "object": "chat.completion.chunk", "created": 1, "model": "played"}
        return _data({**about, "choices": [{**said, "index": 0}]}) + "data: [DONE]\n\n"
    told = len(results(request))
    if not request.get("tools") or told == len(calls):
        return _message({"type": "text", "text": ""}, {"type": "text_delta", "text": "done"})
    name, arguments = calls[told]
    block = {"type": "tool_use", "id": f"call_{told}", "name": name, "input": {}}
    return _message(block, {"type": "input_json_delta", "partial_json": json.dumps(arguments)})


def _message(block: Json, delta: Json) -> str:
    """A message of one block, as Claude Code has it streamed."""
    stop = "tool_use" if block["type"] == "tool_use" else "end_turn"
    usage = {"input_tokens": 1, "output_tokens": 1}
    about = {"id": "message", "type": "message", "role": "assistant", "model": "played"}
    message: Json = {**about, "content": [], "stop_reason": None, "stop_sequence": None}
    events: list[tuple[str, Json]] = [
        ("message_start", {"message": {**message, "usage": usage}}),
        ("content_block_start", {"index": 0, "content_block": block}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage}),
        ("message_stop", {}),
    ]
    return "".join(f"event: {kind}\n{_data({'type': kind, **facts})}" for kind, facts in events)


def _data(event: Json) -> str:
    return f"data: {json.dumps(event)}\n\n"


def serve(calls: Calls) -> None:
    """Answer until killed."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing but what is asked."""

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            request = json.loads(self.rfile.read(length))
            print(json.dumps(request), flush=True)
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            self.wfile.write(answer(self.path, request, calls).encode())

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
