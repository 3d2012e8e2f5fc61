"""Lines as a shell takes them apart, and words that go back into them as the text that they are."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.cli import verbs
from kioku.cli.completion.places import FREE, kind_of, place
from kioku.cli.completion.words import Word, quoted, split
from kioku.suggestions import TAG_SEPARATOR
from kioku.view import schema

BREAKS = " \t\n\"'><=;|&(:"
NASTY = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab \"'\\$`!#&|;<>()*?[]{}~:=@,%^-+./記\u0301é"),
        st.characters(exclude_categories=("C", "Z")),
    ),
    min_size=1,
    max_size=12,
)
QUOTES = st.sampled_from(["", '"', "'"])


def texts(line: str) -> list[str]:
    return [word.text for word in split(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", [""]),
        ("kioku", ["kioku"]),
        ("kioku ", ["kioku", ""]),
        ("  kioku   list  ", ["kioku", "list", ""]),
        (r"a\ b c", ["a b", "c"]),
        ("'a b' \"c d", ["a b", "c d"]),
        (r'"a\"b\c" \$x', ['a"b\\c', "$x"]),
        ("'a\\' b", ["a\\", "b"]),
        ("a''b ''", ["ab", ""]),
        ("a\\", ["a"]),
        ("$(rm -rf ~) `x`", ["$(rm", "-rf", "~)", "`x`"]),
    ],
)
def test_a_line_is_taken_apart_without_expanding_anything(line: str, expected: list[str]) -> None:
    assert texts(line) == expected


@given(st.text(max_size=40))
def test_any_text_is_a_line(line: str) -> None:
    assert split(line, BREAKS)


@given(NASTY, QUOTES, st.integers(0, 12))
def test_what_is_inserted_is_read_as_the_text_that_was_meant(
    text: str, quote: str, typed: int
) -> None:
    """Whatever was typed of it, and in whichever quotes, the word then is the text."""
    begun = text[:typed] if not quote else ""
    escaped = "".join("\\" + c for c in begun)
    line = f"kioku -p {escaped}{quote}"
    word = split(line, BREAKS)[-1]
    assert texts(inserted(line, quoted(text, word)))[-1] == text


def inserted(line: str, candidate: str) -> str:
    """Replace the end of a line as bash's line editor does."""
    words = split(line, BREAKS)
    quote = words[-1].quote
    kept = next(line[:at] for at in range(len(line) + 1) if _is_kept(line[:at], words))
    if quote:
        kept = kept if kept.endswith(quote) else kept + quote
        if candidate.startswith(quote):  # it takes the open quote for a part of the candidate
            kept = kept[:-1]
        candidate += "" if candidate.endswith(quote) else quote
    return kept + candidate


def _is_kept(line: str, words: list[Word]) -> bool:
    """Whether a line ends where the line editor begins the last word anew."""
    found = split(line, BREAKS)
    return len(found) == len(words) and len(found[-1].text) == words[-1].kept == found[-1].kept


@given(st.lists(NASTY, min_size=1, max_size=8), QUOTES)
def test_bash_itself_reads_what_is_inserted_as_the_text(values: list[str], quote: str) -> None:
    word = split(f"kioku -p {quote}", BREAKS)[-1]
    line = " ".join(inserted(quote, quoted(value, word)) for value in values)
    shown = subprocess.run(
        ["bash", "--norc", "--noprofile"],
        input=f"printf '%s\\0' {line}\n".encode(),
        capture_output=True,
        check=True,
    )
    assert shown.stderr == b""
    assert shown.stdout.decode().split("\0")[:-1] == values


@pytest.mark.parametrize("begun", ["", "'", '"'])
@pytest.mark.parametrize(
    "text", ["$(echo no)", "`echo no`", "'x'", '"x"', "!x!", "\\", "it's", "a b", "x;y", "~", "#x"]
)
def test_what_shells_act_on_is_inserted_as_text(begun: str, text: str) -> None:
    assert read_by_bash(begun, text) == text


@pytest.mark.parametrize(
    "begun", ["host:", "host:ow", "a=", "host\\:", '"host:', "'host:o", 'ho"st:']
)
def test_only_what_the_line_editor_replaces_is_inserted(begun: str) -> None:
    text = "a=b c" if begun.startswith("a") else "host:owner/a name"
    assert read_by_bash(begun, text) == text


def read_by_bash(begun: str, text: str) -> str:
    """What bash reads when ``text`` is inserted where ``begun`` has been typed."""
    line = inserted(begun, quoted(text, split(begun, BREAKS)[-1]))
    shown = subprocess.run(
        ["bash", "--norc", "--noprofile"],
        input=f"printf '%s' {line}\n".encode(),
        capture_output=True,
        check=True,
    )
    assert shown.stderr == b""
    return shown.stdout.decode()


@pytest.mark.parametrize("name", verbs.MODULES)
def test_every_value_is_completed_or_known_to_the_person_alone(name: str) -> None:
    """A new option is offered something, or somebody has said that nothing can be."""
    for argument in verbs.load(name).arguments:
        takes_none = argument.keywords.get("action") in ("store_true", "store_false")
        assert takes_none or kind_of(argument) or argument.keywords["metavar"] in FREE, argument


@pytest.mark.parametrize("name", verbs.MODULES)
def test_what_is_listed_of_a_verb_is_its_own_summary(name: str) -> None:
    assert verbs.load(name).summary == verbs.SUMMARIES[name]


@pytest.mark.parametrize("name", verbs.MODULES)
def test_every_option_of_a_verb_is_offered_until_it_was_given(name: str) -> None:
    verb = verbs.load(name)
    options = {one.flags[-1] for one in verb.arguments if one.flags[0].startswith("-")}
    offered = {text for text, _ in place(verb, ["-"]).choices}
    assert options | {"--help", "--color"} == offered
    for one in verb.arguments:
        if one.keywords.get("action") == "store_true":
            assert one.flags[-1] not in {t for t, _ in place(verb, [one.flags[0], "-"]).choices}


def kind(name: str, *words: str) -> str:
    return place(verbs.load(name), words).kind


def test_a_place_is_found_as_the_parser_would() -> None:
    assert kind("list", "-p", "") == "project"
    assert kind("list", "--project", "x") == "project"
    assert kind("list", "--project=x") == "project"
    assert kind("list", "-p", "x", "-t", "") == "tags"
    assert kind("get-memory", "") == "id"
    assert kind("get-memory", "abc", "") == "option"
    assert kind("get-memory", "--json", "") == "id"
    assert kind("get-memory", "--space", "work", "") == "id"
    assert kind("get-memory", "--", "") == "id"
    assert kind("import", "one", "") == "file"
    assert kind("search", "word", "") == ""
    assert kind("search", "--", "--pro") == ""
    assert kind("export", "--format", "") == "choice"
    assert kind("projects", "merge", "one", "") == "project"
    for name, is_list in (("list", True), ("save", False)):
        found = place(verbs.load(name), ["--space", ""])
        assert (found.kind, found.is_list) == ("space", is_list)
    assert place(verbs.load("list"), ["--space", "work", "-p", ""]).space == "work"
    assert place(verbs.load("list"), ["--space=work", "-p", ""]).space == "work"


def test_tags_are_parted_here_as_the_view_parts_them() -> None:
    assert TAG_SEPARATOR == schema.TAG_SEPARATOR
