"""What a search finds, what it leaves out, and in which order."""

from __future__ import annotations

from itertools import permutations

import pytest

from kioku.observation import Observation, from_unix_ms
from kioku.view.filter import Filter
from kioku.view.search import TOPPED_UP_MAX, Match
from tests.unit.view_store import NOW_MS, ViewStore


@pytest.fixture
def store() -> ViewStore:
    return ViewStore()


def fill(store: ViewStore, *contents: str) -> None:
    for number, content in enumerate(contents, 1):
        store.show(Observation(content), key=number, hlc=number)


# --- words ----------------------------------------------------------------------------------------


def test_words_match_whatever_their_inflection(store: ViewStore) -> None:
    fill(store, "we chose a database", "running quickly", "nothing of it")
    assert store.contents("databases") == ["we chose a database"]
    assert store.contents("DATABASE") == ["we chose a database"]
    assert store.contents("run") == ["running quickly"]


def test_any_word_matches_and_more_words_match_better(store: ViewStore) -> None:
    fill(store, "alpha beta", "alpha other", "beta more", "neither nor")
    found = store.contents("alpha beta")
    assert found[0] == "alpha beta"
    assert sorted(found[1:]) == ["alpha other", "beta more"]


def test_modes_differ_in_what_must_match(store: ViewStore) -> None:
    fill(
        store, "alpha beta and much else that makes this one long " * 3, "alpha alpha alpha", "beta"
    )
    assert len(store.search("alpha beta", mode="and")) == 1
    assert store.contents("alpha beta", mode="and_or")[0].startswith("alpha beta")
    assert len(store.search("alpha beta", mode="and_or")) == 3
    assert len(store.search("alpha beta", mode="or")) == 3
    assert store.contents("alpha beta", mode="and_or", limit=1)[0].startswith("alpha beta")


def test_stop_words_do_not_match_unless_nothing_else_is_asked(store: ViewStore) -> None:
    fill(store, "what is the matter", "the database")
    assert store.contents("what is the database") == ["the database"]
    assert sorted(store.contents("the")) == ["the database", "what is the matter"]


def test_field_names_and_signs_do_not_match_everything(store: ViewStore) -> None:
    fill(store, "plain", "50% off", "a session token")
    assert store.contents("session") == ["a session token"]
    assert store.contents("%") == ["50% off"]
    assert store.contents("_") == []
    assert store.contents("content") == []
    assert store.contents("note") == []


def test_who_saved_is_not_searched(store: ViewStore) -> None:
    observation = Observation("x", host="zebra", agent_family="zebra", session_id="zebra")
    store.show(observation, key=1, hlc=1)
    assert store.search("zebra") == []
    assert store.search("zebr") == []


def test_subject_summary_tags_and_files_are_searched(store: ViewStore) -> None:
    observation = Observation(
        "x",
        subject="billing",
        summary="invoices",
        tags=("taxes",),
        source_files=("src/ledger.py",),
        references=("TICKET-77",),
    )
    store.show(observation, key=1, hlc=1)
    for query in ("billing", "invoice", "tax", "ledger", "ticket-77", "src/ledger.py"):
        assert len(store.search(query)) == 1, query


@pytest.mark.parametrize(
    ("content", "query"),
    [
        ("the oauth_token expired", "token"),
        ("the oauth_token expired", "oauth token"),
        ("see src/log/hlc.py", "hlc.py"),
        ("see src/log/hlc.py", "log"),
        ("kioku-mesh is old", "kioku mesh"),
        ("HttpServer crashed", "server"),
        ("HttpServer crashed", "httpserver"),
        ("HttpServer crashed", "HttpServer"),
        ("HttpServer crashed", "http_server"),
        ("http_server crashed", "HttpServer"),
        ("getUserName2", "get user name"),
        ("naïve café", "naive cafe"),
        ("naive cafe", "naïve café"),
        ("\uff21\uff30\uff29", "api"),
    ],
)
def test_identifiers_are_found_by_their_parts(store: ViewStore, content: str, query: str) -> None:
    fill(store, content, "unrelated")
    matches = store.search(query)
    assert [match.is_substring for match in matches] == [False]


def test_phrases_prefixes_and_exclusions_are_honoured(store: ViewStore) -> None:
    fill(store, "alpha beta gamma", "beta alpha", "alphabet soup")
    assert store.contents('"alpha beta"') == ["alpha beta gamma"]
    assert store.contents('"beta   alpha"') == ["beta alpha"]
    assert store.contents("alpha -gamma") == ["beta alpha", "alphabet soup"]
    assert store.contents('beta -"beta alpha"') == ["alpha beta gamma"]
    assert sorted(store.contents("alph*")) == ["alpha beta gamma", "alphabet soup", "beta alpha"]
    assert store.contents("alpha* -beta") == ["alphabet soup"]
    assert [match.is_substring for match in store.search("alph*")] == [False] * 3


def test_only_an_exclusion_gives_the_newest_others(store: ViewStore) -> None:
    fill(store, "one alpha", "two", "three")
    assert store.contents("-alpha") == ["three", "two"]


def test_a_blank_query_gives_the_newest(store: ViewStore) -> None:
    fill(store, "one", "two")
    assert store.contents("  ") == ["two", "one"] == store.newest()


# --- Chinese, Japanese, Korean --------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    ["認証トークンの有効期限", "有効", "限", "トークン", "ーク", "ﾄｰｸﾝ", "の有", '"有効期限"'],
)
def test_any_run_of_a_japanese_text_is_a_word_hit(store: ViewStore, query: str) -> None:
    fill(store, "認証トークンの有効期限は三十分", "別の話", "plain")
    matches = store.search(query)
    assert store.texts_of(matches)[0] == "認証トークンの有効期限は三十分"
    assert not matches[0].is_substring


def test_characters_in_another_order_do_not_match(store: ViewStore) -> None:
    fill(store, "期限有効")
    assert store.search("有効期限") == []


def test_the_words_of_a_japanese_question_count_on_their_own(store: ViewStore) -> None:
    fill(store, "検索はデータベースで行う", "別の話")
    assert store.contents("データベースの選択は") == ["検索はデータベースで行う"]


def test_mixed_scripts_are_found_by_either(store: ViewStore) -> None:
    fill(store, "OAuthトークンをrefreshする", "別")
    for query in ("oauth", "トークン", "refresh", "OAuthトークン", "auth"):
        assert len(store.search(query)) == 1, query


# --- substrings -----------------------------------------------------------------------------------


def test_too_few_word_hits_are_topped_up_by_substrings(store: ViewStore) -> None:
    fill(store, "the postgres one", "mypostgres", "Post", "other")
    matches = store.search("postgres")
    assert store.texts_of(matches) == ["the postgres one", "mypostgres"]
    assert [match.is_substring for match in matches] == [False, True]
    assert matches[0].score > matches[1].score == 0
    assert len(store.search("postgres", limit=1)) == 1


def test_substrings_ignore_the_case_of_ascii(store: ViewStore) -> None:
    fill(store, "UPPERCASE text")
    assert store.contents("PERcas") == ["UPPERCASE text"]


def test_substrings_come_the_newest_first(store: ViewStore) -> None:
    fill(store, "xxalphaxx", "yyalphayy", "zzalphazz")
    assert store.contents("alpha") == ["zzalphazz", "yyalphayy", "xxalphaxx"]


def test_substrings_heed_mode_exclusion_and_filter(store: ViewStore) -> None:
    fill(store, "xalphax xbetax", "yalphay", "zalphaz bad")
    assert store.contents("alpha beta", mode="and") == ["xalphax xbetax"]
    assert store.contents("alpha -bad") == ["yalphay", "xalphax xbetax"]
    assert store.contents("alpha", filter=Filter(since=2)) == ["zalphaz bad", "yalphay"]
    assert store.contents("alpha", filter=Filter(projects=("other",))) == []


def test_a_substring_is_found_behind_zero_bytes(store: ViewStore) -> None:
    fill(store, "x" * 254 + "needle " + "y" * 251)  # a length of 512: its head holds a zero byte
    fill(store, "w" * 70_000 + "needle")
    assert len(store.search("eedl")) == 1


def test_a_substring_ends_with_its_field(store: ViewStore) -> None:
    store.show(Observation("one", subject="two"), key=1, hlc=1)
    assert store.search('"e\ntw"') == []
    assert store.search('"onetwo"') == []


def test_with_word_hits_only_the_newest_bodies_are_scanned(store: ViewStore) -> None:
    store.show(Observation("xneedlex old"), key=1, hlc=1)
    with store.connection:
        changes = [
            store.event(Observation("filler"), key=key, hlc=key)
            for key in range(2, TOPPED_UP_MAX + 1)
        ]
        store.view.apply(store.connection, changes)
    assert store.contents("needle") == ["xneedlex old"]
    store.show(Observation("xneedlex new"), key=TOPPED_UP_MAX + 1, hlc=TOPPED_UP_MAX + 1)
    store.show(Observation("needle"), key=TOPPED_UP_MAX + 2, hlc=TOPPED_UP_MAX + 2)
    assert store.contents("needle") == ["needle", "xneedlex new"]


# --- filters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "filter",
    [
        Filter(projects=("p",)),
        Filter(memory_types=("bug",)),
        Filter(tags=("t",)),
        Filter(tags=("t", "語")),
        Filter(agent_families=("f",)),
        Filter(client_ids=("c",)),
        Filter(hosts=("h",)),
        Filter(session_ids=("s",)),
        Filter(since=20),
        Filter(importance=4),
        Filter(projects=("p",), tags=("t",), importance=4, since=20, until=21),
    ],
)
def test_filters_narrow_words_substrings_and_lists(store: ViewStore, filter: Filter) -> None:
    for key in range(1, 12):
        store.show(Observation("alpha xbetax", tags=("other", "tt")), key=key, hlc=key)
    wanted = Observation(
        "alpha xbetax",
        project="p",
        memory_type="bug",
        tags=("t", "語"),
        agent_family="f",
        client_id="c",
        host="h",
        session_id="s",
        importance=4,
    )
    event = store.show(wanted, key=20, hlc=20)
    store.show(Observation("alpha xbetax", project="q"), key=21, hlc=12)
    assert [match.event_id for match in store.search("alpha", filter=filter)] == [event]
    assert [match.event_id for match in store.search("beta", filter=filter)] == [event]
    assert [match.event_id for match in store.search("", filter=filter)] == [event]
    assert store.newest(filter=filter) == ["alpha xbetax"]


def test_until_is_exclusive_and_since_inclusive(store: ViewStore) -> None:
    fill(store, "a1", "a2", "a3")
    assert store.newest(filter=Filter(since=2, until=3)) == ["a2"]


def test_an_empty_filter_value_means_any(store: ViewStore) -> None:
    fill(store, "alpha")
    assert store.contents("alpha", filter=Filter(projects=("",), hosts=("",))) == ["alpha"]


@pytest.mark.parametrize("odd", ["\ud800", "nul\x00", "'; DROP TABLE record; --", "語" * 9])
def test_an_odd_filter_value_matches_nothing(store: ViewStore, odd: str) -> None:
    fill(store, "alpha")
    for wanted in (Filter(projects=(odd,)), Filter(tags=(odd,)), Filter(session_ids=(odd,))):
        assert store.contents("alpha", filter=wanted) == store.newest(filter=wanted) == []
    assert store.contents("alpha") == ["alpha"]


# --- what is hidden -------------------------------------------------------------------------------


def test_an_expired_observation_is_not_found(store: ViewStore) -> None:
    ends = from_unix_ms(NOW_MS)
    store.show(Observation("alpha", expires_at=ends), key=1, hlc=1)
    assert store.search("alpha") == store.search("alph") == store.search("") == []
    assert store.contents("alpha", now_ms=NOW_MS - 1) == ["alpha"]


def hex_id(key: int) -> str:
    return key.to_bytes(16, "big").hex()


def test_supersession_does_not_depend_on_arrival() -> None:
    old = (Observation("alpha old"), 1, 10)
    new = (Observation("alpha new", supersedes=(hex_id(1),)), 2, 20)
    newest = (Observation("alpha newest", supersedes=(hex_id(2),)), 3, 30)
    for order in permutations((old, new, newest)):
        store = ViewStore()
        for observation, key, hlc in order:
            store.show(observation, key=key, hlc=hlc)
        assert store.contents("alpha") == store.newest() == ["alpha newest"]
        everything = Filter(include_superseded=True)
        assert len(store.contents("alpha", filter=everything)) == 3
        assert len(store.newest(filter=everything)) == 3


def test_a_lesser_event_supersedes_nothing(store: ViewStore) -> None:
    store.show(Observation("old", supersedes=(hex_id(2),)), key=1, hlc=1)
    store.show(Observation("edited later"), key=2, hlc=2)
    assert store.newest() == ["edited later", "old"]


def test_equal_stamps_are_told_apart_by_the_whole_order(store: ViewStore) -> None:
    store.show(Observation("from a", supersedes=(hex_id(2),)), key=1, hlc=5, log="a")
    store.show(Observation("from b", supersedes=(hex_id(1),)), key=2, hlc=5, log="b")
    assert store.newest() == ["from b"]


def test_cycles_hide_nothing_that_is_greatest(store: ViewStore) -> None:
    store.show(Observation("self", supersedes=(hex_id(1),)), key=1, hlc=1)
    assert store.newest() == ["self"]
    store.show(Observation("two", supersedes=(hex_id(3),)), key=2, hlc=2)
    store.show(Observation("three", supersedes=(hex_id(2),)), key=3, hlc=3)
    assert store.newest() == ["three", "self"]


def test_what_superseded_must_itself_be_visible(store: ViewStore) -> None:
    store.show(Observation("old"), key=1, hlc=1)
    ends = from_unix_ms(NOW_MS + 5)
    store.show(Observation("new", supersedes=(hex_id(1),), expires_at=ends), key=2, hlc=2)
    assert store.newest() == ["new"]
    assert store.contents("", now_ms=NOW_MS + 5) == ["old"]
    store.hide(2)
    assert store.newest() == ["old"]


def test_a_held_observation_hides_nothing_until_it_is_released(store: ViewStore) -> None:
    store.show(Observation("old"), key=1, hlc=1)
    store.show(Observation("new", supersedes=(hex_id(1),)), key=2, hlc=9, held=True)
    assert store.newest() == ["new", "old"]
    held = store.shown[bytes(15) + b"\x02"]
    from kioku.crdt.standing import Change

    released = held._replace(held=False)
    store.view.apply(store.connection, [Change(bytes(15) + b"\x02", held, released)])
    assert store.newest() == ["new"]


def test_many_hidden_matches_do_not_crowd_out_the_visible(store: ViewStore) -> None:
    with store.connection:
        gone = from_unix_ms(1)
        changes = [
            store.event(Observation("alpha", expires_at=gone), key=key, hlc=key)
            for key in range(1, 300)
        ]
        changes.append(store.event(Observation("alpha and other things"), key=999, hlc=999))
        store.view.apply(store.connection, changes)
    assert store.contents("alpha", limit=3) == ["alpha and other things"]


# --- order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("filter", [Filter(), Filter(importance=1)])
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_equal_scores_put_the_greater_event_first(
    store: ViewStore, filter: Filter, limit: int
) -> None:
    order = []
    for number in range(120):
        place = (number * 37 % 120) // 3, "abc"[number % 3]
        event = store.show(Observation("alpha"), key=number + 1, hlc=place[0], log=place[1])
        shown = store.shown[(number + 1).to_bytes(16, "big")]
        order.append((shown.hlc, shown.log_id, shown.seq, shown.hash, event))
    expected = [place[-1] for place in sorted(order, reverse=True)[:limit]]
    found = [match.event_id for match in store.search("alpha", filter=filter, limit=limit)]
    assert found == expected
    assert [
        match.event_id for match in store.search("alph", filter=filter, limit=limit)
    ] == expected
    assert [match.event_id for match in store.search("", filter=filter, limit=limit)] == expected


def test_scores_fall(store: ViewStore) -> None:
    fill(
        store, "alpha", "alpha " * 3 + "beta gamma", "alpha with a good many other words around it"
    )
    scores = [match.score for match in store.search("alpha gamma")]
    assert scores == sorted(scores, reverse=True)
    assert isinstance(store.search("alpha")[0], Match)
