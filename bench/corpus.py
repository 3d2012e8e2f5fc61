"""Observations to measure with: about 300 bytes of text, realistic words, 5 % Japanese.

The n-th observation is a function of n alone, so that any process can make any part of the corpus
without being sent it. Words are drawn by Zipf's law from the list below, the common ones first;
identifiers, paths and numbers give the long tail that real notes have.
"""

from __future__ import annotations

import random
from itertools import accumulate
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20_240_501
JAPANESE_EVERY = 20
RARE_WORD = "quetzalcoatl"
"""In ten observations of any corpus of 10,000 or more: as many hits in a large store as a small."""
COMMON_WORD = "index"
MIDDLING_WORD = "backoff"

_BYTES_MEAN, _BYTES_DEVIATION, _BYTES_MIN, _BYTES_MAX = 300, 60, 120, 600

_WORDS = """
the to a of and in is for we that on it with as by not be this from are when at an index or one so
was but after only must no all can its then into before each than if which test has query error
file because store more while still every new two out data first same never table now read write
key user time server client service cache failed change build request version release call where
value list code path log set run state name page default message column queue process write field
commit result type size line module config update session token host retry timeout limit event lock
database migration schema connection transaction record row memory disk network worker thread
handler parser response header payload endpoint deploy branch merge review issue fix bug decision
chose replace keep remove add move split join rename document measure profile latency throughput
median budget baseline regression flaky stable strict loose early late slow fast cheap costly small
large empty full partial broken safe durable idempotent concurrent atomic lazy eager local remote
upstream downstream nightly weekly staging production incident alert dashboard metric trace span
sample batch stream buffer window cursor offset partition replica leader follower quorum snapshot
restore backup rollback rollout feature flag toggle canary container image registry volume mount
cluster node pod ingress proxy gateway router firewall certificate secret credential password hash
signature digest checksum encoding unicode locale timezone calendar schedule cron job pipeline stage
step artifact dependency package wheel lockfile resolver compiler linter formatter analyser coverage
fixture mock assertion property generator shrink seed simulation fault crash kill signal exit status
descriptor socket pipe stdin stdout terminal prompt argument option alias command shell script hook
plugin adapter driver engine planner optimiser statistics histogram cardinality predicate filter
projection aggregate subquery view trigger constraint foreign unique nullable vacuum checkpoint
journal page overflow fragment compaction tombstone retention archive purge audit compliance privacy
consent region quota billing invoice customer tenant account role permission scope grant revoke
login logout oauth callback redirect cookie csrf cors tls handshake cipher expiry rotation renewal
backoff jitter circuit breaker bulkhead throttle rate limiter fairness starvation deadlock livelock
contention mutex semaphore barrier fence ordering causality clock skew drift epoch lease heartbeat
gossip broadcast multicast unicast topology discovery bootstrap membership consensus ballot proposal
mobile desktop browser layout render component widget theme colour font icon accessibility keyboard
gesture animation scroll viewport locale translation plural currency rounding precision decimal
invariant hypothesis experiment notebook dataset label feature embedding tokenizer vocabulary corpus
stemming ranking recall precision benchmark warmup outlier percentile variance spread noise floor
""".split()

_VERBS = (
    "parse load flush fetch build check merge apply close open read write send drop find make seal "
    "fold rank split chain hash scan trim wrap sort"
).split()
_NOUNS = (
    "header token cursor batch record index frame queue event chunk branch tip page row key body "
    "field path name user session cache buffer config state clock order view log"
).split()
_FOLDERS = ("src", "lib", "tests", "internal", "cmd", "docs", "scripts", "web/app", "api/v2")
_SUFFIXES = ("py", "rs", "go", "ts", "sql", "md", "toml", "yaml")

_JA_NOUNS = (
    "データベース 索引 検索 設定 認証 接続 通信 複製 履歴 記憶 会議 顧客 請求 証明書 暗号鍵 遅延 "
    "負荷 監視 障害 復旧 移行 試験 性能 容量 端末 画面 翻訳 文字列 時刻 順序 競合 同期 保存 削除 "
    "更新 トランザクション キャッシュ サーバー ログ バックアップ 手順書 依存関係 設計書 仕様 利用者"
).split()
_JA_PARTICLES = ("の", "を", "が", "に", "は", "と", "で", "から")
_JA_ENDINGS = (
    "変更した。 見直す必要がある。 採用することに決めた。 原因だった。 修正済み。 確認した。 "
    "次の版で廃止する。 東京の会議で合意した。 測定したところ速くなった。 再現しない。"
).split()

_PROJECTS = tuple(f"{name}-{part}" for name in ("atlas", "billing", "mobile") for part in "abcd")
_TYPES = ("note", "note", "note", "decision", "bug", "pattern", "config", "summary")

_WORD_WEIGHTS = tuple(accumulate(1 / (rank + 2) for rank in range(len(_WORDS))))


class Item(TypedDict):
    """The fields of one observation, as ``save`` and ``save_many`` take them."""

    content: str
    project: str
    tags: list[str]
    memory_type: str
    importance: int


def item(index: int) -> Item:
    """Make the observation with this number."""
    rng = random.Random(SEED * 1_000_003 + index)
    content = _japanese(rng) if index % JAPANESE_EVERY == 0 else _english(rng)
    if index % 1_000 == 7 and index < 10_000:
        content = f"{RARE_WORD} {content}"
    return {
        "content": content,
        "project": rng.choice(_PROJECTS),
        "tags": rng.sample(_NOUNS, rng.randrange(3)),
        "memory_type": rng.choice(_TYPES),
        "importance": rng.choice((1, 2, 2, 2, 3, 4, 5)),
    }


def items(start: int, count: int) -> Iterator[Item]:
    """Make the observations ``start`` to ``start + count - 1``."""
    return (item(index) for index in range(start, start + count))


def content_bytes_mean(count: int) -> float:
    """Return the mean length of the first ``count`` contents, in bytes of UTF-8."""
    return sum(len(each["content"].encode()) for each in items(0, count)) / count


def _length(rng: random.Random) -> int:
    drawn = round(rng.gauss(_BYTES_MEAN, _BYTES_DEVIATION))
    return min(max(drawn, _BYTES_MIN), _BYTES_MAX)


def _english(rng: random.Random) -> str:
    length = _length(rng)
    words = rng.choices(_WORDS, cum_weights=_WORD_WEIGHTS, k=length // 5)
    for position in range(9, len(words), 11):
        words[position] = _identifier(rng)
    words[0] = words[0].capitalize()
    return " ".join(words)[:length].rstrip() + "."


def _identifier(rng: random.Random) -> str:
    verb, noun = rng.choice(_VERBS), rng.choice(_NOUNS)
    shapes = (
        f"{verb}_{noun}",
        f"{verb.capitalize()}{noun.capitalize()}",
        f"{rng.choice(_FOLDERS)}/{verb}/{noun}.{rng.choice(_SUFFIXES)}",
        f"#{rng.randrange(1, 9_999)}",
        f"v{rng.randrange(9)}.{rng.randrange(40)}.{rng.randrange(20)}",
    )
    return rng.choice(shapes)


def _japanese(rng: random.Random) -> str:
    length, parts, size = _length(rng), [], 0
    while size < length:
        sentence = "".join(
            rng.choice(_JA_NOUNS) + rng.choice(_JA_PARTICLES) for _ in range(rng.randrange(2, 5))
        ) + rng.choice(_JA_ENDINGS)
        parts.append(sentence)
        size += len(sentence.encode())
    return "".join(parts)
