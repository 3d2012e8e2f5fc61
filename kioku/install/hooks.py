"""Hooks: what clients run when a session starts, and ``kioku context --hook`` among it.

The rule this module guards: **a hook is known by its command**, so that ours is found whatever path
it has, is there once, and everybody else's stays where it is. A client is a row: which file, which
list in it, and what an item of that list looks like.
"""

from __future__ import annotations

import os
import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.install import editing, json_items, json_text
from kioku.install.clients import BY_NAME, file_of
from kioku.install.editing import parse
from kioku.install.environ import is_shown
from kioku.install.errors import InstallError, UneditableConfigError, UnreadableConfigError
from kioku.install.files import copies, read, require_writable
from kioku.install.plan import Plan, Write
from kioku.install.text import TextError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kioku.install.editing import Config, Format
    from kioku.install.place import Place

SECONDS: Final = 10
"""That clients wait for it; it ends by itself after 5."""

_PROGRAM: Final = "kioku"
_SERVER: Final = "kioku-mcp"


class Hook(NamedTuple):
    """One client's hook for the start of a session.

    Attributes:
        client: its name in the table of clients.
        file: the file of hooks of its user.
        path: the list in it.
        format, dialect: how the file is written.
        item: an item of that list, which runs a command line.
        new: what a file must say besides, where there is none.
        note: what the user has to do, ``""`` if nothing.
    """

    client: str
    file: Callable[[Place], str]
    path: tuple[str, str]
    item: Callable[[str], dict[str, Any]]
    format: Format = editing.JSON
    dialect: json_text.Dialect = json_text.STRICT
    new: Mapping[str, Any] = MappingProxyType({})
    note: str = ""


def _group(**more: Any) -> Callable[[str], dict[str, Any]]:
    def item(command: str) -> dict[str, Any]:
        return {"hooks": [{"type": "command", "command": command, **more}]}

    return item


def _claude(place: Place) -> str:
    home = place.told("CLAUDE_CONFIG_DIR") or os.path.join(place.home, ".claude")
    return os.path.join(home, "settings.json")


def _beside(client: str, *names: str) -> Callable[[Place], str]:
    """A file in the directory of a client's config."""
    return lambda place: os.path.join(os.path.dirname(_config(client)(place)), *names)


def _config(client: str) -> Callable[[Place], str]:
    return lambda place: file_of(BY_NAME[client], place, "user")


_EVENT: Final = ("hooks", "SessionStart")
HOOKS: Final = {
    hook.client: hook
    for hook in (
        Hook("claude-code", _claude, _EVENT, _group(timeout=SECONDS)),
        Hook(
            "codex-cli",
            _beside("codex-cli", "hooks.json"),
            _EVENT,
            _group(timeout=SECONDS),
            note="Codex runs it once you trust it: /hooks in a session",
        ),
        Hook(
            "gemini-cli",
            _config("gemini-cli"),
            _EVENT,
            _group(name="kioku", timeout=SECONDS * 1000),
            editing.JSON_WITH_COMMENTS,
            json_text.WITH_COMMENTS,
        ),
        Hook(
            "qwen-code",
            _config("qwen-code"),
            _EVENT,
            _group(name="kioku"),
            editing.JSON_WITH_COMMENTS,
            json_text.WITH_COMMENTS,
        ),
        Hook(
            "copilot-cli",
            _beside("copilot-cli", "hooks", "kioku.json"),
            ("hooks", "sessionStart"),
            lambda command: {"type": "command", "bash": command, "timeoutSec": SECONDS},
            new={"version": 1},
        ),
        Hook(
            "cursor",
            _beside("cursor", "hooks.json"),
            ("hooks", "sessionStart"),
            lambda command: {"command": command, "timeout": SECONDS},
            new={"version": 1},
        ),
    )
}
WITHOUT: Final = (
    "has no hook for the start of a session that kioku knows; put this line into AGENTS.md:"
    " At the start of a session run `kioku context` and read what it prints."
)


# -- the command --------------------------------------------------------------------------------


def command(client: str, server: Sequence[str], environ: Mapping[str, str]) -> str:
    """The command line of a client's hook: of the kioku that the server is of, with its variables.

    Only those are in it that say which kioku and whose; what else a server is given may be secret.
    """
    is_launcher = os.path.basename(server[0]) == _SERVER
    program = [_beside_server(server[0])] if is_launcher else [server[0], "-P", "-m", "kioku.cli"]
    told = [f"{name}={value}" for name, value in environ.items() if is_shown(name)]
    prefix = ["env", *sorted(told)] if told else []
    return shlex.join([*prefix, *program, "context", "--hook", client])


def _beside_server(server: str) -> str:
    """The command line beside a server's launcher, or beside what that leads to."""
    paths = (os.path.join(os.path.dirname(p), _PROGRAM) for p in (server, os.path.realpath(server)))
    first, second = paths
    return second if os.path.exists(second) and not os.path.exists(first) else first


def is_ours(text: object, client: str) -> bool:
    """Whether a command line runs a kioku's context for this client."""
    if not isinstance(text, str):
        return False
    try:
        words = shlex.split(text)
    except ValueError:
        return False
    if words[-3:] != ["context", "--hook", client]:
        return False
    return "kioku.cli" in words or any(os.path.basename(word) == _PROGRAM for word in words[:-3])


def _is_our_item(item: Any, client: str) -> bool:
    """Whether an item of a list of hooks runs ours and nothing else."""
    if not isinstance(item, dict):
        return False
    inner = item.get("hooks")
    if isinstance(inner, list):
        return len(inner) == 1 and _is_our_item(inner[0], client)
    return any(is_ours(item.get(name), client) for name in ("command", "bash"))


# -- plans --------------------------------------------------------------------------------------


def installing(client: str, place: Place, line: str) -> Plan:
    """What it takes to have ``line`` run when a session of the client starts."""
    hook = HOOKS.get(client)
    if hook is None:
        title = BY_NAME[client].title if client in BY_NAME else client
        return Plan(client, "no hook", notes=(f"{title} {WITHOUT}",))
    try:
        return _changing(hook, place, hook.item(line))
    except InstallError as error:
        return Plan(client, "refused", refusal=str(error))


def uninstalling(client: str, place: Place) -> Plan | None:
    """What it takes to have no hook of ours with the client; None if there is none."""
    hook = HOOKS.get(client)
    if hook is None:
        return None
    try:
        plan = _changing(hook, place, None)
    except UnreadableConfigError:
        return None  # what cannot be read is none of ours
    except InstallError as error:
        return Plan(client, "refused", refusal=str(error))
    return plan if plan.steps else None


def _changing(hook: Hook, place: Place, item: dict[str, Any] | None) -> Plan:
    path = hook.file(place)
    config = parse(path, read(path), hook.format)
    items = _items(config, hook)
    ours = [n for n, one in enumerate(items) if _is_our_item(one, hook.client)]
    notes = (hook.note,) if item is not None and hook.note else ()
    plan = Plan(hook.client, "hook already there", notes=notes, file=path)
    if [items[n] for n in ours] == ([] if item is None else [item]):
        return plan
    require_writable(path)
    data = _edited(config, hook, ours, item)
    summary = "hook removed" if item is None else "hook replaced" if ours else "hook added"
    return plan._replace(summary=summary, steps=(Write(path, config.data, data),))


def _items(config: Config, hook: Hook) -> list[Any]:
    items = config.at(hook.path)
    if items is not None and not isinstance(items, list):
        raise UnreadableConfigError(config.path, f"its {'.'.join(hook.path)} is no list")
    return items or []


def _edited(
    config: Config, hook: Hook, ours: list[int], item: dict[str, Any] | None
) -> bytes | None:
    """The bytes with ours taken out and ``item`` put in, proved to say nothing else.

    None, for no file, if it would say nothing and no copy tells of a time before ours.
    """
    kept = [one for n, one in enumerate(_items(config, hook)) if n not in ours]
    wanted = [*kept, *([] if item is None else [item])]
    is_new = not config.text.strip()
    try:
        text = _text_of(config.text, hook, ours, item)
        found = parse(config.path, config.mark + text.encode(), hook.format)
    except TextError as error:
        raise UneditableConfigError(config.path, str(error)) from None
    rest = _rest(config, hook)
    if _items(found, hook) != wanted or _rest(found, hook) != (dict(hook.new) if is_new else rest):
        raise UneditableConfigError(config.path, "our hook cannot be edited alone")
    if not wanted and rest in ({}, dict(hook.new)) and not copies(config.path):
        return None
    return config.mark + text.encode()


def _text_of(text: str, hook: Hook, ours: list[int], item: dict[str, Any] | None) -> str:
    if not text.strip():
        for name, value in hook.new.items():
            text = json_text.put(text, (name,), value, hook.dialect)
    for n in reversed(ours):
        text = json_items.remove(text, hook.path, n, hook.dialect)
    if item is not None:
        return json_items.append(text, hook.path, item, hook.dialect)
    outer = hook.path[0]
    is_bare = json_text.value(text, hook.dialect).get(outer) == {}
    return json_text.drop(text, (outer,), hook.dialect) if is_bare else text


def _rest(config: Config, hook: Hook) -> dict[str, Any]:
    """What a file says besides the hooks for the start of a session."""
    outer, event = hook.path
    others = {name: one for name, one in (config.at((outer,)) or {}).items() if name != event}
    rest = {name: one for name, one in config.value.items() if name != outer}
    return {**rest, outer: others} if others else rest
