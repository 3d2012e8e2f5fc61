"""``context``: what an agent should know when it starts, for a person, a script or a client's hook.

A look, and nothing more: where there is no store none is made, and where there is nothing to tell
nothing is printed, so that a hook adds nothing to a conversation.
"""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import JSON, SPACE, moment, whole
from kioku.cli.parser import Verb, argument
from kioku.cli.present import present, project
from kioku.cli.store import open_with

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.config import Settings
    from kioku.context.values import Context, ContextSection

_BUDGET_TOKENS = 1_500  # as in ``kioku.context``, which is imported only where there is a store


def _tokens(text: str) -> int:
    """A number of tokens, from 0."""
    if (count := whole(text)) >= 0:
        return count
    raise ArgumentTypeError(f"{text!r} is no number of tokens from 0")


def _context(arguments: Namespace) -> int:
    if arguments.hook is not None:
        from kioku.cli import hooking

        return hooking.answer(arguments, look)
    from kioku.config import load_settings

    settings = load_settings(os.environ, space=arguments.space)
    name = present(settings).name if arguments.project is None else arguments.project
    found = look(settings, name, arguments)
    if arguments.json:
        render.json(_json(found, name, arguments.budget))
    elif found is not None and found.text:
        render.utf8_block(found.text)
    else:
        render.advise(f"nothing to tell{f' of {name}' if name else ''} yet; kioku save adds to it")
    return 0


def look(settings: Settings, name: str, arguments: Namespace) -> Context | None:
    """What there is to tell of a project, of all if it has no name; None if there is no store."""
    if not os.path.exists(settings.store_path):
        return None
    from kioku.context import build_context

    with open_with(settings) as memory:
        return build_context(memory, project=name, budget=arguments.budget, since=arguments.since)


_SECTIONS = ("decisions", "threads", "news")


def _json(found: Context | None, name: str, budget: int) -> dict[str, Any]:
    from kioku.cli.formats import json_time

    sections = {section.name: section for section in found.sections} if found else {}
    since = found.since if found else None
    return {
        "project": name,
        "budget": budget,
        "tokens": found.tokens if found else 0,
        "since": None if since is None else json_time(since),
        "text": found.text if found else "",
        **{kind: _section_json(sections.get(kind)) for kind in _SECTIONS},
    }


def _section_json(section: ContextSection | None) -> dict[str, Any]:
    from kioku.cli.formats import observation_json

    return {
        "has_more": section is not None and section.has_more,
        "notes": [
            {**observation_json(note.observation), "is_new": note.is_new, "line": note.line}
            for note in (section.notes if section else ())
        ],
    }


CONTEXT = Verb(
    name="context",
    summary="Print what an agent should know when it starts",
    description="Print what an agent should know when it starts: this project's decisions in "
    "force, what was left open, and what other machines and agents added since the last time. "
    "Nothing is printed if there is nothing to tell.",
    arguments=(
        argument(
            "-p",
            "--project",
            metavar="NAME",
            type=project,
            help='of this project (the present one); "" is all',
        ),
        argument(
            "--budget",
            metavar="TOKENS",
            type=_tokens,
            default=_BUDGET_TOKENS,
            help="at most so many tokens (1500): 4 bytes of Latin text or one CJK character each",
        ),
        argument(
            "--since",
            metavar="TIME",
            type=moment,
            help="count as new what others changed at or after this ISO time, not since the last "
            "session began in which this agent family saved something here",
        ),
        argument(
            "--hook",
            metavar="CLIENT",
            help="answer the session hook of this client: its JSON on standard input, its form on "
            "standard output; whatever goes wrong, exit 0 and print nothing",
        ),
        SPACE,
        JSON,
    ),
    examples=("kioku context", "kioku context -p demo --budget 500"),
    run=_context,
    output="A block between `<kioku-context>` and `</kioku-context>`: decisions by importance, "
    "open threads, news, one line each, cut to the budget; nothing if there is nothing.",
    json="What was found, section by section, and the same text; the budget is the text's.",
)

VERBS = {CONTEXT.name: CONTEXT}
