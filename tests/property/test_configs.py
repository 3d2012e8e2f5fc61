"""What must hold of every config that a client could have: only our entry changes.

The laws: put in, a config says what it said and the entry; every byte that was there is there
still, in order; taken out, it says what it said. A text that is read at all obeys them.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from kioku.install import editing, entries, planning
from kioku.install.carrying import carry_out
from kioku.install.clients import BY_NAME
from kioku.install.errors import InstallError
from kioku.install.planning import Wish
from kioku.install.server import Server
from tests.unit.install.homes import Home

if TYPE_CHECKING:
    from kioku.install.editing import Config, Format

NOW = datetime(2026, 11, 27, 19, 45, tzinfo=UTC)
SERVER = Server("kioku", ("/opt/a b/kioku-mcp", "-P"), {"KIOKU_SPACE": "team", "T": '"\\\n{'})
# A mapping without members, and the white space in it and before it, is nobody's.
_EMPTY = re.compile(r" ?\{\s*\}")
KEYS = st.sampled_from(["a", "b c", "mcpServers", "kioku", "é", "//", "x}"]) | st.text(max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
SERVERS = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=2), max_size=3)
GAPS = st.sampled_from(["", " ", "\n", "\n\t", "\r\n  ", " // {\n", "/* ] */", "\n/* a\n b */ "])


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    """JSON with comments and trailing commas, laid out in any way."""
    whole = draw(st.dictionaries(KEYS, VALUES, max_size=3))
    whole.pop("mcpServers", None)
    if draw(st.booleans()):
        whole["mcpServers"] = draw(SERVERS)

    def shown(value: Any) -> str:
        if isinstance(value, dict):
            members = [
                f"{json.dumps(name)}{draw(GAPS)}:{draw(GAPS)}{shown(item)}"
                for name, item in value.items()
            ]
            return "{" + listed(members) + "}"
        if isinstance(value, list):
            return "[" + listed([shown(item) for item in value]) + "]"
        return json.dumps(value, ensure_ascii=draw(st.booleans()))

    def listed(members: list[str]) -> str:
        parts = [draw(GAPS) + member + draw(GAPS) for member in members]
        last = "," if bool(parts) and draw(st.booleans()) else ""
        return ",".join(parts) + last + draw(GAPS)

    return draw(GAPS) + shown(whole) + draw(GAPS)


YAML_LINES = st.sampled_from(
    [
        "# a comment",
        "",
        "GOOSE_MODEL: x # said: {",
        "text: |",
        "  two: lines",
        "  kioku:",
        "list:",
        "- 1",
        "  - a",
        "extensions:",
        "  developer:",
        "    enabled: true",
        "  # within",
        "  'a b': {x: 1}",
        "extensions: {}",
        "extensions: {a: {b: c}}",
        "flow: [1,",
        "  2]",
        "...",
        "---",
    ]
)
TOML_LINES = st.sampled_from(
    [
        "# a comment",
        "",
        'model = "x" # [a]',
        "[mcp_servers]",
        "[mcp_servers.other]",
        'command = "y"',
        "mcp_servers.dotted.command = 'z'",
        '[mcp_servers."kioku"]',
        "[mcp_servers.kioku.env]",
        "A = '''",
        "[not a table]",
        "'''",
        "args = [",
        '  "#", # b',
        "]",
        "[[many]]",
        "[profiles.'q.r']",
        "mcp_servers = {}",
        "x = {y = 1}",
    ]
)


def texts_of(lines: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A few lines, ended in either way, the last maybe not at all."""
    endings = st.sampled_from(["\n", "\r\n"])
    whole = st.builds(lambda some, end: end.join(some), st.lists(lines, max_size=9), endings)
    return whole | whole.map(lambda text: text + "\n")


def parsed(text: str, format_: Format) -> Config | None:
    """The config, None if its client could not read it either."""
    try:
        return editing.parse("config", text.encode(), format_)
    except InstallError:
        return None


def is_within(less: str, more: str) -> bool:
    """Whether ``less`` is ``more`` with some of it taken out: each character is there, in order."""
    rest = iter(more)
    return all(character in rest for character in less)


def check(text: str, format_: Format, path: tuple[str, ...], entry: dict[str, Any]) -> None:
    """Hold the laws, where the config can be read; what cannot be edited is refused, not harmed."""
    config = parsed(text, format_)
    if config is None:
        return
    try:
        was = config.at(path)
        data = config.put(path, entry)
    except InstallError:
        return
    then = editing.parse("config", data, format_)
    assert then.at(path) == entry
    if was is None and text.strip():
        kept = _EMPTY.sub("" if format_ is editing.YAML else "{}", text)
        assert is_within(kept.rstrip("\n"), data.decode())
    gone = editing.parse("config", then.drop(path), format_)
    assert gone.at(path) is None
    assert then.put(path, entry) == data


@given(json_texts())
@example('{"a": 1 // x\n}')
@example('{"mcpServers": {"b": {} // x\n }}')
def test_json_keeps_all_but_our_entry(text: str) -> None:
    path, entry = ("mcpServers", "kioku"), entries.PLAIN.make(SERVER)
    assert parsed(text, editing.JSON_LENIENT) is not None
    check(text, editing.JSON_LENIENT, path, entry)


@given(texts_of(TOML_LINES))
def test_toml_keeps_all_but_our_entry(text: str) -> None:
    check(text, editing.TOML, ("mcp_servers", "kioku"), entries.PLAIN.make(SERVER))


@given(texts_of(YAML_LINES))
def test_yaml_keeps_all_but_our_entry(text: str) -> None:
    check(text, editing.YAML, ("extensions", "kioku"), entries.GOOSE.make(SERVER))


@pytest.mark.parametrize(
    "format_", [editing.JSON, editing.JSON_LENIENT, editing.TOML, editing.YAML]
)
@given(data=st.text(max_size=60).map(lambda text: text.encode(errors="ignore")) | st.binary())
def test_any_bytes_are_read_or_refused_with_the_config_s_name(format_: Format, data: bytes) -> None:
    refusal = ""
    try:
        editing.parse("config", data, format_)
    except InstallError as error:
        refusal = str(error)
    assert refusal == "" or refusal.startswith("config: ")


@settings(max_examples=40)
@given(
    st.tuples(st.just("zed"), json_texts())
    | st.tuples(st.just("codex-cli"), texts_of(TOML_LINES))
    | st.tuples(st.just("goose"), texts_of(YAML_LINES))
)
def test_what_is_installed_and_taken_back_leaves_the_very_bytes(drawn: tuple[str, str]) -> None:
    client, text = drawn
    assume(SERVER.name not in text)
    with TemporaryDirectory() as directory:
        home = Home(Path(directory))
        file = home.write(client, text)
        done = carry_out(planning.installing(BY_NAME[client], home.place, SERVER, Wish()), NOW)
        assert done.has_changed != bool(done.problem)
        assert (file.read_bytes() == text.encode()) == bool(done.problem)
        carry_out(planning.uninstalling(BY_NAME[client], home.place, SERVER.name, Wish()), NOW)
        assert file.read_bytes() == text.encode()
