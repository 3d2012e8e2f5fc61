"""Prompts: what a person may have an agent do with the memory, in words that work as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import InvalidArgumentError
from kioku.mcp.parameters import QUERY_CHARACTERS_MAX
from kioku.mcp.recalling import recall_context
from kioku.mcp.resources import complete_project
from kioku.mcp.table import PROFILES, Prompt, PromptArgument
from kioku.mcp.text import label

if TYPE_CHECKING:
    from kioku.mcp.desk import Desk

_LIMIT: Final = 12  # memories of a prompt: what a person would read, too


def _recall(desk: Desk, task: str = "", project: str = "") -> str:
    _check("task", task)
    found = recall_context(desk, query=task, project=project, limit=_LIMIT).text
    what = f"I am about to work on this:\n\n{task}\n\n" if task.strip() else ""
    return (
        f"{what}Before you begin, here is what the shared memory has on it. Tell me in a few lines"
        " what of it bears on the work: decisions in force, known bugs, what others are doing. Name"
        " the ids. Where it contradicts what you see in the code, say so. If something is missing,"
        f" search with other words (search_memory).\n\n{found}"
    )


def _save(desk: Desk, what: str = "", project: str = "") -> str:
    _check("what", what)
    _check("project", project)
    about = f" in particular: {what}" if what.strip() else ""
    where = project or desk.project
    place = f" They belong to the project {label(where)}." if where else ""
    return (
        "Save to the shared memory what was decided or learned in this session and will matter to"
        f" whoever works here next{about}.{place} First search_memory whether it is known. One"
        " save_observation for each thing: what, and why, in plain sentences that stand alone;"
        " memory_type decision, bug, pattern or config; importance 4 or 5 only for what must not be"
        " overlooked; the files concerned; supersedes with the id of what it replaces. No secrets,"
        " nothing that the code or its history says by itself. Then tell me the ids, a line each."
    )


def _hand_over(desk: Desk, task: str = "", project: str = "") -> str:
    _check("task", task)
    _check("project", project)
    about = f" on: {task}" if task.strip() else ""
    where = project or desk.project
    place = f" in the project {label(where)}" if where else ""
    return (
        f"Hand over your work{about}, so that another agent, maybe on another machine, can go on"
        " without asking. Save it with one save_observation of memory_type summary, tag handover,"
        f" importance 4{place}: what was to be done; what is done, and how that was checked; what"
        " is left, in order, and the next step; what was tried and did not work, and why; branches,"
        " files and commands that are needed. If an earlier handover of this work is there"
        " (search_memory), supersede it. No secrets. Then tell me the id."
    )


def _check(name: str, text: str) -> None:
    if len(text) > QUERY_CHARACTERS_MAX:
        raise InvalidArgumentError(
            f"{name}: {len(text):,} characters, the limit is {QUERY_CHARACTERS_MAX:,};"
            " make it shorter"
        )


_PROJECT: Final = PromptArgument(
    "project", "the project; the present one if it is left out", complete=complete_project
)

_WRITING: Final = PROFILES - {"read-only"}

PROMPTS: Final = (
    Prompt(
        "recall",
        _recall,
        "Recall before work",
        "What the shared memory has on a task, before you begin it.",
        (PromptArgument("task", "what you are about to do"), _PROJECT),
    ),
    Prompt(
        "save_decisions",
        _save,
        "Save what was decided",
        "Save what this session decided and learned.",
        (PromptArgument("what", "what in particular"), _PROJECT),
        _WRITING,
    ),
    Prompt(
        "hand_over",
        _hand_over,
        "Hand over",
        "Save the state of the work, so that another agent can go on.",
        (PromptArgument("task", "the work to hand over"), _PROJECT),
        _WRITING,
    ),
)
