"""One-line sabotages of the MCP server: who speaks, what is reached, and how the process ends."""

from __future__ import annotations

from tests.sabotage.change import Change

DESK = "kioku/mcp/desk.py"
PROCESS = "kioku/mcp/process.py"
SERVER = "kioku/mcp/server.py"
SPEAKER = "kioku/mcp/speaker.py"
WIRE = "kioku/mcp/wire.py"

DESK_TESTS = "tests/unit/test_mcp_desk.py"
PROCESS_TESTS = "tests/integration/test_mcp_process.py"
SPEAKER_TESTS = "tests/unit/test_mcp_speaker.py"

MCP_SERVER_GROUPS: dict[str, list[Change]] = {
    "mcp-server": [
        Change(
            "a launcher's variables say who a client is",
            DESK,
            '_TOLD_BY_OTHERS: Final = ("default", "launcher")',
            '_TOLD_BY_OTHERS: Final = ("default",)',
            DESK_TESTS,
        ),
        Change(
            "what somebody set on purpose gives way to the client",
            DESK,
            '_TOLD_BY_OTHERS: Final = ("default", "launcher")',
            '_TOLD_BY_OTHERS: Final = ("default", "launcher", "environment")',
            DESK_TESTS,
        ),
        Change(
            "every space is reached",
            DESK,
            "if name not in (known := self.spaces):",
            "if name == (known := ()):",
            DESK_TESTS,
        ),
        Change(
            "all means the private ones too",
            DESK,
            "for space in spaces_of(settings) if not space.is_private]",
            "for space in spaces_of(settings)]",
            DESK_TESTS,
        ),
        Change(
            "a store goes on to be used where its file was replaced",
            DESK,
            "                del self._memories[name]",
            "                pass",
            DESK_TESTS,
        ),
        Change(
            "a client's name is kept as it is",
            SPEAKER,
            'letters = (c if c in _KEPT else "-" for c in',
            "letters = (c for c in",
            SPEAKER_TESTS,
        ),
        Change(
            "libraries print into the protocol",
            WIRE,
            "    os.dup2(2, 1)\n",
            "",
            PROCESS_TESTS,
        ),
        Change(
            "the end waits for a call that runs",
            SERVER,
            "run, abandon_on_cancel=True, limiter",
            "run, abandon_on_cancel=False, limiter",
            PROCESS_TESTS,
        ),
        Change(
            "a signal is not heard",
            PROCESS,
            "            signal.signal(number, _ending(desk))\n",
            "            signal.signal(number, signal.SIG_IGN)\n",
            PROCESS_TESTS,
        ),
    ],
}
