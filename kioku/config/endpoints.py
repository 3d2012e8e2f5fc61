"""Addresses of hubs: what a person types, checked where it comes in and written one way.

``192.168.1.5``, ``192.168.1.5:7447``, ``tcp/192.168.1.5:7447``, a name, ``::1`` and ``[::1]:7447``
are all read; below here an endpoint is ``tcp/HOST:PORT`` and nothing else, for a ``#`` or ``?`` in
one would be configuration to Zenoh.
"""

from __future__ import annotations

from typing import Final, NamedTuple

PORT: Final = 7447
PORT_MAX: Final = 65_535
NAME_LENGTH_MAX: Final = 253  # characters of a host's name (RFC 1123)
_LABEL_LENGTH_MAX: Final = 63
_LABEL: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_WRITE: Final = "write an address, ADDRESS:PORT or tcp/ADDRESS:PORT"


class Endpoint(NamedTuple):
    """Where a hub listens, or is reached: an address or a name, and a port; TCP is all there is."""

    host: str
    port: int = PORT

    @property
    def text(self) -> str:
        """The one way in which it is written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp/{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine reaches it; a name that is not known to be so is not."""
        from ipaddress import ip_address

        if self.host == "localhost":
            return True
        return _is_address(self.host) and ip_address(self.host).is_loopback

    @property
    def is_every_address(self) -> bool:
        """Whether it stands for all addresses of a machine, so that one can only listen there."""
        from ipaddress import ip_address

        return _is_address(self.host) and ip_address(self.host).is_unspecified


def parse_endpoint(text: str) -> Endpoint:
    """Read an endpoint.

    Raises:
        ValueError: it is none; the message says why, and how one is written.
    """
    protocol, slash, rest = text.strip().rpartition("/")
    if slash and protocol.lower() != "tcp":
        raise ValueError(f"is not reached by tcp, which is all there is; {_WRITE}")
    host, port = _parted(rest)
    return Endpoint(_host(host), PORT if port is None else _port(port))


def _parted(rest: str) -> tuple[str, str | None]:
    """An address and the port behind it, None if there is none."""
    if rest.startswith("["):
        host, bracket, behind = rest[1:].partition("]")
        if not bracket or (behind and behind[0] != ":"):
            raise ValueError(f"has a bracket that is not closed before its port; {_WRITE}")
        if ":" not in host:
            raise ValueError("has brackets around what is no IPv6 address; leave them out")
        return host, behind[1:] if behind else None
    if rest.count(":") > 1:  # an IPv6 address without a port
        return rest, None
    host, colon, port = rest.partition(":")
    return host, port if colon else None


def _host(host: str) -> str:
    name = host.lower()
    if "%" in name:
        raise ValueError("names an interface behind %; use an address that needs none")
    if _is_address(name):
        from ipaddress import ip_address

        return str(ip_address(name))
    if ":" in name or not name.strip("0123456789."):
        raise ValueError(f"is no address; {_WRITE}")
    labels = name.removesuffix(".").split(".")
    if len(name) > NAME_LENGTH_MAX or not all(map(_is_label, labels)):
        raise ValueError(f"is neither an address nor a host's name; {_WRITE}")
    return name.removesuffix(".")


def _is_address(host: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_label(label: str) -> bool:
    is_edge_plain = label[:1] != "-" and label[-1:] != "-"
    return 1 <= len(label) <= _LABEL_LENGTH_MAX and set(label) <= _LABEL and is_edge_plain


def _port(digits: str) -> int:
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= len(str(PORT_MAX))
    if not is_number or not 1 <= int(digits) <= PORT_MAX:
        raise ValueError(f"has a port that is not a number from 1 to {PORT_MAX}")
    return int(digits)
