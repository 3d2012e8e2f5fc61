"""What a dry run shows of a file: what differs, where, and nothing that is secret."""

from __future__ import annotations

import difflib

import pytest

from kioku.install.difference import difference
from kioku.install.plan import Write


def shown(before: str | None, after: str | None) -> list[str]:
    old, new = (None if text is None else text.encode() for text in (before, after))
    return difference(Write("f", old, new))[2:]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "a\nb\n"),
        ("a\nb\n", None),
        ("a\nb\nc\nd\n", "a\nb\nx\nc\nd\n"),
        ("a\nb\nc\nd\ne\nf\ng\nh\ni\n", "a\nc\nd\ne\nf\ng\nh\nx\ni\ny\n"),
        ("a\na\na\n", "a\na\na\na\n"),
        ("a\nb\n", "x\ny\n"),
    ],
)
def test_it_is_what_comparing_all_lines_would_say(before: str | None, after: str | None) -> None:
    old, new = ((text or "").splitlines() for text in (before, after))
    assert shown(before, after) == list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:]


def test_of_a_file_in_one_line_only_what_changes_is_shown() -> None:
    before = "{" + '"history": [1, 2], ' * 10_000 + '"mcpServers": {}}'
    after = before.replace("{}}", '{"kioku": {"command": "/k"}}}')
    [mark, less, more] = shown(before, after)
    assert mark == "@@ within 190,044 characters @@"
    assert len(less) < 100
    assert '{"kioku": {"command": "/k"}}' in more
    assert len(more) < 120


def test_a_credential_beside_our_entry_is_not_shown() -> None:
    token = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
    before = f'{{\n  "note": "{token}"\n}}'
    after = before.replace('"\n}', '",\n  "mcpServers": {}\n}')
    text = "\n".join(shown(before, after))
    assert "mcpServers" in text
    assert token not in text
