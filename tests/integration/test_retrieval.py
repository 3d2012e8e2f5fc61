"""What is written down is found again: identifiers, paths, versions, quotes and CJK words.

A store of some thousand observations, made here from a seed. Each has a landmark, something that
people search for, among common words; 200 landmarks are drawn, and whoever searches for one finds
the observation that holds it among the first ten.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import pytest

import kioku

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 20_261_127
OBSERVATIONS = 3_000
DRAWN = 200
TOP = 10

COMMON = (
    "the index of a query was slow because each worker read every file again so we changed the "
    "cache and kept one connection for all requests until the server restarted with another "
    "session token after the release failed in staging while the database was migrating a table"
).split()
VERBS = (
    "parse load flush fetch build merge apply close seal fold split chain scan trim wrap".split()
)
NOUNS = (
    "header token cursor batch record queue chunk branch frame buffer lease quorum ledger".split()
)
THINGS = "Reader Writer Pool Cache Index Store Clock View Session Router Planner Encoder".split()
ADJECTIVES = "amber brisk copper dusty eager frozen gentle hollow ivory jagged keen lunar".split()
JAPANESE = "認証 索引 検索 設定 接続 複製 履歴 障害 復旧 移行 試験 監視 端末 翻訳 競合 保存".split()
KATAKANA = "トークン サーバー キャッシュ ログ テーブル バックアップ スレッド メモリ".split()
CHINESE = "数据 索引 缓存 连接 复制 迁移 监控 备份 日志 时钟 队列 令牌 签名 分区".split()
KOREAN = "데이터 색인 캐시 연결 복제 이전 감시 백업 기록 시계 대기열 토큰 서명".split()


class Landmark(NamedTuple):
    """What stands in the text, and what somebody types who looks for it."""

    text: str
    query: str


def camel(rng: random.Random) -> Landmark:
    verb, noun, thing = rng.choice(VERBS), rng.choice(NOUNS), rng.choice(THINGS)
    text = f"{verb}{noun.capitalize()}{thing}"
    return Landmark(text, rng.choice((text, f"{verb} {noun} {thing}", f"{verb}_{noun}_{thing}")))


def snake(rng: random.Random) -> Landmark:
    parts = rng.choice(VERBS), rng.choice(NOUNS), rng.choice(ADJECTIVES)
    text = "_".join(parts)
    return Landmark(text, rng.choice((text, " ".join(parts))))


def path(rng: random.Random) -> Landmark:
    folder, name = rng.choice(NOUNS), f"{rng.choice(VERBS)}_{rng.choice(ADJECTIVES)}.py"
    return Landmark(
        f"src/{folder}/{name}", rng.choice((f"src/{folder}/{name}", f"{folder}/{name}"))
    )


def version(rng: random.Random) -> Landmark:
    text = f"v{rng.randrange(30)}.{rng.randrange(40)}.{rng.randrange(40)}"
    return Landmark(text, text)


def quote(rng: random.Random) -> Landmark:
    text = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)} {rng.choice(VERBS)}s"
    return Landmark(text, f'"{text}"')


def japanese(rng: random.Random) -> Landmark:
    text = f"{rng.choice(JAPANESE)}{rng.choice(KATAKANA)}の{rng.choice(JAPANESE)}"
    return Landmark(f"昨日の{text}を見直す。", text)


def chinese(rng: random.Random) -> Landmark:
    text = f"{rng.choice(CHINESE)}{rng.choice(CHINESE)}{rng.choice(CHINESE)}"
    return Landmark(f"我们讨论了{text}的问题", text)


def korean(rng: random.Random) -> Landmark:
    text = f"{rng.choice(KOREAN)} {rng.choice(KOREAN)}{rng.choice(KOREAN)}"
    return Landmark(f"어제 {text} 문제를", rng.choice((text, text.split()[1])))


KINDS: tuple[Callable[[random.Random], Landmark], ...] = (
    camel,
    snake,
    path,
    version,
    quote,
    japanese,
    chinese,
    korean,
)


class Corpus(NamedTuple):
    """A filled store, and for each landmark the ids of what holds its text."""

    memory: kioku.Memory
    landmarks: list[Landmark]
    holders: dict[str, set[str]]


@pytest.fixture(scope="module")
def corpus() -> Iterator[Corpus]:
    rng = random.Random(SEED)
    landmarks = [KINDS[number % len(KINDS)](rng) for number in range(OBSERVATIONS)]
    contents = []
    for landmark in landmarks:
        words = rng.choices(COMMON, k=rng.randrange(10, 40))
        place = rng.randrange(len(words))
        contents.append(" ".join((*words[:place], landmark.text, *words[place:])))
    with kioku.open(":memory:") as memory:
        saved = memory.save_many(
            {"content": content, "session_id": f"s{number // 12}"}
            for number, content in enumerate(contents)
        )
        holders: dict[str, set[str]] = {}
        for one, landmark in zip(saved, landmarks, strict=True):
            holders.setdefault(landmark.text, set()).add(one.id)
        yield Corpus(memory, landmarks, holders)


@pytest.mark.parametrize("mode", ["or", "and", "and_or"])
def test_what_holds_a_landmark_is_among_the_first_ten(corpus: Corpus, mode: str) -> None:
    drawn = random.Random(SEED).sample(range(OBSERVATIONS), DRAWN)
    missed = []
    for number in drawn:
        landmark = corpus.landmarks[number]
        found = [hit.observation.id for hit in corpus.memory.search(landmark.query, mode=mode)]
        if corpus.holders[landmark.text].isdisjoint(found[:TOP]):
            missed.append(landmark)
    assert missed == []


def test_each_kind_of_landmark_is_drawn() -> None:
    drawn = random.Random(SEED).sample(range(OBSERVATIONS), DRAWN)
    counts = [sum(number % len(KINDS) == kind for number in drawn) for kind in range(len(KINDS))]
    assert min(counts) >= 10
    assert sum(counts) == DRAWN
