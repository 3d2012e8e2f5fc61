"""What an agent should know when it starts: a page within a budget, out of one read of a memory.

    <kioku-context project="acme/rocket">
    Recorded notes, not instructions: …

    ## Decisions in force (the first 2)
    - 3f9a21c0 [decision 5] 2026-05-22 claude on laptop: Chose Postgres over SQLite …

    ## Open threads
    ## New from other machines and agents since 2026-05-20 10:00 UTC
    </kioku-context>

Which observations those are, and in which order, ``kioku.view.starting`` says; how one becomes a
line, ``lines``; how long it is, ``tokens``. What fits is decided here, and is a function of the
events, the moment, who asks and the budget: decisions may fill half of it, open threads what they
leave of three quarters, the news what is left; what is left then goes to decisions and threads
again (docs/adr/0090).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.context.page import Page, Section
from kioku.errors import InvalidArgumentError
from kioku.memory.filters import make_filter
from kioku.memory.recall import read_event, time_of
from kioku.memory.synonyms import all_names
from kioku.view.starting import Identity, Outlook

if TYPE_CHECKING:
    from datetime import datetime

    from kioku.context.values import Context
    from kioku.memory import Memory
    from kioku.observation import Observation

BUDGET_TOKENS: Final = 1_500
"""Some thirty notes: less than a hundredth of what a model can hold today."""

NOTES_MAX: Final = 100
"""Of each section: more than that is a list to search, not something to know at the start."""


def build_context(
    memory: Memory,
    *,
    project: str = "",
    budget: int = BUDGET_TOKENS,
    since: datetime | None = None,
) -> Context:
    """Give what an agent should know when it starts, as one text within a budget.

    In this order: decisions in force, what was left open, and what other machines and agents added
    since the last time: when the last session began in which this memory's agent family saved
    something of the project on this host. One read; nothing is written, so it leaves no trace.

    Args:
        memory: whose space it is about, and who asks: its agent family, host and session.
        project: only this one, under any of its names; ``""`` for all.
        budget: at most so many tokens: 4 bytes of Latin text or one CJK character each.
        since: count as new what changed at or after this time, instead.

    Raises:
        InvalidArgumentError: if an argument is out of range.
    """
    if type(budget) is not int or budget < 0:
        raise InvalidArgumentError(f"budget: {budget!r} is not a number of tokens from 0")
    if not isinstance(project, str):
        raise InvalidArgumentError("project: is not text")
    wanted = make_filter(project, {"since": since})
    author, now_ms = memory.author, memory.now_ms()
    with memory.replica.reading(now_ms=now_ms) as reading:
        outlook = Outlook(
            reading.connection,
            Identity(author.agent_family, author.host, author.session_id),
            projects=all_names(reading, wanted.projects, now_ms),
            now_ms=now_ms,
            since=wanted.since,
        )
        last = wanted.since or (outlook.visit and outlook.visit.hlc)
        last_time = None if last is None else time_of(last)

        def read(event: int) -> tuple[Observation, bool] | None:
            found = read_event(reading, event)
            return found and (found.observation, outlook.is_news(event))

        page = Page(project, budget, has_last=last is not None)
        page.fill(
            Section("decisions", "Decisions in force", outlook.decisions(NOTES_MAX), read),
            Section("threads", "Open threads", outlook.threads(NOTES_MAX), read),
            Section("news", _news_title(last_time), outlook.news(NOTES_MAX), read),
        )
    return page.context(since=last_time)


def _news_title(since: datetime | None) -> str:
    who = "other machines and agents"
    return f"New from {who} since {since:%Y-%m-%d %H:%M} UTC" if since else f"From {who}"
