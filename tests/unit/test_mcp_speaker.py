"""Who speaks, by what a client calls itself: the known ones by name, any other harmlessly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.config.checks import Found, fault_of
from kioku.config.sources import collect
from kioku.mcp.speaker import NAME_LENGTH_MAX, NOBODY, Speaker, speaker_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("claude-code", Speaker("claude", "claude-code")),
        ("claude-ai", Speaker("claude", "claude-desktop")),
        ("codex-mcp-client", Speaker("codex", "codex-cli")),
        ("gemini-cli-mcp-client", Speaker("gemini", "gemini-cli")),
        ("opencode", Speaker("opencode", "opencode")),
        ("cursor-vscode", Speaker("cursor", "cursor")),
        ("Visual Studio Code - Insiders", Speaker("vscode", "vscode")),
        ("qwen-code-mcp-client", Speaker("qwen", "qwen-code")),
        ("Zed", Speaker("zed", "zed")),
        ("goose", Speaker("goose", "goose")),
        ("My Own.Agent/2", Speaker("my-own.agent-2", "my-own.agent-2")),
        ("somebody-mcp-client", Speaker("somebody", "somebody-mcp-client")),
        ("../../etc/passwd", Speaker("etc-passwd", "etc-passwd")),
        ("codexed", Speaker("codexed", "codexed")),
        ("", NOBODY),
        ("日本", NOBODY),
        ("-client", Speaker("client", "client")),
        ("\x00\x1b[2J…", Speaker("2j", "2j")),
    ],
)
def test_a_client_is_known_by_its_name(name: str, expected: Speaker) -> None:
    assert speaker_of(name) == expected


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("claude-code", "CLAUDECODE"),
        ("codex-mcp-client", "CODEX_SANDBOX"),
        ("gemini-cli-mcp-client", "GEMINI_CLI"),
        ("opencode", "OPENCODE"),
    ],
)
def test_an_agent_has_one_family_here_and_on_the_command_line(name: str, variable: str) -> None:
    found = collect({variable: "1", "HOME": "/nowhere"}, {}).found
    launched = Speaker(str(found["agent_family"].value), str(found["client_id"].value))
    assert speaker_of(name) == launched


@given(st.text())
def test_whatever_a_client_calls_itself_its_name_is_an_identity(name: str) -> None:
    for value, setting in zip(speaker_of(name), ("agent_family", "client_id"), strict=True):
        assert not value or fault_of(setting, Found(value, "clientInfo")) is None
        assert len(value) <= NAME_LENGTH_MAX
        assert ".." not in value.split("-")
    assert speaker_of(name * 1000 if len(name) > 300 else name) == speaker_of(name)
