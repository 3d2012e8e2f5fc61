"""What is taken out of a text, what stays, and what a save, an edit and a reader say of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bench.secret_samples import HARMLESS, HOSTILE, Sample, credentials, samples
from kioku.errors import InvalidObservationError, NotFoundError, SecretRefusedError
from kioku.memory import open_store
from kioku.memory.lines import read_line
from kioku.observation import Redaction
from kioku.secrets import must_screen
from kioku.secrets.detection import find
from kioku.secrets.formats import FORMATS
from kioku.secrets.screening import redacted
from tests.tidy.repository import ROOT
from tests.unit.memories import Clock, carry, settings

if TYPE_CHECKING:
    from pathlib import Path

    from kioku.memory import Memory

SAMPLES = list(samples(7))
TOKEN = next(secret for kind, secret in credentials(3) if kind == "github token")
MARK = "[redacted: github token]"


def _with_policy(tmp_path: Path, policy: str) -> Memory:
    allowing = settings()._replace(secrets=policy)
    return open_store(str(tmp_path / "policy.db"), allowing, clock=Clock())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind)
def test_a_credential_is_found_and_nothing_of_it_is_left(sample: Sample) -> None:
    found = find(sample.text)
    assert found
    assert sample.kind in [one.kind for one in found] or sample.kind == "secret"
    left = redacted(sample.text)
    assert sample.secret not in left
    tail = sample.secret[-6:]
    assert tail not in left or tail in sample.text.replace(sample.secret, "")


def test_every_format_has_a_sample() -> None:
    assert {row.kind for row in FORMATS} <= {sample.kind for sample in SAMPLES}


@pytest.mark.parametrize("text", HARMLESS, ids=range(len(HARMLESS)))
def test_what_only_speaks_of_credentials_stays(text: str) -> None:
    assert find(text) == ()
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("GET /v1?api_key=KEY&units=m", "GET /v1?api_key=[redacted: secret]&units=m"),
        ("{client_secret:KEY,scope:all}", "{client_secret:[redacted: secret],scope:all}"),
        ("access_token=KEY;path=/", "access_token=[redacted: token];path=/"),
        (r"api_key=KEY\nHOST=x", r"api_key=[redacted: secret]\nHOST=x"),
        ("APIキーは「KEY」です", "APIキーは「[redacted: secret]」です"),
        ("アクセスキー: KEY", "アクセスキー: [redacted: secret]"),
        ("密钥: KEY。", "密钥: [redacted: secret]。"),
        ("secret_key_base: KEY", "secret_key_base: [redacted: secret]"),
        ("data:\n  password: UzNjcjN0UDRzcw==", "data:\n  password: [redacted: password]"),
    ],
)
def test_a_value_is_taken_out_to_its_end_and_no_further(text: str, left: str) -> None:
    assert redacted(text.replace("KEY", "aB3dE5fG7hI9jK1lMn")) == left


HEX = "c7b2e1336614eba23a9461d28156e9c8"


def test_hexadecimal_is_a_token_where_its_name_says_whose_and_else_maybe_a_hash() -> None:
    assert redacted(f"TWILIO_AUTH_TOKEN={HEX}") == "TWILIO_AUTH_TOKEN=[redacted: token]"
    assert redacted(f'"access_token": "{HEX}"') == '"access_token": "[redacted: token]"'
    assert find(f"the token {HEX}, token: {HEX}") == ()


@pytest.mark.parametrize(
    "text",
    [
        "if password == stored_password2:",
        "password: str = stored_password",
        "キーボードのキー: ArrowLeft2x9Q7z1",
        "cache_key=user42a7&ttl=9",
    ],
)
def test_what_is_compared_or_declared_is_no_credential(text: str) -> None:
    assert find(text) == ()


def test_nothing_in_the_decisions_of_this_project_is_a_credential() -> None:
    papers = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert len(papers) > 50
    assert {str(paper): find(paper.read_text("utf-8")) for paper in papers} == dict.fromkeys(
        map(str, papers), ()
    )


def test_overlapping_finds_are_one() -> None:
    text = f"https://x-access-token:{TOKEN}@git.example.org and token={TOKEN}."
    assert redacted(text) == f"https://x-access-token:{MARK}@git.example.org and token={MARK}."


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_text_made_to_be_slow_is_done_with(unit: str) -> None:
    """Were any of it quadratic this would take minutes; docs/adr/0092 says what it does take."""
    size = 100_000
    text = (unit * (size // len(unit) + 1))[:size]
    assert len(redacted(text)) > 0


def test_a_save_is_told_what_was_taken_out(memory: Memory) -> None:
    saved = memory.save(
        f"It is {TOKEN}",
        tags=["ci", TOKEN],
        subject=TOKEN,
        summary=f"a {TOKEN}",
        source_files=[f"a?token={TOKEN}"],
        references=[TOKEN],
        project=TOKEN,
        session_id=TOKEN,
        extra={"deep": [{TOKEN: {"x": TOKEN}}]},
    )
    assert memory.get(saved.id) == saved
    assert TOKEN not in repr(saved)
    assert saved.content == f"It is {MARK}"
    assert saved.tags == ("ci", MARK)
    assert saved.extra == {"deep": [{MARK: {"x": MARK}}]}
    fields = [taken.field for taken in saved.redactions]
    assert fields == [
        *("content", "project", "subject", "summary", "session_id"),
        *("tags[1]", "source_files[0]", "references[0]", "extra", "extra"),
    ]
    assert saved.redactions[0] == Redaction("github token", "content")


def test_words_duplicates_and_the_index_see_what_is_left(memory: Memory) -> None:
    [first, second] = memory.save_many([{"content": f"one {TOKEN}"}, {"content": "two"}])
    assert (first.content, second.redactions) == (f"one {MARK}", ())
    assert not memory.search(TOKEN)
    again = memory.save(f"one {TOKEN}", if_duplicate="return")
    assert (again.id, again.is_duplicate) == (first.id, True)
    assert again.redactions == (Redaction("github token", "content"),)


def test_an_edit_is_screened_and_takes_out_what_was_there_before(tmp_path: Path) -> None:
    with _with_policy(tmp_path, "allow") as memory:
        saved = memory.save(f"old {TOKEN}")
        assert saved.content == f"old {TOKEN}"
        seen = memory.get(saved.id)
        assert seen is not None
        assert seen.secrets == ("github token",)
        assert memory.search("old")[0].observation.secrets == ("github token",)
        assert memory.list()[0].to_dict()["secrets"] == ["github token"]
    with _with_policy(tmp_path, "redact") as memory:
        edited = memory.edit(saved.id, importance=5)
        assert (edited.content, edited.secrets) == (f"old {MARK}", ())
        assert memory.edit(saved.id, subject=TOKEN).subject == MARK


def test_a_refusal_names_kind_and_place_and_writes_nothing(tmp_path: Path) -> None:
    with _with_policy(tmp_path, "refuse") as memory:
        kept = memory.save("kept")
        for refused in (
            lambda: memory.save(f"a key: {TOKEN}"),
            lambda: memory.save_many([{"content": "fine"}, {"content": f"a key: {TOKEN}"}]),
            lambda: memory.edit(kept.id, content=f"a key: {TOKEN}"),
        ):
            with pytest.raises(
                SecretRefusedError, match=r"content: holds .*github token.* 7"
            ) as it:
                refused()
            assert TOKEN not in str(it.value)
            assert (it.value.kind, it.value.field, it.value.start) == ("github token", "content", 7)
        with pytest.raises(SecretRefusedError, match="reason"):
            memory.delete(kept.id, reason=TOKEN)
        assert [one.content for one in memory.list()] == ["kept"]
        assert memory.statistics().events == 2  # the genesis, and what was kept


def test_private_parts_go_whatever_the_policy(tmp_path: Path) -> None:
    for policy in ("redact", "refuse", "allow"):
        with _with_policy(tmp_path, policy) as memory:
            saved = memory.save(
                "a <private>b <PRIVATE>c</Private> d\n</private> e <private why='x'>f</private>",
                tags=["<private>t</private>", "u"],
                summary="<private>s</private>",
            )
            assert saved.content == "a [private] e [private]"
            assert saved.tags == ("u",)
            assert saved.redactions[0] == Redaction("private text", "content")
            with pytest.raises(InvalidObservationError, match="all of it"):
                memory.save(" <private>everything</private>\n")
            with pytest.raises(InvalidObservationError, match="never closed"):
                memory.save("a <private>b <private>c</private>")


def test_what_is_almost_a_private_part_is_text(memory: Memory) -> None:
    text = "</private> <privately> <private/> < private> private <public>"
    assert memory.save(text).content == text


def test_a_tag_that_is_named_in_code_quotes_is_text(memory: Memory) -> None:
    assert memory.save("`<private>` is never stored").content == "`<private>` is never stored"
    saved = memory.save("`<private>` hides: <private>a <private>b</private></private> c")
    assert saved.content == "`<private>` hides: [private] c"
    assert memory.save("`<private>` x `</private>`").content == "`[private]`"
    for text in ("`<private>` <private>a", "<private>` a", "`<private> a", "<private>"):
        with pytest.raises(InvalidObservationError, match="never closed"):
            memory.save(text)


def test_a_reason_and_a_name_are_screened_too(memory: Memory) -> None:
    saved = memory.save("a", project="old")
    with pytest.raises(SecretRefusedError):
        memory.rename_project("old", TOKEN)
    with pytest.raises(SecretRefusedError, match=r"take it out$"):
        memory.alias_project(TOKEN, "old")
    with pytest.raises(InvalidObservationError, match="private part"):
        memory.alias_project("<private>x</private>", "old")
    memory.delete(saved.id, reason=f"it was {TOKEN}")
    assert memory.history(saved.id)[0].reason == f"it was {MARK}"


def test_an_imported_line_is_a_save(memory: Memory) -> None:
    line = read_line(b'{"content": "x %s", "secrets": ["y"], "redactions": []}' % TOKEN.encode())
    assert line is not None
    assert line.unusual == ()
    assert memory.save_many([line.observation])[0].content == f"x {MARK}"


def test_what_another_machine_wrote_is_taken_in_as_it_is_and_marked(
    memory: Memory,
) -> None:
    allowing = settings("there")._replace(secrets="allow")
    with open_store(":memory:", allowing, clock=Clock()) as there:
        saved = there.save(f"It is {TOKEN}")
        carry(there, memory)
        assert memory.digest() == there.digest()
    found = memory.get(saved.id)
    assert found is not None
    assert (found.content, found.secrets) == (f"It is {TOKEN}", ("github token",))


def test_nothing_of_a_secret_reaches_a_file(tmp_path: Path) -> None:
    secrets = [secret for _, secret in credentials(11)]
    with _with_policy(tmp_path, "redact") as memory:
        for secret in secrets:
            saved = memory.save(f"a: {secret}", tags=[secret[:100]], extra={"k": secret})
            memory.edit(saved.id, subject=secret[:200])
            memory.delete(saved.id, reason=secret[:200])
        memory.backup(str(tmp_path / "copy.db"))
    with _with_policy(tmp_path, "refuse") as memory:
        for secret in secrets:
            with pytest.raises(SecretRefusedError):
                memory.save(f"a: {secret}")
    raw = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert os.path.getsize(tmp_path / "copy.db")
    for secret in secrets:
        assert secret[-12:].encode() not in raw
        assert secret[-12:].lower().encode() not in raw


# -- what is here already


def test_a_scan_finds_every_version_and_shows_none_of_it(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    with _with_policy(tmp_path, "allow") as memory:
        edited = memory.save(f"one {TOKEN}", tags=["x", TOKEN])
        memory.edit(edited.id, content="clean", tags=[])
        deleted = memory.save("two")
        memory.delete(deleted.id, reason=f"for {TOKEN}")
        memory.save("clean")
        found = memory.scan_secrets(lambda *step: steps.append(step))
    assert [(one.id, one.field, one.start, one.is_current) for one in found] == [
        (edited.id, "content", 4, False),
        (edited.id, "tags[1]", 0, False),
        (deleted.id, "reason", 4, True),
    ]
    assert TOKEN[8:] not in repr(found)
    assert found[0].hint == f"ghp_… ({len(TOKEN)} characters)"
    assert steps == [(5, 5)]


def test_redacting_keeps_the_words_and_erases_every_version(tmp_path: Path) -> None:
    with _with_policy(tmp_path, "allow") as memory:
        old = memory.save(f"one {TOKEN}", subject="kept")
        memory.edit(old.id, importance=4)
        history = memory.save(f"two {TOKEN}")
        memory.edit(history.id, content="two")
        gone = memory.save("three")
        memory.delete(gone.id, reason=f"for {TOKEN}")
    with _with_policy(tmp_path, "refuse") as memory:
        assert memory.redact_secrets(old.id) == 2
        assert memory.redact_secrets(history.id) == 1
        assert memory.redact_secrets(gone.id) == 1
        assert memory.redact_secrets(gone.id) == 0
        assert memory.scan_secrets() == []
        kept = memory.get(old.id)
        assert kept is not None
        assert (kept.content, kept.subject, kept.importance) == (f"one {MARK}", "kept", 4)
        assert kept.versions == 1
        assert memory.get(gone.id) is None
        assert memory.history(gone.id)[0].reason == f"for {MARK}"
        with pytest.raises(NotFoundError):
            memory.redact_secrets("0123456789abcdef" * 2)
    raw = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert TOKEN[-12:].encode() not in raw


def test_what_was_superseded_stays_so_when_it_is_redacted(tmp_path: Path) -> None:
    with _with_policy(tmp_path, "allow") as memory:
        first = memory.save(f"the first word {TOKEN}")
        second = memory.save("the second word", supersedes=[first.id])
        third = memory.save("the third word", supersedes=[second.id])
        apart = memory.save("another word")
        assert memory.redact_secrets(first.id) == 1
        assert {one.id for one in memory.list()} == {third.id, apart.id}
        assert [hit.observation.id for hit in memory.search("first")] == []
        found = memory.get(first.id)
        assert found is not None
        assert found.content == f"the first word {MARK}"


def test_a_redaction_reaches_every_machine(tmp_path: Path, memory: Memory) -> None:
    with _with_policy(tmp_path, "allow") as there:
        saved = there.save(f"one {TOKEN}")
        carry(there, memory)
        assert memory.redact_secrets(saved.id) == 1
        carry(memory, there)
        seen = there.get(saved.id)
        assert seen is not None
        assert seen.content == f"one {MARK}"
        assert there.scan_secrets() == []
        assert there.digest() == memory.digest()


def test_a_word_after_a_name_is_no_reason_to_look_and_letters_that_chance_drew_are() -> None:
    drawn = "qWeRtYuIoPaSdFgH"
    for text in ("the key is here and", "a token to the end", "key #2040 to", "secret was lost\n"):
        assert not must_screen(text.encode(), "redact")
    for text in (f"the api key is {drawn} and", f"secret was set to {drawn}", "PassWord is x9!z7b"):
        assert must_screen(text.encode(), "redact")
