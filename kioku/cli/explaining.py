"""``schema``: what tells a script about kioku."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.cli import render
from kioku.cli.arguments import JSON
from kioku.cli.parser import CommandError, Verb, argument

if TYPE_CHECKING:
    from argparse import Namespace


def _schema(arguments: Namespace) -> int:
    from kioku.cli import schemas

    verb = arguments.verb
    if verb is not None and verb not in schemas.VERBS:
        raise CommandError(f"{verb}: no verb that prints JSON", hint="kioku schema --help")
    if verb is None:
        render.json({name: schemas.schema(name) for name in schemas.VERBS})
    else:
        render.json(schemas.schema(verb))
    return 0


SCHEMA = Verb(
    name="schema",
    summary="Show the JSON Schema of what a verb prints with --json",
    arguments=(
        argument("verb", metavar="VERB", nargs="?", help="the verb; all of them if left out"),
        JSON,
    ),
    examples=("kioku schema list", "kioku schema > kioku-schemas.json"),
    run=_schema,
    output="JSON, with or without `--json`.",
    json="A JSON Schema (2020-12), or an object of them by their verbs' names.",
)

VERBS = {verb.name: verb for verb in (SCHEMA,)}
