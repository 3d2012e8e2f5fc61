"""``kioku init``: how a machine comes to take part, by options and by answers on a terminal."""

from __future__ import annotations

import configparser
import os
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kioku.config.mesh import load_mesh
from tests.integration.cli_process import assert_refused, done, environment, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.windows import Person

    Sit = Callable[..., Person]

# A port that nobody serves: what is asked of a hub there is refused at once.
NOBODY = "127.0.0.1:9"


def written(home: Path) -> dict[str, Any]:
    """What the config file says, which every command must be able to read."""
    path = home / "config" / "config.toml"
    done("config")
    load_mesh(environment())
    return tomllib.loads(path.read_text())


def test_a_hub_on_loopback_needs_no_more_than_where_it_listens(home: Path) -> None:
    out = done("init", "--mode", "hub", "--listen", "127.0.0.1").out.splitlines()
    assert out == [f"wrote {home}/config/config.toml", "next: kioku serve"]
    file = written(home)
    assert (file["mode"], file["space"]) == ("hub", "default")
    assert file["mesh"]["listen"] == ["tcp/127.0.0.1:7447"]
    assert file["mesh"]["insecure"] is False
    assert "spaces" not in file["mesh"]


@pytest.mark.parametrize("typed", ["192.0.2.1", "192.0.2.1:7447", "tcp/192.0.2.1:7447"])
def test_beyond_loopback_a_hub_needs_a_persons_word(home: Path, typed: str) -> None:
    refused = run("init", "--mode", "hub", "--listen", typed)
    assert_refused(refused, 2, "tcp/192.0.2.1:7447", "whole memory", "--insecure")
    assert not (home / "config").exists()
    done("init", "--mode", "hub", "--listen", typed, "--insecure")
    assert written(home)["mesh"] == {
        "listen": ["tcp/192.0.2.1:7447"],
        "insecure": True,
    }


@pytest.mark.parametrize(
    "flags", ["", "--mode localhost", "--mode spoke --connect " + NOBODY], ids=str
)
def test_insecure_is_accepted_and_recorded_in_every_mode(home: Path, flags: str) -> None:
    done("init", "--insecure", *flags.split())
    assert written(home)["mesh"]["insecure"] is True
    assert done("save", "words").out.startswith("saved: ")


def test_a_spoke_is_set_up_while_its_hub_is_down(home: Path) -> None:
    out = done("init", "--mode", "spoke", "--connect", NOBODY, "--connect", "127.0.0.1:10").out
    wrote, hub, following = out.splitlines()
    assert wrote == f"wrote {home}/config/config.toml"
    assert hub.startswith("hub tcp/127.0.0.1:9, tcp/127.0.0.1:10: no answer now; ")
    assert following == "next: kioku serve"
    file = written(home)
    assert file["mesh"]["connect"] == ["tcp/127.0.0.1:9", "tcp/127.0.0.1:10"]
    assert "listen" not in file["mesh"]
    assert "space" not in file  # the hub's is taken, whatever that is called


def test_a_named_space_is_the_one_that_is_used_and_shared(home: Path) -> None:
    done("init", "--mode", "spoke", "--connect", NOBODY, "--space", "team")
    file = written(home)
    assert (file["space"], file["mesh"]["spaces"]) == ("team", ["team"])
    assert done("status", "--json").json["space"] == "team"


def test_json_says_what_was_decided(home: Path) -> None:
    shown = done("init", "--mode", "hub", "--listen", "::1", "--connect", NOBODY, "--json").json
    assert shown == {
        "wrote": f"{home}/config/config.toml",
        "mode": "hub",
        "space": "default",
        "next": "kioku serve",
        "listen": ["tcp/[::1]:7447"],
        "connect": ["tcp/127.0.0.1:9"],
        "insecure": False,
        "hub": None,
        "units": [],
        "commands": [],
    }
    spoke = done("init", "--mode", "spoke", "--connect", NOBODY, "--force", "--json").json
    assert spoke["hub"] == "silent"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--mode hub", "--listen ADDRESS"),
        ("--mode spoke", "--connect ADDRESS"),
        ("--listen 127.0.0.1", "are of --mode hub"),
        ("--connect 127.0.0.1", "are of --mode hub"),
        ("--install-systemd", "is of --mode hub"),
        ("--mode spoke --listen 127.0.0.1 --connect 127.0.0.1", "a spoke listens nowhere"),
        ("--mode spoke --listen 127.0.0.1", "a spoke needs the address of its hub"),
        ("--mode hub --listen 127.0.0.1 --connect 127.0.0.1", "is this hub itself"),
        ("--mode hub --listen 127.0.0.1 --space private", "never shared"),
        ("--mode hub --listen 127.0.0.1 --space A", "is not a space name"),
        ("--mode hub --listen 127.0.0.1:0", "--listen: '127.0.0.1:0' has a port"),
        ("--mode hub --listen udp/127.0.0.1", "tcp"),
        ("--mode hub --listen ''", "--listen: "),
        ("--mode hub --listen 'a#b=c'", "neither an address nor a host's name"),
        ("--mode spoke --connect 0.0.0.0", "is an address to listen on"),
        ("--mode spoke --connect 'a\x1b[2J'", "neither an address"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(home: Path, typed: str, said: str) -> None:
    result = run("init", *shlex.split(typed))
    assert_refused(result, 2, said)
    assert "\x1b" not in result.err
    assert not (home / "config").exists()


def test_where_nobody_can_be_asked_the_hint_has_the_addresses() -> None:
    assert "addresses here: 127.0.0.1, " in run("init", "--mode", "hub").err


def test_print_asks_no_hub_and_writes_nothing(home: Path) -> None:
    out = done("init", "--mode", "spoke", "--connect", "192.0.2.1", "--print").out
    assert tomllib.loads(out)["mesh"]["connect"] == ["tcp/192.0.2.1:7447"]
    assert not list(home.iterdir())


def test_it_replaces_no_other_file_unless_forced(home: Path) -> None:
    done("init", "--mode", "hub", "--listen", "127.0.0.1")
    done("init", "--mode", "hub", "--listen", "127.0.0.1")  # the same text: no conflict
    assert_refused(run("init", "--mode", "hub", "--listen", "::1"), 1, "exists", "--force")
    done("init", "--mode", "hub", "--listen", "::1", "--force")
    assert written(home)["mesh"]["listen"] == ["tcp/[::1]:7447"]


# -- on a terminal ------------------------------------------------------------------------------


def test_a_person_picks_where_a_hub_listens(sit: Sit, home: Path) -> None:
    person = sit()
    person.begin("kioku init --mode hub")
    shown = person.wait_for("number or address [1]:")
    assert "  1  127.0.0.1" in shown
    assert "0.0.0.0" in shown
    person.answer("")
    assert "wrote " in person.wait_for_prompt()
    assert written(home)["mesh"]["listen"] == ["tcp/127.0.0.1:7447"]


def test_a_person_who_picks_more_than_loopback_is_asked_again(sit: Sit, home: Path) -> None:
    person = sit(columns=160)
    for answer in ("n", "y"):
        person.begin("kioku init --mode hub; echo code $?")
        person.wait_for("number or address [1]:")
        person.answer("192.0.2.77:7448")
        assert "read and change the whole memory" in person.wait_for("[y/N]")
        person.answer(answer)
        shown = person.wait_for_prompt()
        assert ("code 0" if answer == "y" else "code 2") in shown
        assert (home / "config").exists() == (answer == "y")
    file = written(home)["mesh"]
    assert (file["listen"], file["insecure"]) == (["tcp/192.0.2.77:7448"], True)


def test_what_is_no_address_is_asked_for_again(sit: Sit, home: Path) -> None:
    person = sit()
    person.begin("kioku init --mode spoke")
    person.wait_for("The hub's address:")
    person.answer("not an address")
    person.wait_for("neither an address nor a host's name")
    person.answer("")
    person.wait_for("nothing is no address")
    person.answer(NOBODY)
    assert "no answer now" in person.wait_for_prompt()
    assert written(home)["mesh"]["connect"] == ["tcp/127.0.0.1:9"]


@pytest.mark.parametrize(
    ("mode", "question"), [("hub", "number or address [1]:"), ("spoke", "The hub's address:")]
)
def test_who_answers_nothing_gets_nothing_written(
    sit: Sit, home: Path, mode: str, question: str
) -> None:
    person = sit()
    for key, said in (("C-c", "kioku: interrupted"), ("C-d", "kioku: ")):
        person.begin(f"kioku init --mode {mode}")
        person.wait_for(question)
        person.window.press(key)
        assert said in person.wait_for_prompt()
    assert not (home / "config").exists()


# -- systemd ------------------------------------------------------------------------------------

INSTALL = ("init", "--mode", "hub", "--listen", "127.0.0.1", "--install-systemd")


def parsed(text: str) -> configparser.ConfigParser:
    """A unit, read."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.read_string(text)
    return unit


def test_units_can_be_looked_at_wherever_one_is(home: Path) -> None:
    shown = done(*INSTALL, "--print", "--json").json
    for name in ("user_unit", "system_unit"):
        service = parsed(shown[name])["Service"]
        program, verb = service["ExecStart"].rsplit(" ", 1)
        assert (os.path.isabs(program), os.access(program, os.X_OK), verb) == (True, True, "serve")
        assert service["Restart"] == "on-failure"
        assert service["TimeoutStopSec"] == "10"
        assert f"KIOKU_STATE_DIR={home}/state" in service["Environment"]
        assert f"KIOKU_CONFIG={home}/config/config.toml" in shown[name]
    assert parsed(shown["user_unit"])["Install"]["WantedBy"] == "default.target"
    assert parsed(shown["system_unit"])["Install"]["WantedBy"] == "multi-user.target"
    assert "User" in parsed(shown["system_unit"])["Service"]
    assert "User" not in parsed(shown["user_unit"])["Service"]
    assert "# " in done(*INSTALL, "--print").out
    assert not list(home.iterdir())


def test_where_no_systemd_runs_that_is_said_and_nothing_written(home: Path) -> None:
    """Or, where one does, the units are there and the commands that enable them are printed."""
    result = run(*INSTALL)
    user_unit = home / "config" / "systemd" / "user" / "kioku.service"
    if not Path("/run/systemd/system").is_dir():
        assert_refused(result, 1, "no systemd runs here", "hint: kioku serve")
        assert not (home / "config").exists()
        return
    assert result.code == 0
    assert "systemctl --user enable --now kioku.service" in result.out
    assert "loginctl enable-linger" in result.out
    assert parsed(user_unit.read_text())["Service"]["Restart"] == "on-failure"
