"""A model on the loopback that knows its lines: ``python -m tests.clients.model CALLS``.

It speaks as much of its maker's streaming protocol as Claude Code needs for a session: it asks for
each of CALLS (JSON: pairs of a tool's name and its arguments), then says "done". It prints the port
that it listens on, then each request as a line: what a model would be shown of kioku. A process of
its own, since it must be where the clients are, in their network.
"""

from __future__ import annotations

import http.server
import json
import sys
from typing import Any

Json = dict[str, Any]


def results(request: Json) -> list[str]:
    """What the model is shown of each tool call so far, in a request."""
    contents = [message["content"] for message in request["messages"]]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return [json.dumps(one["content"]) for one in blocks if one["type"] == "tool_result"]


def answer(request: Json, calls: list[tuple[str, Json]]) -> str:
    """The next line of the play, as events: told by how many results there are already."""
    told = len(results(request))
    if not request.get("tools") or told == len(calls):
        return _events({"type": "text", "text": ""}, {"type": "text_delta", "text": "done"})
    name, arguments = calls[told]
    block = {"type": "tool_use", "id": f"call_{told}", "name": name, "input": {}}
    return _events(block, {"type": "input_json_delta", "partial_json": json.dumps(arguments)})


def _events(block: Json, delta: Json) -> str:
    """A message of one block, as its maker streams it."""
    stop = "tool_use" if block["type"] == "tool_use" else "end_turn"
    usage = {"input_tokens": 1, "output_tokens": 1}
    about = {"id": "message", "type": "message", "role": "assistant", "model": "played"}
    message: Json = {
        **about,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    events: list[tuple[str, Json]] = [
        ("message_start", {"message": message}),
        ("content_block_start", {"index": 0, "content_block": block}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage}),
        ("message_stop", {}),
    ]
    told = ((kind, json.dumps({"type": kind, **facts})) for kind, facts in events)
    return "".join(f"event: {kind}\ndata: {data}\n\n" for kind, data in told)


def serve(calls: list[tuple[str, Json]]) -> None:
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
            self.wfile.write(answer(request, calls).encode())

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
