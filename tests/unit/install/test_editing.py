"""Configs as people have them, before and after: every byte that is not ours is where it was."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from kioku.install import editing
from kioku.install.errors import UneditableConfigError, UnreadableConfigError

if TYPE_CHECKING:
    from kioku.install.editing import Format

ENTRY = {"command": "/k", "args": []}
JSON_PATH = ("mcpServers", "kioku")
TOML_PATH = ("mcp_servers", "kioku")
YAML_PATH = ("extensions", "kioku")


def put(text: str | bytes, format_: Format, path: tuple[str, ...]) -> str:
    data = text.encode() if isinstance(text, str) else text
    return editing.parse("config", data, format_).put(path, ENTRY).decode()


def dropped(text: str, format_: Format, path: tuple[str, ...]) -> str:
    return editing.parse("config", text.encode(), format_).drop(path).decode()


def json_case(before: str, after: str) -> object:
    return pytest.param(before, after, editing.JSON_LENIENT, JSON_PATH)


def toml_case(before: str, after: str) -> object:
    return pytest.param(before, after, editing.TOML, TOML_PATH)


def yaml_case(before: str, after: str) -> object:
    return pytest.param(before, after, editing.YAML, YAML_PATH)


def windows(text: str) -> str:
    """The text with the line endings of Windows."""
    return text.replace("\n", "\r\n")


CASES = [
    json_case(  # indented by tabs, CRLF, no newline at the end, comments in odd places
        windows(
            '// top\n{\n\t"a": [1, 2,], // a\n\t"mcpServers": {\n\t\t"b": {} /* b */ // c\n'
            "\t\t// old\n\t},\n} // end"
        ),
        windows(
            '// top\n{\n\t"a": [1, 2,], // a\n\t"mcpServers": {\n\t\t"b": {}, /* b */ // c\n'
            '\t\t"kioku": {\n\t\t\t"command": "/k",\n\t\t\t"args": []\n\t\t}\n'
            "\t\t// old\n\t},\n} // end"
        ),
    ),
    json_case(  # the last member has its comma already
        '{\n    "mcpServers": {\n        "b": {}, // b\n    },\n}\n',
        '{\n    "mcpServers": {\n        "b": {}, // b\n        "kioku": {\n'
        '            "command": "/k",\n            "args": []\n        },\n    },\n}\n',
    ),
    json_case(
        '{"mcpServers":{"b":"}, {"}}',
        '{"mcpServers":{"b":"}, {", "kioku": {"command": "/k", "args": []}}}',
    ),
    json_case(  # a name that looks like ours, deeper and in a text
        '{\n  "x": {"mcpServers": {"kioku": 1}},\n  "y": "\\"mcpServers\\": {",\n'
        '  "mcpServers": {\n    // none\n  }\n}\n',
        '{\n  "x": {"mcpServers": {"kioku": 1}},\n  "y": "\\"mcpServers\\": {",\n'
        '  "mcpServers": {\n    // none\n    "kioku": {\n      "command": "/k",\n'
        '      "args": []\n    }\n  }\n}\n',
    ),
    toml_case(  # the comment of the table behind ours is not ours
        windows('a = 1\n\n[mcp_servers.b]\nx = """\n[mcp_servers.kioku]\n"""\n\n# of p\n[p]'),
        windows(
            'a = 1\n\n[mcp_servers.b]\nx = """\n[mcp_servers.kioku]\n"""\n\n# of p\n[p]'
            '\n\n[mcp_servers.kioku]\ncommand = "/k"\nargs = []\n'
        ),
    ),
    yaml_case(
        "extensions:\n    b: # b\n        t: |\n            x: {\n        e: 1 # z\n\n# m\nM: x\n",
        "extensions:\n    b: # b\n        t: |\n            x: {\n        e: 1 # z\n    kioku:\n"
        "      command: /k\n      args: []\n\n# m\nM: x\n",
    ),
    yaml_case(
        windows("A: 1 # a\nextensions: {b: {c: 'd}'}} # e\n"),
        windows(
            'A: 1 # a\nextensions: {b: {c: \'d}\'}, "kioku": {"command": "/k", "args": []}} # e\n'
        ),
    ),
]


@pytest.mark.parametrize(("before", "after", "format_", "path"), CASES)
def test_our_entry_is_put_in_and_taken_out_alone(
    before: str, after: str, format_: Format, path: tuple[str, ...]
) -> None:
    assert put(before, format_, path) == after
    gone = dropped(after, format_, path)
    assert gone == before or (format_ is editing.TOML and gone == before + "\r\n")


def test_a_byte_order_mark_stays() -> None:
    config = editing.parse("config", b'\xef\xbb\xbf{"a": 1}', editing.JSON)
    assert config.put(JSON_PATH, ENTRY).startswith(b'\xef\xbb\xbf{"a": 1, "mcpServers": ')


def test_a_table_between_others_leaves_their_comments() -> None:
    text = (
        '# a\n[a]\n\n# ours\n[mcp_servers.kioku]\ncommand = "/k" # ours too\n\n'
        '[mcp_servers.kioku.env]\nK = "v"\n\n# b\n[b]\n'
    )
    assert dropped(text, editing.TOML, TOML_PATH) == "# a\n[a]\n\n# ours\n\n# b\n[b]\n"


def test_a_comment_never_swallows_what_comes_behind_our_entry() -> None:
    text = '{"mcpServers": {"b": 1, // x\n"kioku": {}}}'
    assert dropped(text, editing.JSON_LENIENT, JSON_PATH) == '{"mcpServers": {"b": 1 // x\n}}'


def test_what_cannot_be_proved_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    config = editing.parse("config", b'{"a": 1, "mcpServers": {}}', editing.JSON)
    broken = config.format._replace(put=lambda *_: '{"mcpServers": {"kioku": {}}}')
    with pytest.raises(UneditableConfigError, match="edit it by hand"):
        config._replace(format=broken).put(JSON_PATH, {})


@pytest.mark.parametrize("text", ["mcp_servers = {b = {}}\n", "[mcp_servers]\nkioku = {a = 1}\n"])
def test_an_inline_table_is_not_edited(text: str) -> None:
    with pytest.raises(UneditableConfigError, match="edit it by hand"):
        put(text, editing.TOML, TOML_PATH)


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        (f'{{"a": {"9" * 6000}}}', editing.JSON_LENIENT),
        (f"a = {'9' * 6000}\n", editing.TOML),
        (f"a: {'9' * 6000}\n", editing.YAML),
    ],
)
def test_a_number_that_python_does_not_read_is_no_config(text: str, format_: Format) -> None:
    with pytest.raises(UnreadableConfigError, match="left as it is"):
        editing.parse("config", text.encode(), format_)


def test_without_the_extra_only_yaml_that_says_something_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    assert editing.parse("config", None, editing.YAML).value == {}
    with pytest.raises(UnreadableConfigError, match=r"pip install 'kioku-log\[mcp\]'"):
        editing.parse("config", b"a: 1\n", editing.YAML)


def test_a_file_that_could_be_read_is_not_called_broken() -> None:
    text = "b: &b {c: d}\nextensions:\n  a:\n    <<: *b\n"
    with pytest.raises(UneditableConfigError, match="our entry cannot be edited alone"):
        put(text, editing.YAML, YAML_PATH)
