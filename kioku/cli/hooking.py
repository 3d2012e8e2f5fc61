"""``context --hook CLIENT``: what a client's session hook is answered.

The rule this module guards: **a hook never breaks a session**. Whatever it is given and whatever
goes wrong, the exit code is 0, and unless there is something to tell nothing is printed on standard
output. It has a few seconds, and then it is gone (docs/adr/0091).

What the client says of the session comes on standard input and is somebody's text: a directory and
a session's id are read from it, both are checked as if a person had typed them, and nothing else is
used.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.cli import render
from kioku.config.checks import IDENTITY_LENGTH_MAX

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping

    from kioku.config import Settings
    from kioku.context.values import Context

    Look = Callable[[Settings, str, Namespace], Context | None]

SECONDS_MAX: Final = 5
"""A hook that takes longer is noticed by whoever waits for the prompt; this one takes 0.1."""

INPUT_BYTES_MAX: Final = 1024 * 1024  # what clients send has some 300
ENV_FILE_VARIABLE: Final = "CLAUDE_ENV_FILE"
SESSION_VARIABLE: Final = "KIOKU_SESSION_ID"

_TOLD_BY_OTHERS: Final = ("default", "launcher")  # sources that the client's own name overrides


def _nested(text: str) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": text}}


class Client(NamedTuple):
    """One client that has a hook for the start of a session, and the form of its answer."""

    agent_family: str
    client_id: str
    answer: Callable[[str], dict[str, Any]]


CLIENTS: Final[Mapping[str, Client]] = {
    "claude-code": Client("claude", "claude-code", _nested),
    "codex-cli": Client("codex", "codex-cli", _nested),
    "gemini-cli": Client("gemini", "gemini-cli", _nested),
    "qwen-code": Client("qwen", "qwen-code", _nested),
    "copilot-cli": Client("copilot", "copilot-cli", lambda text: {"additionalContext": text}),
    "cursor": Client("cursor", "cursor", lambda text: {"additional_context": text}),
}


class Start(NamedTuple):
    """What a client says of the session that starts."""

    directory: str
    session_id: str


def answer(arguments: Namespace, look: Look) -> int:
    """Answer a client's hook with what ``look`` finds; the exit code is 0."""
    is_done = _end_in_time()
    try:
        _answer(arguments, look)
        render.flush()
    except Exception as error:  # noqa: BLE001 - whatever it is, a session starts all the same
        render.note(f"kioku: {error}")
        render.abandon_output()  # half an answer is worse than none
    is_done.append(True)
    return 0


def _answer(arguments: Namespace, look: Look) -> None:
    from kioku.cli.present import present
    from kioku.config import load_settings
    from kioku.errors import InvalidArgumentError

    client = CLIENTS.get(arguments.hook)
    if client is None:
        known = ", ".join(CLIENTS)
        raise InvalidArgumentError(f"--hook: {arguments.hook!r} is none of {known}")
    start = read_start(_input())
    settings = _spoken(load_settings(os.environ, space=arguments.space), client, start)
    if settings.session_id == start.session_id:
        _pin_session(start.session_id)
    project = arguments.project
    if project is None:
        project = present(settings, start.directory).name
    found = look(settings, project, arguments)
    if found is not None and found.text:
        render.json(client.answer(found.text), indent=None)


def read_start(data: bytes) -> Start:
    """Read what a client said; what cannot be used counts as not said."""
    said = _object(data)
    if said is None:
        return Start(os.curdir, "")
    directory = said.get("cwd")
    if not (isinstance(directory, str) and os.path.isabs(directory) and _is_directory(directory)):
        directory = os.curdir
    return Start(directory, _plain_id(said.get("session_id", said.get("sessionId"))))


def _is_directory(path: str) -> bool:
    try:
        return os.path.isdir(path)
    except ValueError:  # a zero byte in it, or half a character
        return False


def _plain_id(value: object) -> str:
    """An id that a shell and every path would take as it is; ``""`` of anything else."""
    if not isinstance(value, str) or len(value) > IDENTITY_LENGTH_MAX or not value.isascii():
        return ""
    return value if value.replace("-", "").replace("_", "").isalnum() else ""


def _object(data: bytes) -> dict[str, Any] | None:
    """The JSON object that some bytes are; None if they are none, or not yet."""
    from json import loads

    try:
        said = loads(data)
    except (ValueError, RecursionError):  # also where it is no UTF-8
        return None
    return said if isinstance(said, dict) else None


def _input() -> bytes:
    """What a client says on standard input, which it may leave open; nothing of a person."""
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return b""
    data = b""
    while len(data) < INPUT_BYTES_MAX and (more := os.read(sys.stdin.fileno(), 65_536)):
        data += more
        if more.rstrip().endswith(b"}") and _object(data) is not None:
            break
    return data


def _spoken(settings: Settings, client: Client, start: Start) -> Settings:
    """The settings, with what the client is unless a person said otherwise."""
    names = {"agent_family": client.agent_family, "client_id": client.client_id}
    told = {
        field: name
        for field, name in names.items()
        if settings.sources[field].startswith(_TOLD_BY_OTHERS)
    }
    named: Settings = settings._replace(**told)  # type: ignore[arg-type] # both are text
    if start.session_id and settings.sources["session_id"].startswith(_TOLD_BY_OTHERS):
        return named._replace(session_id=start.session_id)
    return named


def _pin_session(session_id: str) -> None:
    """Let the commands that Claude Code runs in this session save under its id."""
    path = os.environ.get(ENV_FILE_VARIABLE, "")
    if not path or not session_id:
        return
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"export {SESSION_VARIABLE}='{session_id}'\n")
    except (OSError, ValueError) as error:
        render.note(f"kioku: {ENV_FILE_VARIABLE}: {error}")


def _end_in_time() -> list[bool]:
    """End the process, as if there were nothing to tell, unless it is told in time to be done."""
    from _thread import start_new_thread  # ``threading`` costs some ms and does no more here
    from time import sleep

    is_done: list[bool] = []

    def end() -> None:
        sleep(SECONDS_MAX)
        if not is_done:
            os._exit(0)

    start_new_thread(end, ())
    return is_done
