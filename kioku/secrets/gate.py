"""Whether a body may hold a credential or a private part at all: one look at its bytes.

Almost no text does, and every save pays for the look. So this asks only what every find has in
common, over all fields at once: a long run of what tokens are made of, or one of the words that
stand in front of a secret, with a sign behind it. What the gate stops, nobody looks at more
closely; what it lets through costs the exact look, some 10 to 50 µs (docs/adr/0092).

Cost: 4 µs for 300 bytes. Substrings are looked for one by one, and runs by translating each byte
to its class: a regular expression for the same takes ten times as long.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

ALLOW: Final = "allow"
"""The policy under which nothing is looked for but private parts."""

PRIVATE_TEXT: Final = "private text"
"""What a private part is called among what was taken out."""

RUN_MIN: Final = 20
"""Of token letters: no format that ``formats`` knows has a shorter run of them."""

_TOKEN: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
_CLASSES: Final = bytes(byte in _TOKEN for byte in range(256))
_RUN: Final = b"\x01" * RUN_MIN
STEMS: Final = ("pass", "pw", "secret", "token", "key", "bearer", "authorization")
"""What the name of a secret holds, in lower case."""
CJK_STEMS: Final = (
    *("パスワード", "パスフレーズ", "暗証番号", "トークン", "シークレット", "秘密鍵", "キー"),
    *("密码", "密碼", "密钥", "密鑰", "비밀번호"),
)
"""The same in Japanese, Chinese and Korean."""

_PRIVATE: Final = b"<private"
# As they stand in bytes that are read as if they were Latin-1, in which Python searches fastest.
_CJK: Final = tuple(stem.encode().decode("latin-1") for stem in CJK_STEMS)

# Compiled when the first is needed: most commands end before, and compiling takes 2 ms of their 60.


@cache
def _runs() -> re.Pattern[bytes]:
    return re.compile(rb"[A-Za-z0-9_.-]{%d,}" % RUN_MIN)


@cache
def _plain() -> re.Pattern[bytes]:
    """Names of programs, in small or in large letters; ids, digests, UUIDs: no credential is."""
    return re.compile(
        rb"[a-z_.-]+|[A-Z]+(?:[_.-][A-Z]+)+|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}"
        rb"|(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
        rb"|[.-]*[A-Za-z0-9]{0,9}[.-]*"
    )


@cache
def _signed() -> re.Pattern[str]:
    """What follows a stem where a value may follow.

    After "is", no word of small letters alone is one; after nothing but a space, nothing short is.
    """
    return re.compile(
        r"""(?x)
        (?i: word | wort | wd | d | e | phrase | code | [_ -]?(?:key|token|value|id|base) )?
        (?i: [s\d] )? [\\"'`*)\]]{0,6}
        (?: \s{0,3} (?: [:=>|("'`\x80-\xff] | -> )
            | \s{1,3} (?: is | was | to ) (?: [:=] | \s (?! (?!now\s|set\s) [a-z]+ [ \t\r\n] ) )
            | \s{1,3} (?=\S{6}) [A-Za-z]* [^\sA-Za-z,.;:)] )"""
    )


class Look(NamedTuple):
    """What may be there: each False is certain, each True is not."""

    has_private: bool
    has_run: bool
    has_name: bool


_NOTHING: Final = Look(False, False, False)


def must_screen(body: bytes, policy: str) -> bool:
    """Whether a body may have anything that the policy takes out: False is certain."""
    if policy == ALLOW:
        return b"<" in body and _PRIVATE in body.lower()
    return look(body) is not _NOTHING


def look(body: bytes) -> Look:
    """Say what a body may have."""
    lowered = body.lower()
    has_run = _RUN in body.translate(_CLASSES) and not all(
        map(_plain().fullmatch, _runs().findall(body))
    )
    has_name = _has_name(body, lowered.decode("latin-1"))
    has_private = b"<" in body and _PRIVATE in lowered
    if has_run or has_name or has_private:
        return Look(has_private, has_run, has_name)
    return _NOTHING


def _has_name(body: bytes, lowered: str) -> bool:
    """Whether a word that names secrets stands there with a sign, or an address with a name."""
    text = ""
    for stem in STEMS:
        start = lowered.find(stem)
        while start >= 0:
            start += len(stem)
            text = text or body.decode("latin-1")
            if _signed().match(text, start):
                return True
            start = lowered.find(stem, start)
    if "@" in lowered and "://" in lowered:
        return True
    return not lowered.isascii() and any(stem in lowered for stem in _CJK)
