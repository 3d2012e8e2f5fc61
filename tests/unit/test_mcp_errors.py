"""What the tools say of others' observations, of several spaces, and of what is wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bench.secret_samples import credentials
from kioku.mcp.asking import absence
from kioku.mcp.desk import Desk
from kioku.memory import open_store
from kioku.memory.filters import LIMIT_MAX
from kioku.memory.results import HistoryEntry
from kioku.observation import Observation, from_unix_ms
from kioku.observation.layout import CONTENT_BYTES_MAX
from tests.unit.callers import Caller, desk_at
from tests.unit.memories import Clock, Stores, carry, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# -- other machines


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Stores]:
    """Stores of other machines, an hour ahead."""
    ms = 3_600_000 + desk_at(tmp_path).memory().now_ms()
    found = Stores(tmp_path, Clock(ms))
    yield found
    found.close()


def test_what_came_from_elsewhere_says_so_and_what_is_special_about_it(
    plain: Caller, elsewhere: Stores
) -> None:
    laptop = elsewhere.open("laptop")
    ahead = laptop.save("from the future", project="owner/repo")
    carry(laptop, plain.desk.memory())
    [one] = plain.call("search_memory", query="future")["memories"]
    assert one["origin"] == "claude on laptop"
    assert one["marks"] == ["held: its writer's clock is ahead of this one's"]
    assert "by claude on laptop" in plain.call("get_memory", observation_id=ahead.id).text


def test_two_last_words_are_marked(plain: Caller, elsewhere: Stores) -> None:
    elsewhere.clock.advance(timedelta(hours=-1))
    saved = plain.call("save_observation", content="either")
    laptop = elsewhere.open("laptop")
    carry(plain.desk.memory(), laptop)
    laptop.edit(saved["id"], subject="there")
    plain.call("edit_memory", observation_id=saved["id"], subject="here")
    carry(laptop, plain.desk.memory())
    assert plain.call("list_memories")["memories"][0]["marks"] == [
        "2 versions: memory_history shows them"
    ]


# -- secrets

TOKEN = next(secret for kind, secret in credentials(3) if kind == "github token")


def test_a_save_says_what_was_taken_out_of_it_and_repeats_nothing(plain: Caller) -> None:
    saved = plain.call(
        "save_observation", content=f"push with {TOKEN} <private>my wife's birthday</private> only"
    )
    assert saved["notes"] == [
        "taken out before it was saved: github token in content",
        "taken out before it was saved: private text in content",
    ]
    found = plain.call("search_memory", query="push")
    for text in (saved.text, str(saved.structured), found.text, str(found.structured)):
        assert TOKEN not in text
        assert "birthday" not in text


def test_where_secrets_are_refused_a_save_is_an_error_without_them(tmp_path: Path) -> None:
    with desk_at(tmp_path, KIOKU_SECRETS="refuse") as desk, Caller(desk) as caller:
        text = caller.refused("save_observation", content=f"push with {TOKEN}")
        assert "holds what looks like a credential (github token) at character 10" in text
        assert TOKEN not in text
        assert desk.memory().statistics().events == 0


def test_what_came_with_a_secret_in_it_is_marked(plain: Caller, tmp_path: Path) -> None:
    careless = settings("laptop")._replace(secrets="allow")
    with open_store(str(tmp_path / "laptop.db"), careless) as laptop:
        other = laptop.save(f"push with {TOKEN}")
        carry(laptop, plain.desk.memory())
    mark = "looks to hold a secret (github token): do not repeat it"
    found = plain.call("list_memories")
    assert found["memories"][0]["marks"] == [mark]
    assert mark in found.text
    assert plain.call("get_memory", observation_id=other.id)["marks"] == [mark]
    history = plain.call("memory_history", observation_id=other.id)
    assert history["versions"][0]["marks"] == [mark]


# -- several spaces


@pytest.fixture
def spacious(tmp_path: Path) -> Iterator[Caller]:
    """A connection that reaches two spaces of the three that there are."""
    for space in ("work", "home", "secret"):
        with desk_at(tmp_path, KIOKU_SPACE=space) as desk:
            desk.memory().save(f"the gate code of {space}")
    environ = {
        "HOME": str(tmp_path),
        "KIOKU_STATE_DIR": str(tmp_path / "state"),
        "KIOKU_CONFIG": str(tmp_path / "config.toml"),
    }
    desk = Desk(environ, spaces=("work", "home"), directory=str(tmp_path))
    with desk, Caller(desk) as found:
        yield found


def test_several_spaces_are_read_as_one_and_each_result_says_which(spacious: Caller) -> None:
    found = spacious.call("search_memory", query="gate code")
    assert {one["space"] for one in found["memories"]} == {"work", "home"}
    home = spacious.call("search_memory", query="gate code", space="home")
    assert [one["space"] for one in home["memories"]] == ["home"]
    whole = spacious.call("get_memory", observation_id=home.ids[0])
    assert whole["space"] == "home"
    saved = spacious.call("save_observation", content="a key", space="home")
    assert saved["space"] == "home"
    assert spacious.call("save_observation", content="a lock")["space"] == "work"
    spacious.call("delete_memory", observation_id=home.ids[0])
    assert len(spacious.call("list_memories", space="home").ids) == 1


def test_an_id_of_a_space_that_is_not_reached_is_not_here(spacious: Caller, tmp_path: Path) -> None:
    with desk_at(tmp_path, KIOKU_SPACE="secret") as desk:
        [other] = desk.memory().list()
    for tool in ("get_memory", "delete_memory", "memory_history"):
        text = spacious.refused(tool, observation_id=other.id)
        assert "no observation in the space work, home has an id that begins so" in text
    assert "not reached" in spacious.refused("search_memory", space="secret")
    assert "not reached" in spacious.refused("save_observation", content="x", space="secret")


# -- errors


def test_an_id_that_is_not_here_is_an_error_that_says_why(caller: Caller) -> None:
    saved = caller.call("save_observation", content="x")["id"]
    assert "no observation in the space default" in caller.refused(
        "get_memory", observation_id="0123456789" * 3 + "01"
    )
    assert "not an id" in caller.refused("get_memory", observation_id="no such thing")
    caller.call("delete_memory", observation_id=saved, reason="was wrong")
    text = caller.refused("get_memory", observation_id=saved)
    assert 'reason: "was wrong"; delete_memory with undo=true brings it back' in text
    for tool, more in (("delete_memory", {}), ("edit_memory", {"subject": "y"})):
        assert "was deleted at" in caller.refused(tool, observation_id=saved, **more)
    caller.desk.memory().purge(saved)
    assert "was erased for ever" in caller.refused("get_memory", observation_id=saved)
    assert "erased for ever" in caller.refused("delete_memory", observation_id=saved, undo=True)
    kept = caller.call("save_observation", content="y")["id"]
    assert "is not deleted" in caller.refused("delete_memory", observation_id=kept, undo=True)


def test_an_id_that_fits_several_asks_for_more_digits(plain: Caller) -> None:
    memory = plain.desk.memory()
    ids = ["abcdef" + "0" * 25 + digit for digit in "12"]
    memory.save_many([Observation("x", id=one) for one in ids])
    text = plain.refused("get_memory", observation_id="abcdef")
    assert text == "abcdef: fits 2 ids; give more digits"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"operation": "save", "status": "wins"}, "its content is not here"),
        ({"operation": "save", "status": "purged"}, "was erased for ever"),
    ],
)
def test_what_cannot_be_read_says_what_can_be_done(entry: dict[str, str], said: str) -> None:
    event = {"replica": "box", "log_id": "0" * 32, "seq": 1, "hash": "0" * 64, "why": ""}
    newest: Any = HistoryEntry(stamped_at=from_unix_ms(0), **event, **entry)  # type: ignore[arg-type]
    assert absence(newest, "then", "box").startswith(said)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("save_observation", {}, "content: Field required"),
    ("save_observation", {"content": " \n"}, "content: is blank; say what to remember"),
    ("save_observation", {"content": 7}, "content: "),
    ("save_observation", {"content": "x" * (CONTENT_BYTES_MAX + 1)}, "content: "),
    ("save_observation", {"content": "あ" * (CONTENT_BYTES_MAX // 2)}, "make it shorter"),
    ("save_observation", {"content": "a\0b"}, "control character U+0000 at 1"),
    ("save_observation", {"content": "x", "importance": 6}, "importance: "),
    ("save_observation", {"content": "x", "memory_type": "rumour"}, "memory_type: "),
    ("save_observation", {"content": "x", "tags": ["a"] * 65}, "tags: "),
    ("save_observation", {"content": "x", "tags": ["t" * 200]}, "tags: 200 characters"),
    ("save_observation", {"content": "x", "tags": "a, b"}, "tags: "),
    ("save_observation", {"content": "x", "expires_at": "soon"}, "no ISO 8601 time"),
    ("save_observation", {"content": "x", "expires_at": "2001-01-01"}, "is past"),
    ("save_observation", {"content": "x", "ttl_sec": -1}, "ttl_sec: "),
    ("save_observation", {"content": "x", "supersedes": ["abcdef"]}, "supersedes: abcdef"),
    ("save_observation", {"content": "x", "visibility": "private"}, "nothing was saved"),
    ("save_observation", {"content": "x", "colour": "red"}, "takes no 'colour'"),
    ("search_memory", {"limit": 0}, "limit: "),
    ("search_memory", {"limit": LIMIT_MAX + 1}, "limit: "),
    ("search_memory", {"offset": LIMIT_MAX}, "ask for something narrower"),
    ("search_memory", {"since_iso": "yesterday"}, "write 2026-05-22"),
    ("search_memory", {"search_mode": "xor"}, "search_mode: "),
    ("search_memory", {"query": {"deep": [[[]]]}}, "query: "),
    ("search_memory", {"query": "x" * 1_000_000}, "query: "),
    ("search_memory", {"space": "../../etc"}, "not reached"),
    ("recall_context", {"memory_types": ["note", "rumour"]}, "memory_types.1"),
    ("edit_memory", {"observation_id": "abcdef", "content": "x"}, "no observation"),
    ("edit_memory", {"observation_id": "abc"}, "observation_id: "),
    ("get_memory", {"observation_id": None}, "observation_id: Field required"),
    ("delete_memory", {"observation_id": "f" * 10_000_000}, "observation_id: "),
    ("memory_history", {"observation_id": "ffffff"}, "no observation"),
]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"), WRONG, ids=[f"{tool}-{said}" for tool, _, said in WRONG]
)
def test_a_wrong_argument_is_an_error_in_words_and_changes_nothing(
    plain: Caller, tool: str, arguments: dict[str, Any], said: str
) -> None:
    text = plain.refused(tool, **arguments)
    assert said in text
    assert len(text) < 1_000
    assert plain.desk.memory().statistics().events == 0


def test_an_edit_of_nothing_and_of_the_same_twice_is_refused(plain: Caller) -> None:
    saved = plain.call("save_observation", content="x", subject="s")["id"]
    assert "nothing to change" in plain.refused("edit_memory", observation_id=saved, subject="")
    text = plain.refused("edit_memory", observation_id=saved, subject="t", clear=["subject"])
    assert "leave it out of one" in text


def test_who_one_is_cannot_be_said_in_an_argument(plain: Caller) -> None:
    seen = plain.call("save_observation", content="x", agent_family="root", pc_id="y")
    assert seen.text.startswith("Who you are is not an argument")
    assert seen["notes"][0].startswith("Who you are is not an argument")
    assert plain.call("get_memory", observation_id=seen["id"])["origin"] == plain.origin


def test_null_is_not_given_and_a_list_may_come_as_its_text(plain: Caller) -> None:
    saved = plain.call("save_observation", content="x", tags='["a", "b"]', summary=None)
    assert plain.call("get_memory", observation_id=saved["id"])["tags"] == ["a", "b"]


def test_true_is_no_number(plain: Caller) -> None:
    for tool, named in (
        ("search_memory", {"limit": True}),
        ("list_memories", {"offset": False}),
        ("save_observation", {"content": "x", "importance": True}),
        ("drain_pending_puts", {"limit": True}),
    ):
        assert "whole number" in plain.refused(tool, **named)


def test_an_error_repeats_no_credential_of_a_wrong_argument(plain: Caller) -> None:
    for named in ({"content": [TOKEN]}, {"content": "x", TOKEN: 1}, {"content": {"a": TOKEN}}):
        assert TOKEN[:20] not in plain.refused("save_observation", **named)


def test_no_project_is_said_in_an_edit_as_in_a_save(plain: Caller) -> None:
    saved = plain.call("save_observation", content="belongs to the repository")
    plain.call("edit_memory", observation_id=saved["id"], project="-")
    assert "project" not in plain.call("get_memory", observation_id=saved["id"]).structured


def test_what_names_itself_as_replaced_is_not(plain: Caller) -> None:
    saved = plain.call("save_observation", content="replaces itself")
    plain.call("edit_memory", observation_id=saved["id"], supersedes=[saved["id"]])
    assert "marks" not in plain.call("get_memory", observation_id=saved["id"]).structured


def test_a_status_stays_within_its_limit_whatever_others_call_themselves(
    plain: Caller, tmp_path: Path
) -> None:
    for number in range(20):
        other = settings("far")._replace(agent_family=str(number) + "\u202e" * 118)
        with open_store(str(tmp_path / f"{number}.db"), other) as store:
            store.save("from afar")
            carry(store, plain.desk.memory())
    assert len(plain.call("get_memory_status")["observations_by_family"]) == 20


def test_of_many_spaces_the_status_names_some_and_counts_the_rest(tmp_path: Path) -> None:
    names = [f"space-{number}" for number in range(40)]
    environ = {"HOME": str(tmp_path), "KIOKU_STATE_DIR": str(tmp_path / "state")}
    with Desk(environ, spaces=names, directory=str(tmp_path)) as desk, Caller(desk) as caller:
        status = caller.call("get_memory_status")
        assert status["spaces"] == names[:32]
        assert status["remarks"] == ["8 more spaces: `kioku spaces` shows them"]


def test_projects_of_several_spaces_are_in_one_order(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "KIOKU_STATE_DIR": str(tmp_path / "state")}
    (tmp_path / "state").mkdir()
    for ago, space in ((2, "a"), (1, "b")):
        ms = desk_at(tmp_path / space).memory().now_ms() - ago * 3_600_000
        path = str(tmp_path / "state" / f"{space}.db")
        with open_store(path, settings("vm"), clock=Clock(ms)) as store:
            store.save("x", project=f"{ago} hours ago")
    with Desk(environ, spaces=("a", "b"), directory=str(tmp_path)) as desk, Caller(desk) as caller:
        caller.call("save_observation", content="x", project="now")
        found = caller.call("list_projects")["projects"]
        assert [one["name"] for one in found] == ["now", "1 hours ago", "2 hours ago"]
