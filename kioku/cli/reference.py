"""docs/cli.md, written from the verbs themselves: ``python -m kioku.cli.reference`` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.cli import records, render, schemas, verbs

if TYPE_CHECKING:
    from kioku.cli.parser import Argument, Verb
    from kioku.cli.shapes import Schema

_JOIN = "\N{SYMBOL FOR SPACE}"  # a space that no line may break at, until it is wrapped

INTRODUCTION = """\
# Command line

<!-- Written by `make docs` from the program itself; a test fails where it is not current. -->

`kioku VERB [ARGUMENTS]`; `kioku --help` lists the verbs, `kioku help VERB` shows one,
`kioku --version` the version. `kioku-mesh` is another name of the same command. Saving needs no
preparation: the first save creates the store.

## What all verbs share

**Exit codes**: 0 done (a search that finds nothing is done), 1 refused or not found, 2 usage or
invalid input. `doctor` gives 0, 1, 2 for pass, warn, fail. An interrupted command gives 130, one
whose output nobody reads any more 141.

**Errors** are one line on standard error, `kioku: …`, and where it helps a second, `hint: …`.
Standard output carries only what was asked for; with `--json` it is one JSON document, or nothing
if the command failed. `KIOKU_DEBUG=1` adds where in the program an error came from.

**Ids** may be shortened to 6 or more of their first digits, as long as only one id begins so.

**Times** are ISO 8601 dates or times, `2026-05-22` or `2026-05-22T07:51:47`. Without a zone they
are UTC, as are all times that kioku prints; `2026-05-22T09:51:47+02:00` names one. `--since`
includes its moment, `--until` does not; a date is its first moment. Both compare the logical time
of the last change, so every machine gives the same answer.

**Text** that was stored never reaches a terminal as a command: control characters are shown as
`\\x1b` in text and as escapes in JSON. Where CONTENT is `-`, UTF-8 is read from standard input; its
last line break is dropped. Words after `--` are no options: `kioku save -- "-v means verbose"`.

**A person at a terminal** sees colours, columns as wide as the window, a bar while long work goes
on, and hints. A pipe or a file gets the lines that are described below, always the same, and no
hint but those about duplicates and predecessors that `save` gives on standard error; so does
`TERM=dumb`. `NO_COLOR` (set to anything) or `CLICOLOR=0` keeps the columns without
colours; `--color never` does too, and `--color always` gives colours and columns to a pipe, `kioku
list --color always | less -R`. Every verb takes `--color` and `--help`.

**Who asks**: what cannot be brought back, and what is done in bulk, needs `--yes` or an answer on
the terminal. Without either it is refused and nothing is done.

**Words of later versions** are known and say so, with exit code 2: `invite` and `join` (closed
spaces), `mcp install` and `context` (the MCP server).

## Settings

Each setting is the first of: option, environment, config file, launcher, default. `kioku config`
shows them all, each with where it stands and what is wrong with it.

| setting | environment | config file | default |
|---|---|---|---|
| space (`--space`), 1 to 32 of `a-z 0-9 -` | `KIOKU_SPACE` | `space` | `default` |
| agent family | `KIOKU_AGENT_FAMILY` | `agent_family` | the launcher's, else none |
| client | `KIOKU_CLIENT_ID` | `client_id` | the launcher's, else `user@host` |
| session | `KIOKU_SESSION_ID` | | a fresh one for each command |
| host (`pc_id`) | | `pc_id` | the machine's name |
| project | `KIOKU_PROJECT` | | none |
| find the project by the directory | | `detect_project`: `true` or `false` | `true` |
| durability: `full` or `normal` | | `durability` | `full` |
| credentials: `redact`, `refuse` or `allow` | `KIOKU_SECRETS` | `secrets` | `redact` |
| mode: `local`, `hub` or `spoke` | | `mode` | `local` |
| where the stores lie | `KIOKU_STATE_DIR` | | the platform's data directory, under `kioku` |
| the config file | `KIOKU_CONFIG` | | `kioku/config.toml` in its config directory |

How a machine takes part in the mesh stands in two tables of the file, which `kioku init --mode
hub` and `--mode spoke` write. Only what touches the network reads them: a save never waits for
them, nor fails for what is wrong there.

| `[mesh]` | | default |
|---|---|---|
| `listen` | where a hub listens, one or a list | `127.0.0.1` |
| `connect` | the hubs that are dialled, in order | |
| `spaces` | the spaces that are shared | all that are not private; a spoke's: its hub's |
| `machine` | this machine's name in the mesh, 1 to 32 of `a-z 0-9 -` | made from `pc_id` |
| `insecure` | listen beyond this machine without credentials | `false` |

An endpoint is `ADDRESS`, `ADDRESS:PORT` or `tcp/ADDRESS:PORT`; an address is IPv4, IPv6 (with a
port `[::1]:7447`) or a name, and the port is 7447 unless given. `[zenoh]` holds other settings of
Zenoh as they stand in its own file; what kioku needs to be as it is, is refused by its name.

`search` and `list` take several spaces, `--space work,home` or `--space` twice, and say of each hit
where it is; `all` is every space that is here and not private. The space `private`, and any that
`kioku spaces --create NAME --private` made, gives nothing to others, whatever is set later.

`KIOKU_MESH_…` and `MESH_MEM_…` are read as older names of these variables, but for `…_STATE_DIR`:
those name another program's directory, which kioku leaves alone. `XDG_DATA_HOME` and
`XDG_CONFIG_HOME` are honoured. Agent family, client, session and host take 1 to 128 printable
characters without `/ \\ * ? # $`. A value that cannot be used is an error that names where it
stands, and so is a key of the config file that is not known.

## Shapes in JSON

What `--json` prints is described by a JSON Schema for each verb, which `kioku schema VERB` prints
and the tests hold the program to. No field is printed that is not in it; a later version may add
fields. These shapes are printed by several verbs."""


def reference() -> str:
    """The whole of docs/cli.md."""
    shapes = [_shape(name) for name in records.SHARED]
    sections = [_section(verbs.load(name)) for name in verbs.MODULES]
    return "\n".join([INTRODUCTION, *shapes, *sections])


def _shape(name: str) -> str:
    fields = records.SHARED[name]["properties"]
    base = records.SHARED["observation"]["properties"]
    lines = ["", f"### {name}", ""]
    if base.keys() < fields.keys():
        lines += ["Every field of an [observation](#observation), and these.", ""]
        fields = {key: field for key, field in fields.items() if key not in base}
    return "\n".join([*lines, *_fields(fields)])


def _section(verb: Verb) -> str:
    description = _paragraphs(verb.description or verb.summary + ".")
    usage = " ".join([f"kioku {verb.name}", *map(_usage, verb.arguments)])
    lines = ["", f"## {verb.name}", "", *description, "", "```", *_wrapped(usage), "```", ""]
    lines += ["| argument | |", "|---|---|", *map(_row, verb.arguments), ""]
    lines += [f"**Prints** {verb.output}", ""]
    if verb.json:
        shape = schemas.schema(verb.name)
        lines += [f"**With `--json`** {verb.json}{_link(shape)}", "", *_output(shape)]
    if verb.exit_codes:
        lines += [f"**Exit codes** {verb.exit_codes}.", ""]
    return "\n".join([*lines, "```console", *_prompted(verb.examples), "```"])


def _paragraphs(text: str) -> list[str]:
    """Prose on one line each; what is laid out by hand as it is."""
    parts = []
    for part in text.split("\n\n"):
        if part.startswith(" "):
            parts += ["", "```", *(line.removeprefix("  ") for line in part.splitlines()), "```"]
        else:
            parts += ["", " ".join(part.split())]
    return parts[1:]


def _link(shape: Schema) -> str:
    """Where the fields of what is printed are described, if it has none of its own."""
    item = shape.get("items", shape)
    return f" Its fields: [{_name(item)}](#{_name(item)})." if "$ref" in item else ""


def _output(shape: Schema) -> list[str]:
    """A table for each object that a verb may print, and an empty line behind each."""
    if "anyOf" in shape:
        first, *others = map(_output, shape["anyOf"])
        return [*first, *(line for other in others for line in ("or", "", *other))]
    return [*_fields(shape["properties"]), ""] if "properties" in shape else []


def _fields(fields: Schema) -> list[str]:
    rows = [
        f"| `{name}` | {_type(field)} | {field.get('description', '')} |"
        for name, field in fields.items()
    ]
    return ["| field | type | |", "|---|---|---|", *rows]


def _name(shape: Schema) -> str:
    return str(shape["$ref"].rpartition("/")[2])


def _type(shape: Schema) -> str:
    """What a value is, in a few words."""
    if "$ref" in shape:
        return f"[{_name(shape)}](#{_name(shape)})"
    if "anyOf" in shape:
        return " or ".join(map(_type, shape["anyOf"]))
    if "enum" in shape:
        return " or ".join(f"`{'null' if value is None else value}`" for value in shape["enum"])
    if "const" in shape:
        return f"`{shape['const']}`" if isinstance(shape["const"], str) else "`true`"
    if shape["type"] == "array":
        item = _type(shape["items"])
        return f"list of {item}" if "$ref" in shape["items"] else f"list of {item}s"
    kinds = [shape["type"]] if isinstance(shape["type"], str) else shape["type"]
    return " or ".join(kinds)


def _prompted(examples: tuple[str, ...]) -> list[str]:
    """Examples as typed; a line that begins with a space continues the one before."""
    return [line if line.startswith(" ") else f"$ {line}" for line in examples]


def _is_option(argument: Argument) -> bool:
    return argument.flags[0].startswith("-")


def _value_name(argument: Argument) -> str:
    if "choices" in argument.keywords:
        return "|".join(argument.keywords["choices"])
    return str(argument.keywords.get("metavar", ""))


def _usage(argument: Argument) -> str:
    text = _value_name(argument)
    if _is_option(argument):
        return f"[{_JOIN.join(filter(None, [argument.flags[0], text]))}]"
    many = {"?": f"[{text}]", "*": f"[{text}{_JOIN}…]", "+": f"{text} [{text}{_JOIN}…]"}
    return many.get(argument.keywords.get("nargs", ""), text)


def _row(argument: Argument) -> str:
    value = _value_name(argument)
    if _is_option(argument):
        shown = ", ".join(f"`{' '.join(filter(None, [flag, value]))}`" for flag in argument.flags)
    else:
        shown = f"`{value}`"
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (shown, argument.help)) + " |"


def _wrapped(usage: str) -> list[str]:
    """Break a usage line between arguments, never within one."""
    from textwrap import wrap

    return [
        line.replace(_JOIN, " ")
        for line in wrap(usage, 96, subsequent_indent="    ", break_on_hyphens=False)
    ]


if __name__ == "__main__":
    render.prepare()
    render.block(reference())
