"""What stands where a secret would, and is none: ``<token>``, ``${TOKEN}``, ``xxxx``, ``EXAMPLE``.

And how far a word looks as if it had been drawn by chance, which no word of a language does.
"""

from __future__ import annotations

import re
from typing import Final

# Long enough that chance does not write them into a token of 200 letters.
_SAID: Final = (
    "example",
    "placeholder",
    "redacted",
    "changeme",
    "change-me",
    "change_me",
    "sample",
    "xxxxxxxx",
    "********",
    "...",
    "…",
    "123456789",
    "abcdefghij",
)
_SAID_FIRST: Final = re.compile(r"(?:^|[_.-])(?:your|fake|dummy|xxxx)")
# A variable of a shell, a template or a program; a call; a path or an address; a date.
_STANDS_FOR_ANOTHER: Final = re.compile(
    r"""[<\[{] | \$[({] | \$[A-Za-z_]\w*$ | %[(\w)]*[sdr%]?$ | @[A-Z_]+@$ | :\w+$ | \?$
    | [A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*[(\[{]
    | (?:os|process|env|config|settings|self|this|req|request|ctx|args|options|params|props|vars
        |secrets|data|input|form|user|res|response|var|local|module)\.[A-Za-z_]
    | (?:\.{0,2}|~)/[A-Za-z_.-]*(?:/|$) | [A-Za-z][A-Za-z0-9+.-]*:/ | \d{4}-\d\d-\d\d""",
    re.VERBOSE,
)
_NAMED_THING: Final = re.compile(
    r"(?i)(?:argon2|bcrypt|scrypt|pbkdf2|sha-?\d|md5|base\d\d|utf-?\d|oauth|ipv\d|https?\d|tls|ssl"
    r"|ed25519|x25519|aes|hmac|[hrep]s\d\d\d|u?int\d|float\d|v\d|py(?:thon)?\d|rfc|iso\d|pep|cve"
    r"|adr|issue|step|phase|level|node\d|win\d|krb5|k8s|s3$|x509|pkcs|[a-z]{1,4}\d+$)"
)
_JUDGED_MAX: Final = 128  # characters: what goes on longer is not told by more of it
_JOINING: Final = re.compile(r"[^A-Za-z0-9]+")
_CHANGE: Final = re.compile(r"(?<=[0-9])[A-Za-z]|(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]")
_DIGIT: Final = re.compile(r"\d")
_LETTER: Final = re.compile(r"[^\W\d_]")
_ODD: Final = re.compile(r"\d|[^\w\s.:,/=-]")  # a digit, or what no name is joined by
_DISTINCT_MIN: Final = 4
_LONG: Final = 16
_LONG_DISTINCT_MIN: Final = 6
_CHANGES_MIN: Final = 0.2
_WILD_CHANGES_MIN: Final = 0.4
_WILD_LENGTH_MIN: Final = 8


def is_placeholder(value: str) -> bool:
    """Whether a value only says that a secret belongs here."""
    lowered = value[:_JUDGED_MAX].lower()
    if any(word in lowered for word in _SAID) or _SAID_FIRST.search(lowered):
        return True
    distinct = len(set(lowered))
    if distinct < (_LONG_DISTINCT_MIN if len(lowered) >= _LONG else _DISTINCT_MIN):
        return True
    return _STANDS_FOR_ANOTHER.match(value) is not None


def is_named_thing(value: str) -> bool:
    """Whether a short word with a digit is the name of something: ``argon2id``, ``sha256``."""
    return (value.islower() or value.isupper()) and _NAMED_THING.match(value) is not None


def changes(value: str) -> float:
    """Give the share of its letters and digits that are of another kind than the one before.

    Small in words and names, whatever joins them; 0.3 and more in what was drawn by chance.
    """
    joined = _JOINING.sub("", value[:_JUDGED_MAX])
    return len(_CHANGE.findall(joined)) / (len(joined) - 1) if len(joined) > 1 else 0.0


def looks_random(value: str) -> bool:
    """Whether a long value has letters and digits as chance mixes them."""
    if _DIGIT.search(value) and _LETTER.search(value):
        return changes(value) >= _CHANGES_MIN
    return _is_wild(value)


def is_drawn(value: str) -> bool:
    """Whether what follows a mark is no name: it has digits among its letters, or is wild."""
    share = changes(value)
    return share >= (_CHANGES_MIN if _DIGIT.search(value) else _WILD_CHANGES_MIN)


def looks_like_a_password(value: str) -> bool:
    """Whether a value that is called a password can be one, and no word of a sentence."""
    if _LETTER.search(value) and _ODD.search(value):
        return not is_named_thing(value)
    return len(value) >= _WILD_LENGTH_MIN and _is_wild(value)


def _is_wild(value: str) -> bool:
    """Whether letters alone are small and large in no order that names have."""
    is_of_one_case = value.islower() or value.isupper()
    return not is_of_one_case and changes(value) >= _WILD_CHANGES_MIN
