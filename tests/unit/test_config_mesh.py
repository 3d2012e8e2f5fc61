"""``mode``, ``[mesh]`` and ``[zenoh]``: what is read, what is refused, and what no save sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.config import load_settings
from kioku.config.endpoints import PORT, Endpoint, parse_endpoint
from kioku.config.explanation import explain
from kioku.config.mesh import (
    DEFAULT_LISTEN,
    MACHINE_LENGTH_MAX,
    MeshArguments,
    MeshConfig,
    load_mesh,
    machine_name,
)
from kioku.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

HUB = 'mode = "hub"\n[mesh]\n'
SPOKE = 'mode = "spoke"\n[mesh]\nconnect = "192.0.2.1"\n'


class File:
    """A config file, and what is decided by it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ = {"HOME": "/h", "KIOKU_CONFIG": str(path)}

    def load(self, text: str, **arguments: object) -> MeshConfig:
        self.path.write_text(text)
        return load_mesh(self.environ, MeshArguments(**arguments))  # type: ignore[arg-type]

    def refusal(self, text: str, **arguments: object) -> str:
        with pytest.raises(ConfigError) as caught:
            self.load(text, **arguments)
        assert str(caught.value).isprintable()
        return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "config.toml")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("192.0.2.1", "tcp/192.0.2.1:7447"),
        (" 192.0.2.1 ", "tcp/192.0.2.1:7447"),
        ("192.0.2.1:80", "tcp/192.0.2.1:80"),
        ("tcp/192.0.2.1:65535", "tcp/192.0.2.1:65535"),
        ("TCP/192.0.2.1", "tcp/192.0.2.1:7447"),
        ("::1", "tcp/[::1]:7447"),
        ("2001:DB8::0:1", "tcp/[2001:db8::1]:7447"),
        ("[::1]", "tcp/[::1]:7447"),
        ("tcp/[2001:db8::1]:80", "tcp/[2001:db8::1]:80"),
        ("localhost", "tcp/localhost:7447"),
        ("Hub-1.Example.ORG.:7448", "tcp/hub-1.example.org:7448"),
        ("my_host", "tcp/my_host:7447"),
        ("0.0.0.0", "tcp/0.0.0.0:7447"),
    ],
)
def test_an_endpoint_has_one_form_however_it_is_typed(typed: str, expected: str) -> None:
    assert parse_endpoint(typed).text == expected
    assert parse_endpoint(expected).text == expected


@pytest.mark.parametrize(
    "typed",
    [
        *("", ":", "tcp/", "[", "[]", "[::1", "[::1]7447", "[192.0.2.1]", ":7447", "/"),
        *("192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:٣", "a:1_0"),
        *("192.0.2", "192.0.2.256", "1", "1:2", "::g", "fe80::1%eth0", "1::2::3", "::1:99999"),
        *(
            "a b",
            "a?x=1",
            "a#iface=eth0",
            "a;b",
            "-a",
            "a-",
            "a..b",
            "é",
            "x" * 64,
            "a." * 127 + "a",
        ),
        *("udp/192.0.2.1", "tls/a:1", "tcp/tcp/a", "http://a", "tcp//a", "a\n", "a\x1b", "*", "$x"),
    ],
)
def test_what_is_no_endpoint_is_refused(typed: str) -> None:
    if typed == "a\n":  # spaces at the ends are nobody's meaning
        assert parse_endpoint(typed).host == "a"
        return
    with pytest.raises(ValueError, match=r"."):
        parse_endpoint(typed)


@given(st.text(max_size=20))
def test_no_text_becomes_an_endpoint_that_says_more_to_zenoh(text: str) -> None:
    try:
        endpoint = parse_endpoint(text)
    except ValueError:
        return
    assert not set("?#/;=% ") & set(endpoint.host)
    assert endpoint.host.isascii()
    assert parse_endpoint(endpoint.text) == endpoint


@given(st.ip_addresses(), st.integers(1, 65_535))
def test_every_address_and_port_can_be_written(address: object, port: int) -> None:
    if "%" in str(address):
        return
    endpoint = Endpoint(str(address), port)
    assert parse_endpoint(endpoint.text) == endpoint
    assert parse_endpoint(endpoint.text.removeprefix("tcp/")) == endpoint
    assert parse_endpoint(str(address)) == endpoint._replace(port=PORT)


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "192.168.0.1", "10.0.0.1", "hub", "fe80::1")),
        ("localhost.example.org", False),
        ("::ffff:192.0.2.1", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, is_loopback: bool) -> None:
    assert Endpoint(host).is_loopback is is_loopback


def test_without_a_file_a_machine_takes_no_part(file: File) -> None:
    config = load_mesh({"HOME": "/h", "KIOKU_CONFIG": "/nowhere/config.toml"})
    assert (config.mode, config.listen, config.connect) == ("local", (), ())
    assert set(config.sources.values()) == {"default"}


def test_a_hub_listens_where_it_is_told_and_else_on_loopback(file: File) -> None:
    assert file.load(HUB).listen == (DEFAULT_LISTEN,)
    config = file.load(HUB + 'listen = ["127.0.0.1:7448", "::1"]\nconnect = "192.0.2.9"')
    assert config.listen == ("tcp/127.0.0.1:7448", "tcp/[::1]:7447")
    assert config.connect == ("tcp/192.0.2.9:7447",)
    assert config.sources["listen"] == f"config file {file.path}"
    assert config.exposed == ()


def test_a_spoke_dials_its_hubs_in_order(file: File) -> None:
    config = file.load(SPOKE.replace('"192.0.2.1"', '["b", "a", "b"]'))
    assert config.connect == ("tcp/b:7447", "tcp/a:7447")
    assert config.listen == ()


def test_the_command_line_overrules_the_file(file: File) -> None:
    config = file.load(
        HUB + 'listen = "127.0.0.1:1"\nspaces = ["a"]', listen=["127.0.0.1:2"], spaces=["b", "c"]
    )
    assert config.listen == ("tcp/127.0.0.1:2",)
    assert config.spaces == ("b", "c")
    assert config.sources["listen"] == "argument"
    config = file.load(HUB, mode="spoke", connect=["192.0.2.1"])
    assert (config.mode, config.listen) == ("spoke", ())


def test_what_a_hub_listens_on_in_the_file_is_nothing_to_a_spoke(file: File) -> None:
    config = file.load(HUB + 'listen = "0.0.0.0"', mode="spoke", connect=["192.0.2.1"])
    assert config.listen == ()


@pytest.mark.parametrize("endpoint", ["0.0.0.0", "192.168.0.1:7447", "::", "hub.example.org"])
def test_failure_12_beyond_loopback_nobody_listens_unless_that_was_accepted(
    file: File, endpoint: str
) -> None:
    text = HUB + f'listen = ["127.0.0.1", "{endpoint}"]\n'
    said = file.refusal(text)
    assert "--insecure" in said
    assert "read and change the whole memory" in said
    assert file.refusal(HUB, listen=[endpoint]).startswith("tcp/")
    config = file.load(text + "insecure = true")
    assert config.exposed == (parse_endpoint(endpoint).text,)
    assert file.load(text, insecure=True).is_insecure


def test_insecure_is_accepted_in_every_mode(file: File) -> None:
    for text in ("[mesh]\n", HUB, SPOKE):
        assert file.load(text + "insecure = true").is_insecure


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('mode = "peer"', "'peer' is none of local, hub, spoke"),
        ("mesh = 3", "mesh: not a table; write [mesh]"),
        ("zenoh = []", "zenoh: not a table"),
        ("[mesh]\nlisten = 7447", "mesh.listen: is not a text, nor a list of texts"),
        ("[mesh]\nlisten = ['a', 1]", "mesh.listen: is not a text, nor a list of texts"),
        ("[mesh]\nlisten = 'a b'", "mesh.listen: 'a b' is neither an address nor a host's name"),
        ("[mesh]\nconnect = '0.0.0.0'", "mesh.connect: '0.0.0.0' is an address to listen on"),
        ("[mesh]\nconnect = '[::]:1'", "is an address to listen on"),
        ("[mesh]\nspaces = ['A B']", "mesh.spaces: 'A B' is not a space name"),
        ("[mesh]\nspaces = ['all']", "mesh.spaces: 'all' is no space of its own"),
        ("[mesh]\nmachine = 'Alice'", "mesh.machine: is not 1 to 32 of a-z, 0-9 and -"),
        ("[mesh]\nmachine = ''", "mesh.machine: is not 1 to 32"),
        (f"[mesh]\nmachine = '{'x' * 33}'", "mesh.machine: is not 1 to 32"),
        ("[mesh]\nmachine = 7", "mesh.machine: is not 1 to 32"),
        ("[mesh]\ninsecure = 'yes'", "mesh.insecure: is neither true nor false"),
        ("[mesh]\nlissten = 'a'", "mesh.lissten: is unknown"),
        ('[mesh]\n"\\u001b[2J" = 1', "is unknown"),
        ("[zenoh]\nscouting = 2026-01-01", "zenoh.scouting: is nothing that Zenoh can be told"),
        ("[zenoh]\nlisten = 1", "[zenoh] listen cannot be set: say listen in [mesh]; take it out"),
        ("[zenoh.scouting.multicast]\nenabled = true", "scouting.multicast.enabled cannot be set"),
        ("[zenoh]\na = [nan]", "zenoh.a: is nothing that Zenoh can be told"),
        ("[zenoh]\na = " + "[" * 20 + "]" * 20, "zenoh.a: is nothing"),
        ('mode = "spoke"', "a spoke needs the address of its hub: --connect ADDRESS"),
        (HUB + "connect = '127.0.0.1'", "tcp/127.0.0.1:7447 is this hub itself"),
        (HUB + "spaces = ['private']", "the space private is never shared"),
        (HUB + f"listen = {[f'127.0.0.1:{n}' for n in range(1, 18)]}", "17 values; 16 are"),
    ],
)
def test_what_cannot_be_used_is_named_by_where_it_stands(file: File, text: str, said: str) -> None:
    whole = file.refusal(text)
    assert said in whole
    if "--connect" not in said:
        assert str(file.path) in whole


def test_what_the_command_line_overrules_is_still_told_of(file: File) -> None:
    assert "mesh.listen" in file.refusal(HUB + "listen = 'a b'", listen=["127.0.0.1"])


@pytest.mark.parametrize("name", ["listen", "connect", "spaces"])
def test_a_bad_argument_is_named_as_it_was_typed(file: File, name: str) -> None:
    said = file.refusal(HUB, **{name: ["a b"]})
    assert said.startswith(f"--{name.replace('spaces', 'space')}: 'a b' ")


def test_a_save_passes_over_the_tables_unread(file: File) -> None:
    file.path.write_text('space = "work"\nmode = "spoke"\n[mesh]\nlisten = 7\n[zenoh]\na = nan\n')
    settings = load_settings(file.environ)
    assert (settings.space, settings.mode) == ("work", "spoke")


def test_what_is_passed_on_to_zenoh_is_as_it_stands(file: File) -> None:
    text = HUB + "[zenoh.transport.link.tx]\nlease = 2000\n[zenoh.x]\ny = [1, 1.5, true, 'z']"
    assert file.load(text).zenoh == {
        "transport": {"link": {"tx": {"lease": 2000}}},
        "x": {"y": [1, 1.5, True, "z"]},
    }


@pytest.mark.parametrize(
    ("pc_id", "name"),
    [
        ("laptop", "laptop"),
        ("Ada's MacBook.local", "ada-s-macbook-local"),
        ("山田", "machine"),
        ("", "machine"),
        ("-", "machine"),
        ("x" * 31 + "-y", "x" * 31),
        ("x" * 99, "x" * MACHINE_LENGTH_MAX),
    ],
)
def test_a_machine_is_named_after_what_its_saves_are_known_by(pc_id: str, name: str) -> None:
    assert machine_name(pc_id) == name


def test_the_machine_of_the_file_is_taken_and_else_made_from_pc_id(file: File) -> None:
    assert file.load('pc_id = "Host.A"').machine == "host-a"
    assert file.load('pc_id = "Host.A"\n[mesh]\nmachine = "alice"').machine == "alice"


def test_an_explanation_shows_the_mesh_where_anything_is_said_of_it(file: File) -> None:
    file.path.write_text('space = "work"')
    assert not [line for line in explain(file.environ) if line.name.startswith("mesh")]
    file.path.write_text(HUB + 'listen = "127.0.0.1"\n[zenoh]\nsecret = "s3cret"\n')
    shown = {line.name: line for line in explain(file.environ)}
    assert shown["mode"].value == "hub"
    assert shown["mesh.listen"].value == "tcp/127.0.0.1:7447"
    assert shown["mesh.listen"].source == f"config file {file.path}"
    assert shown["mesh.insecure"].value is False
    assert shown["zenoh"].value == "secret"
    assert "s3cret" not in str(shown)


def test_an_explanation_shows_what_is_wrong_beside_what_is_right(file: File) -> None:
    file.path.write_text(HUB + 'listen = "a b"\nspaces = ["work"]\nx = 1')
    shown = {line.name: line for line in explain(file.environ)}
    assert "neither an address nor a host's name" in shown["mesh.listen"].problem
    assert shown["mesh.spaces"].value == "work"
    assert "is unknown" in shown["mesh.x"].problem
