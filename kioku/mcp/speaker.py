"""Who speaks: the agent's family and client, from the name that a client gives of itself.

The rule this module guards: **nobody says who they are in an argument, and what a client says of
itself reaches nothing unchecked**. The name comes from the wire, so it may be anything: what is not
a letter, a digit or a dot becomes a hyphen, and it is cut. One agent has one family, whether it
saves through the command line (its launcher tells) or here; so the table agrees with the launchers
of ``kioku.config.sources``.
"""

from __future__ import annotations

from typing import Final, NamedTuple

NAME_LENGTH_MAX: Final = 64  # characters; an identity may have 128
_READ_MAX: Final = 4 * NAME_LENGTH_MAX  # of a name that may be a megabyte
_KEPT: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.")
_SUFFIXES: Final = ("-mcp-client", "-client", "-mcp")


class Speaker(NamedTuple):
    """What a client is called where observations say who saved them; ``""``: it did not tell."""

    agent_family: str
    client_id: str


NOBODY: Final = Speaker("", "")

# By how the cleaned name begins, the longest first.
_KNOWN: Final = {
    "claude-code": Speaker("claude", "claude-code"),
    "claude": Speaker("claude", "claude-desktop"),
    "codex": Speaker("codex", "codex-cli"),
    "gemini": Speaker("gemini", "gemini-cli"),
    "cursor": Speaker("cursor", "cursor"),
    "opencode": Speaker("opencode", "opencode"),
    "qwen": Speaker("qwen", "qwen-code"),
    "visual-studio-code": Speaker("vscode", "vscode"),
    "inspector": Speaker("inspector", "inspector"),
    "mcp-inspector": Speaker("inspector", "inspector"),
}


def speaker_of(client_name: str) -> Speaker:
    """Give who speaks under a name of ``clientInfo``; nobody if nothing is left of it."""
    name = _cleaned(client_name)
    for known, speaker in _KNOWN.items():
        if name == known or name.startswith(known + "-"):
            return speaker
    return Speaker(_without_suffix(name), name) if name else NOBODY


def _cleaned(name: str) -> str:
    letters = (c if c in _KEPT else "-" for c in name[:_READ_MAX].lower())
    parts = "".join(letters).split("-")
    return "-".join(part for part in parts if part.strip("."))[:NAME_LENGTH_MAX].strip("-.")


def _without_suffix(name: str) -> str:
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name
