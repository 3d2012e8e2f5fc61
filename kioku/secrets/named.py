"""Secrets that only their name tells: ``password = …``, ``"api_key": "…"``, ``Bearer …``,
``scheme://user:secret@host``.

What follows such a name is mostly no secret but a word of a sentence, a variable or a type. So a
value counts only if nothing says that it stands for another, and the less the name and the sign
between them say, the more it must look as if chance had made it:

    a password         6 characters, letters and a digit or a symbol
    a key or secret    10 characters, letters and digits mixed
    a token            16 characters, mixed, and no number of hexadecimal digits

after ``=``, ``:``, ``is``, ``は`` or within quotes; after nothing but a space only if no language
has such a word. Each place where a name may stand is looked at once, over a bounded length.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from typing import TYPE_CHECKING, Final

from kioku.secrets.gate import CJK_STEMS, STEMS
from kioku.secrets.placeholders import changes, is_placeholder, looks_like_a_password, looks_random

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD: Final = "password"  # noqa: S105 - what it is called
SECRET: Final = "secret"  # noqa: S105
TOKEN: Final = "token"  # noqa: S105
BEARER: Final = "bearer token"
IN_URL: Final = "password in an address"

_VALUE_MAX: Final = 256
_NAME: Final = re.compile(
    r"""(?xi)
    (?P<password> pass(?:word|wort|wd|e|phrase|code)(?:s|\d)?
        | (?<![a-z])(?:pass|pw)(?=["']?\s?[=:]) | pwd
        | パスワード | パスフレーズ | 暗証番号 | 密码 | 密碼 | 비밀번호 )
    | (?P<secret> secret(?:[_ -]?(?:access[_ -]?)?(?:key(?:_base)?|token|value|id))?s? | key
        | シークレット | 秘密鍵 | キー | 密钥 | 密鑰 )
    | (?P<token> token | トークン )
    """
)
# What makes a key a secret one; nothing else that is called a key is any, and of what is called a
# token and may be a hash nothing either.
_QUALIFIERS: Final = re.compile(
    r"(?i)(?:api|access|secret|private|signing|encryption|auth|account|master|shared|service"
    r"|license|subscription|app|client|webhook|アクセス|シークレット|秘密)[_ -]?$"
)
_QUALIFIER_MAX: Final = 14
_ANY_KEYS: Final = ("key", "キー")
_SIGN: Final = re.compile(
    r"""(?x)
    (?:\\?["'`*\])]){0,3}
    (?: (?P<strong> \s{0,3}
            (?: :\s?[A-Za-z][\w\[\]|.\ ]{0,20}=(?=\ ?["'\w]) | => | -> | \u2192 | :=
                | ==(?!\s?[A-Za-z]+(?:_[A-Za-z0-9]+)+) | =(?!=) | [:\uff1a\uff1d|>] ) )
        | (?P<weak> \s{1,3}(?:is|was|to)(?:\s(?:now|set\sto))?(?=[\s:=]):? | \s{0,2}[はがを]
            | (?=\s?["'`「]) | (?=\() )
        | (?P<space> (?=\s) ) )
    \*{0,2}\(?\s{0,8}
    """
)
_VALUE: Final = re.compile(
    rf"""(?x)
    \\?" (?P<double> [^"\n]{{1,{_VALUE_MAX}}} ) "
    | \\?' (?P<single> [^'\n]{{1,{_VALUE_MAX}}} ) '
    | ` (?P<back> [^`\n]{{1,{_VALUE_MAX}}} ) `
    | 「 (?P<corner> [^」\n]{{1,{_VALUE_MAX}}} ) 」
    | (?P<bare> [!#-&(-:=?-_a-~]{{4,{_VALUE_MAX}}} )
    """
)
_OPTION: Final = re.compile(r"(?:^|[\s\[\"',=`])--[A-Za-z][\w-]*$")
_OPTION_MAX: Final = 32
_ENDS: Final = re.compile(r"[&,;|\\]")  # a key, unlike a password, has none of these
_TRAILING: Final = ",.)]}:;*|?"
_PASSWORD_LENGTH_MIN: Final = 6
_SECRET_LENGTH_MIN: Final = 10
_DRAWN_LENGTH_MIN: Final = 8
_DRAWN_CHANGES_MIN: Final = 0.35
_TOKEN_LENGTH_MIN: Final = 16
_TOKEN_LETTERS: Final = re.compile(r"[\w.~+/=:%!@#$^*?-]+", re.ASCII)
# A class, as programs name it, maybe with its module: what an annotation says of a key.
_TYPE: Final = re.compile(
    r"(?=.*[a-z]{4})(?:[A-Za-z_]\w*\.)*[A-Z]*\d*(?:[A-Z][a-z]+\d*)+", re.ASCII
)
_HEX: Final = re.compile(r"[0-9a-fA-F-]+")

_BEARER: Final = re.compile(r"(?i)bearer\s{1,3}([A-Za-z0-9._~+/=-]{16,})")
_AUTHORIZATION: Final = re.compile(
    r"""(?xi) authorization \\?["'\]]{0,2} \s{0,3} [:=,] \s{0,3} \\?["']?
    (?: basic\s{1,3}(?P<basic> [A-Za-z0-9+/]{8,} ={0,2} )
        | (?:token|apikey|api-key|key)[\s=]{1,3}(?P<token> [A-Za-z0-9._~+/=-]{16,} ) )"""
)
_URL: Final = re.compile(r"""([^\s:/@"'`<>]{0,64}):([^\s/"'`<>]{1,256})@(?=[\w\[.-])""")
# What documentation writes, and what every database and every container begins with.
_USUAL: Final = frozenset(
    "password passwd pass pwd secret root admin user guest test postgres mysql redis token key "
    "none null true false".split()
)

Place = tuple[str, int, int]


def find(text: str) -> Iterator[Place]:
    """Give kind, start and end of each, not in order and maybe overlapping."""
    # Not lower(), of which some letters come out as two; this gives one for each.
    letters = text if text.isascii() else text.encode("ascii", "replace").decode("ascii")
    lowered = letters.lower()
    for stem in STEMS:
        searched = _searchers.get(stem, _named)
        yield from _each(text, lowered, stem, searched)
    for stem in CJK_STEMS:
        yield from _each(text, text, stem, _named)
    yield from _each(text, text, "://", _in_url)


def _each(text: str, searched: str, stem: str, look: object) -> Iterator[Place]:
    start = searched.find(stem)
    while start >= 0:
        found = look(text, start)  # type: ignore[operator]
        if found:
            yield found
        start = searched.find(stem, found[2] if found else start + len(stem))


def _named(text: str, start: int) -> Place | None:
    """Look at a name that may be a secret's, and at what follows."""
    name = _NAME.match(text, start)
    if name is None:
        return None
    kind = str(name.lastgroup)
    if name[0].lower() in _ANY_KEYS and not _is_qualified(text, start):
        return None
    sign = _SIGN.match(text, name.end())
    if sign is None:
        return None
    found = _valued(text, sign.end(), kind)
    if found and kind == TOKEN and _HEX.fullmatch(text[found[1] : found[2]]):
        found = found if _is_qualified(text, start) else None  # else it may be a hash
    return found if found and _is_signed(text, name, sign, found) else None


def _is_qualified(text: str, start: int) -> bool:
    """Whether what stands before a name says that it is the name of a secret."""
    return _QUALIFIERS.search(text[max(0, start - _QUALIFIER_MAX) : start]) is not None


def _is_signed(
    text: str, name: re.Match[str], sign: re.Match[str], found: tuple[str, int, int]
) -> bool:
    """Whether the sign between name and value says that they belong together."""
    _, start, end = found
    if sign[0].endswith(">") and not sign[0].endswith(("=>", "->")):
        return text.startswith("</", end)  # else it is no element, but a placeholder's end
    if sign.lastgroup != "space":
        return True
    option = text[max(0, name.start() - _OPTION_MAX) : name.end()]
    return bool(_OPTION.search(option)) or _is_drawn(text[start:end])


def _valued(text: str, start: int, kind: str) -> Place | None:
    found = _VALUE.match(text, start)
    if found is None:
        return None
    group = str(found.lastgroup)
    value = found[group]
    begin = found.start(group)
    if group == "bare" and kind != PASSWORD:
        value = _ENDS.split(value, maxsplit=1)[0]
    value = value.rstrip(_TRAILING) if group == "bare" else value.rstrip("\\")
    if not _IS_SECRET[kind](value):
        return None
    return kind, begin, begin + len(value)


def _is_password(value: str) -> bool:
    return (
        len(value) >= _PASSWORD_LENGTH_MIN
        and " " not in value
        and looks_like_a_password(value)
        and not is_placeholder(value)
    )


def _is_secret(value: str) -> bool:
    return (
        len(value) >= _SECRET_LENGTH_MIN
        and _TOKEN_LETTERS.fullmatch(value) is not None
        and looks_random(value)
        and not _TYPE.fullmatch(value)
        and not is_placeholder(value)
    )


def _is_drawn(value: str) -> bool:
    """Whether a value that nothing but a space parts from its name is of no language."""
    return (
        len(value) >= _DRAWN_LENGTH_MIN
        and changes(value) >= _DRAWN_CHANGES_MIN
        and not (value.isdigit() or _HEX.fullmatch(value))
    )


def _is_token(value: str) -> bool:
    return len(value) >= _TOKEN_LENGTH_MIN and _is_secret(value)


_IS_SECRET: Final = {PASSWORD: _is_password, SECRET: _is_secret, TOKEN: _is_token}


def _bearer(text: str, start: int) -> Place | None:
    found = _BEARER.match(text, start)
    if found is None or not _is_secret(found[1]):
        return None
    return BEARER, found.start(1), found.end(1)


def _authorization(text: str, start: int) -> Place | None:
    found = _AUTHORIZATION.match(text, start)
    if found is None:
        return None
    group = str(found.lastgroup)
    is_secret = _is_secret(found[group]) if group == "token" else _is_basic(found[group])
    return (BEARER if group == "token" else PASSWORD, *found.span(group)) if is_secret else None


def _is_basic(value: str) -> bool:
    """Whether it is a name and a password, as HTTP packs them."""
    try:
        name, sign, password = a2b_base64(value, strict_mode=True).decode().partition(":")
    except (Error, ValueError):
        return False
    return bool(sign) and name.isprintable() and not is_placeholder(password)


def _in_url(text: str, start: int) -> Place | None:
    found = _URL.match(text, start + len("://"))
    if found is None:
        return None
    name, password = found[1].lower(), found[2]
    if password.lower() in _USUAL or password.lower() == name or is_placeholder(password):
        return None
    return IN_URL, *found.span(2)


_searchers: Final = {"bearer": _bearer, "authorization": _authorization}
