"""The addresses of this machine, and asking a person for one of them or for a hub's."""

from __future__ import annotations

import os
import socket
import struct
import sys
from contextlib import suppress
from ipaddress import ip_address
from typing import Final, NamedTuple

from kioku.cli import render
from kioku.config.endpoints import parse_endpoint

LOOPBACK: Final = "127.0.0.1"
EVERY: Final = "0.0.0.0"  # noqa: S104 - offered to a person, who is told what it means
_ASKED_MAX: Final = 3  # times; a person who mistypes more has given up
_SIOCGIFCONF: Final = 0x8912  # linux/sockios.h: all IPv4 addresses
_INTERFACES_MAX: Final = 256
_IFREQ: Final = struct.Struct("16s4x4s8x") if sys.maxsize < 2**32 else struct.Struct("16s4x4s16x")
_IPV6_TABLE: Final = "/proc/net/if_inet6"


class Address(NamedTuple):
    """One address, and what a person may know it by."""

    text: str
    meaning: str


def addresses_here() -> list[Address]:
    """The addresses that a hub may listen on: loopback, each of the machine's, all of them."""
    found = [*_ipv4(), *_ipv6()] or _by_name()
    others = [one for one in found if not _is_idle(one.text)]
    distinct = list({one.text: one for one in others}.values())
    return [
        Address(LOOPBACK, "only this machine"),
        *distinct,
        Address(EVERY, "every address of this machine"),
    ]


def _is_idle(text: str) -> bool:
    """Whether others cannot dial it: loopback, or of one link alone."""
    address = ip_address(text)
    return address.is_loopback or address.is_link_local


def _ipv4() -> list[Address]:
    if not sys.platform.startswith("linux"):
        return []
    import fcntl
    from array import array

    buffer = array("B", bytes(_IFREQ.size * _INTERFACES_MAX))
    start, size = buffer.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = struct.pack("iL", size, start)
        try:
            filled = struct.unpack("iL", fcntl.ioctl(probe.fileno(), _SIOCGIFCONF, asked))[0]
        except OSError:
            return []
    rows = _IFREQ.iter_unpack(buffer.tobytes()[: filled - filled % _IFREQ.size])
    return [
        Address(socket.inet_ntoa(address), name.split(b"\0")[0].decode("ascii", "replace"))
        for name, address in rows
    ]


def _ipv6() -> list[Address]:
    try:
        with open(_IPV6_TABLE, encoding="ascii") as table:
            rows = [line.split() for line in table]
    except OSError:
        return []
    return [Address(str(ip_address(bytes.fromhex(row[0]))), row[5]) for row in rows if len(row) > 5]


def _by_name() -> list[Address]:
    """What the machine's own name means, where the system does not tell its interfaces."""
    name = os.uname().nodename if hasattr(os, "uname") else socket.gethostname()
    with suppress(OSError, UnicodeError):
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        return [Address(str(row[4][0]), name) for row in rows if "%" not in str(row[4][0])]
    return []


def ask_where_to_listen() -> str | None:
    """Let a person choose where a hub listens; None if nobody answers."""
    offered = addresses_here()
    width = max(len(one.text) for one in offered)
    render.note("Where does this hub listen?")
    for number, one in enumerate(offered, 1):
        render.note(f"{number:>3}  {one.text:<{width}}  {one.meaning}")
    return _ask("number or address [1]: ", [one.text for one in offered], default=LOOPBACK)


def ask_for_hub() -> str | None:
    """Let a person say where the hub is; None if nobody answers."""
    return _ask("The hub's address: ", [])


def ask_for_space(names: list[str]) -> str | None:
    """Let a person choose one of a hub's spaces; None if nobody answers."""
    render.note("The hub has several spaces:")
    for number, name in enumerate(names, 1):
        render.note(f"{number:>3}  {name}")
    for _ in range(_ASKED_MAX):
        answer = render.reply("number or name: ")
        if answer is None:
            return None
        if chosen := _chosen(answer, names):
            return chosen
        if answer in names:
            return answer
        render.note("that is none of them")
    return None


def _ask(question: str, offered: list[str], *, default: str = "") -> str | None:
    for _ in range(_ASKED_MAX):
        answer = render.reply(question)
        if answer is None:
            return None
        answer = _chosen(answer, offered) or answer or default
        try:
            return parse_endpoint(answer).text
        except ValueError as error:
            render.note(f"{answer or 'nothing'} {error if answer else 'is no address'}")
    return None


def _chosen(answer: str, offered: list[str]) -> str:
    """What a number stands for; ``""`` if it stands for nothing."""
    is_number = answer.isascii() and answer.isdecimal() and len(answer) < 4
    if is_number and 1 <= int(answer) <= len(offered):
        return offered[int(answer) - 1]
    return ""
