"""The laws of what an agent is told when it starts: of any store, any budget and any text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from kioku.context import build_context
from kioku.context.page import NOTICE
from kioku.context.tokens import count_tokens, cut, quarters
from kioku.memory import open_store
from kioku.observation import Observation
from tests.unit.memories import NOON_MS, Clock, settings

if TYPE_CHECKING:
    from kioku.memory import Memory

START = datetime.fromtimestamp(NOON_MS / 1000, UTC)
# Text as an observation may have it: no control character but newline and tab.
TEXTS = st.text(
    st.one_of(
        st.sampled_from("ab <>/!#-\n\t`\u2028\u202e\u200b記憶、한🙂é"),
        st.characters(codec="utf-8", exclude_categories=["Cc"]),
    ),
    min_size=1,
    max_size=120,
).filter(lambda text: bool(text.strip()))
NOTES = st.fixed_dictionaries(
    {
        "content": TEXTS,
        "memory_type": st.sampled_from(("decision", "bug", "summary", "note")),
        "importance": st.integers(1, 5),
        "agent_family": st.sampled_from(("claude", "codex", "記憶")),
        "host": st.sampled_from(("box", "desk")),
        "tags": st.sampled_from(((), ("todo",), ("todo", "done"))),
        "session_id": st.sampled_from(("", "s-1", "s-2")),
    },
    optional={
        "subject": TEXTS,
        "summary": TEXTS,
        "project": TEXTS,
        "supersedes": st.lists(st.integers(1, 12).map("{:032x}".format), max_size=2, unique=True),
        "expires_at": st.sampled_from((START, START + timedelta(days=1))),
    },
)
STORES = st.lists(NOTES, max_size=12)
BUDGETS = st.one_of(st.integers(0, 400), st.integers(0, 10**9))
CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")


def opened(notes: list[dict[str, Any]]) -> Memory:
    """A store in memory that holds what several agents on several hosts saved."""
    clock = Clock()
    memory = open_store(":memory:", settings(), clock=clock)
    for number, note in enumerate(notes, 1):
        clock.advance(timedelta(seconds=1))
        memory.save_many([Observation(**note, id=f"{number:032x}")])
    for number in range(5, len(notes), 5):
        memory.delete(f"{number:032x}")
    return memory


@given(STORES, BUDGETS, st.sampled_from(("", "shop")))
def test_the_text_is_never_longer_than_the_budget(
    notes: list[dict[str, Any]], budget: int, project: str
) -> None:
    with opened(notes) as memory:
        context = build_context(memory, budget=budget, project=project)
    printed = f"{context.text}\n" if context.text else ""
    assert context.tokens == count_tokens(printed) <= budget
    # As somebody else counts it: whole characters, and bytes of all others.
    cjk = len(CJK.findall(printed))
    others = len(CJK.sub("", printed).encode())
    assert cjk + -(-others // 4) <= budget


@given(STORES, BUDGETS)
def test_every_note_is_one_line_of_its_section(notes: list[dict[str, Any]], budget: int) -> None:
    with opened(notes) as memory:
        context = build_context(memory, budget=budget)
    told = [note for section in context.sections for note in section.notes]
    assert bool(context.text) == bool(told)
    if not told:
        return
    lines = context.text.split("\n")
    assert lines == context.text.splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("<kioku-context>", NOTICE, "</kioku-context>")
    assert [line for line in lines if line.startswith("- ")] == [note.line for note in told]
    titles = [section.title for section in context.sections if section.notes]
    headings = [line.partition(" (the first ")[0] for line in lines if line.startswith("#")]
    assert headings == [f"## {title}" for title in titles]
    assert len(lines) == 3 + 2 * len(titles) + len(told)
    assert not any(re.search(r"</?[a-z!?]", line) for line in lines[1:-1])
    assert len({note.observation.id for note in told}) == len(told)


@given(STORES)
def test_with_room_enough_everything_is_told_once(notes: list[dict[str, Any]]) -> None:
    with opened(notes) as memory:
        context = build_context(memory, budget=10**6)
        every = memory.list(limit=100)
    told = {note.observation.id for section in context.sections for note in section.notes}
    decisions = {each.id for each in every if each.memory_type == "decision"}
    open_bugs = {each.id for each in every if each.memory_type == "bug" and "done" not in each.tags}
    assert decisions | open_bugs <= told <= {each.id for each in every}
    assert not any(section.has_more for section in context.sections)
    if not any((each.agent_family, each.host) == ("claude", "box") for each in every):
        others = {each.id for each in every if (each.agent_family, each.host) != ("claude", "box")}
        assert others == told


@given(st.text(), st.text())
def test_quarters_add_up_and_bound_the_tokens(one: str, other: str) -> None:
    one, other = (text.encode("utf-8", "ignore").decode() for text in (one, other))
    assert quarters(one + other) == quarters(one) + quarters(other)
    assert count_tokens(one + other) <= count_tokens(one) + count_tokens(other)


@given(TEXTS, st.integers(1, 50))
def test_a_cut_text_fits_and_is_a_beginning(text: str, tokens: int) -> None:
    found = cut(text, tokens)
    assert count_tokens(found) <= tokens
    assert text.startswith(found.removesuffix("…"))
    assert (found == text) or found.endswith("…")
