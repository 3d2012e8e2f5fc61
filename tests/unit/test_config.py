"""Settings: which source wins, what is refused, and what nothing but a default decides."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.config import OLD_STATE_DIR_VARIABLES, Settings, load_settings, store_path
from kioku.config.checks import CHECKS, IDENTITY_LENGTH_MAX, is_plain
from kioku.config.explanation import explain
from kioku.config.sources import CONFIG_BYTES_MAX, variables_of
from kioku.errors import ConfigError, KiokuError

if TYPE_CHECKING:
    from pathlib import Path


def settings_with_file(tmp_path: Path, text: str | bytes, **environ: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_settings({"HOME": "/h", "KIOKU_CONFIG": str(path), **environ})


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing is set but a home without a config file."""
    return {"HOME": str(tmp_path), "USER": "ada"}


def test_defaults_need_no_environment_and_no_file(environ: dict[str, str]) -> None:
    settings = load_settings(environ)
    assert settings.space == "default"
    assert settings.durability == "full"
    assert settings.agent_family == settings.session_id == ""
    assert settings.client_id == f"ada@{settings.pc_id}"
    assert settings.pc_id
    assert set(settings.sources.values()) == {"default"}


def test_an_empty_environment_is_enough() -> None:
    assert load_settings({}).client_id


def test_every_value_has_a_source(environ: dict[str, str]) -> None:
    fields = {name for name in Settings._fields if name != "sources"}
    assert set(load_settings(environ).sources) == fields


def test_argument_beats_environment_beats_file_beats_launcher(tmp_path: Path) -> None:
    text = 'agent_family = "from-file"'
    launched = {"CLAUDECODE": "1"}
    assert load_settings({"HOME": "/h", **launched}).agent_family == "claude"
    assert settings_with_file(tmp_path, text, **launched).agent_family == "from-file"
    named = {**launched, "KIOKU_AGENT_FAMILY": "from-environment"}
    assert settings_with_file(tmp_path, text, **named).agent_family == "from-environment"
    argued = load_settings({"HOME": "/h", **named}, agent_family="from-argument")
    assert argued.agent_family == "from-argument"
    assert argued.sources["agent_family"] == "argument"


@pytest.mark.parametrize("prefix", ["KIOKU_", "KIOKU_MESH_", "MESH_MEM_"])
def test_older_names_of_a_variable_are_read(environ: dict[str, str], prefix: str) -> None:
    environ[prefix + "AGENT_FAMILY"] = "f"
    environ[prefix + "CLIENT_ID"] = "c"
    environ[prefix + "SESSION_ID"] = "s"
    environ[prefix + "SPACE"] = "work"
    settings = load_settings(environ)
    assert (settings.agent_family, settings.client_id) == ("f", "c")
    assert (settings.session_id, settings.space) == ("s", "work")
    assert settings.sources["client_id"] == f"environment {prefix}CLIENT_ID"


def test_our_own_name_of_a_variable_beats_the_older_ones(environ: dict[str, str]) -> None:
    environ.update(MESH_MEM_SPACE="oldest", KIOKU_MESH_SPACE="older", KIOKU_SPACE="ours")
    assert load_settings(environ).space == "ours"


def test_a_variable_that_is_empty_counts_as_not_set(environ: dict[str, str]) -> None:
    environ.update(KIOKU_SPACE="", MESH_MEM_SPACE="older", KIOKU_STATE_DIR="")
    assert load_settings(environ).space == "older"


@pytest.mark.parametrize("variable", OLD_STATE_DIR_VARIABLES)
def test_kioku_never_writes_into_the_predecessors_directory(
    environ: dict[str, str], variable: str
) -> None:
    expected = load_settings(environ).state_dir
    assert load_settings({**environ, variable: "/elsewhere"}).state_dir == expected


@pytest.mark.parametrize(
    ("variable", "family", "client"),
    [
        ("CLAUDECODE", "claude", "claude-code"),
        ("CODEX_SANDBOX", "codex", "codex-cli"),
        ("CODEX_SANDBOX_NETWORK_DISABLED", "codex", "codex-cli"),
        ("GEMINI_CLI", "gemini", "gemini-cli"),
    ],
)
def test_the_launcher_gives_the_identity(
    environ: dict[str, str], variable: str, family: str, client: str
) -> None:
    settings = load_settings({**environ, variable: "1"})
    assert (settings.agent_family, settings.client_id) == (family, client)
    assert (
        settings.sources["agent_family"]
        == f"launcher ({variable.removesuffix('_NETWORK_DISABLED')})"
    )


def test_the_launcher_gives_the_session_that_it_has(environ: dict[str, str]) -> None:
    session = {"CLAUDE_CODE_SESSION_ID": "736848ea/1"}
    assert load_settings({**environ, **session}).session_id == ""  # whoever else inherited it
    settings = load_settings({**environ, **session, "CLAUDECODE": "1"})
    assert settings.session_id == "736848ea-1"
    assert settings.sources["session_id"] == "launcher (CLAUDE_CODE_SESSION_ID)"
    pinned = {**environ, **session, "CLAUDECODE": "1", "KIOKU_SESSION_ID": "mine"}
    assert load_settings(pinned).session_id == "mine"


def test_state_dir_is_absolute_and_knows_the_home(environ: dict[str, str]) -> None:
    home = environ["HOME"]
    assert load_settings({**environ, "KIOKU_STATE_DIR": "~/x"}).state_dir == home + "/x"
    relative = load_settings({**environ, "KIOKU_STATE_DIR": "x"}).state_dir
    assert relative == os.path.join(os.getcwd(), "x")


def test_platform_directories_honour_xdg(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    home = environ["HOME"]
    plain = load_settings(environ)
    assert plain.state_dir == home + "/.local/share/kioku"
    assert plain.config_path == home + "/.config/kioku/config.toml"
    moved = load_settings({**environ, "XDG_DATA_HOME": "/d", "XDG_CONFIG_HOME": "/c"})
    assert (moved.state_dir, moved.config_path) == ("/d/kioku", "/c/kioku/config.toml")
    ignored = load_settings({**environ, "XDG_DATA_HOME": "relative"})
    assert ignored.state_dir == plain.state_dir


def test_the_file_is_read_from_the_config_directory(tmp_path: Path) -> None:
    (tmp_path / "kioku").mkdir()
    (tmp_path / "kioku" / "config.toml").write_text(
        'mode = "local"\nspace = "work"\ndurability = "normal"\nclient_id = "c"\npc_id = "p"\n'
    )
    settings = load_settings({"HOME": "/h", "XDG_CONFIG_HOME": str(tmp_path)})
    assert (settings.space, settings.durability) == ("work", "normal")
    assert (settings.client_id, settings.pc_id) == ("c", "p")
    assert settings.sources["space"] == f"config file {settings.config_path}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"spaec = 'x'", "unknown key 'spaec'"),
        (b"session_id = 'x'", "unknown key 'session_id'"),
        (b"space = 3", "space: not a string"),
        (b"space = 'A B'", "space: 'A B' is not a space name"),
        (b"space = ", "not TOML"),
        (b"space = '\xff'", "not TOML"),
        (b"space = true", "space: not a string"),
        (b"detect_project = 'no'", "detect_project: neither true nor false"),
        (b"detect_project = 0", "detect_project: neither true nor false"),
        (b"project = 'x'", "unknown key 'project'"),
        (b"durability = 'never'", "is none of full, normal"),
        (b"mode = 'peer'", "is none of local, hub, spoke"),
        (b"#" * (CONFIG_BYTES_MAX + 1), "not a config file"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, text: bytes, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_with_file(tmp_path, text)
    assert str(tmp_path / "config.toml") in str(caught.value)
    assert said in str(caught.value)


def test_a_directory_is_no_config_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="KIOKU_CONFIG"):
        load_settings({"KIOKU_CONFIG": str(tmp_path)})


def test_a_config_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    environ = {"HOME": "/h", "KIOKU_CONFIG": str(tmp_path / "none" / "config.toml")}
    assert load_settings(environ).space == "default"


@pytest.mark.parametrize(
    "value",
    ["a/b", "**", "a?", "$x", "a#b", "a\\b", " a", "a\n", "a\x1b[31m", "\ud800", "x" * 129],
)
@pytest.mark.parametrize("name", ["AGENT_FAMILY", "CLIENT_ID", "SESSION_ID"])
def test_a_bad_identity_is_refused_by_the_name_of_its_variable(
    environ: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(ConfigError, match=f"environment KIOKU_{name}: .*change or unset it") as e:
        load_settings({**environ, f"KIOKU_{name}": value})
    assert str(e.value).isprintable()
    assert len(str(e.value)) < 250


@pytest.mark.parametrize("value", ["ada@host", "山田@ホスト", "a b", "x" * IDENTITY_LENGTH_MAX])
def test_a_good_identity_is_taken_as_it_is(environ: dict[str, str], value: str) -> None:
    assert load_settings({**environ, "KIOKU_CLIENT_ID": value}).client_id == value


@pytest.mark.parametrize("space", ["", "A", "a b", "../x", "a/b", "a.b", "é", "x" * 33, "a\n"])
def test_a_space_name_never_reaches_a_path_unchecked(environ: dict[str, str], space: str) -> None:
    with pytest.raises(ConfigError):
        load_settings(environ, space=space)
    with pytest.raises(ConfigError):
        store_path("/state", space)


@pytest.mark.parametrize("path", ["a\nb", "\ud800"])
@pytest.mark.parametrize("variable", ["KIOKU_STATE_DIR", "KIOKU_CONFIG"])
def test_a_path_that_is_not_plain_text_is_refused(
    environ: dict[str, str], variable: str, path: str
) -> None:
    with pytest.raises(ConfigError, match=f"environment {variable}: "):
        load_settings({**environ, variable: path})


@pytest.mark.parametrize("prefix", ["KIOKU_", "KIOKU_MESH_", "MESH_MEM_"])
def test_the_environment_can_fix_the_project(environ: dict[str, str], prefix: str) -> None:
    assert load_settings(environ).project == ""
    settings = load_settings({**environ, prefix + "PROJECT": "host/owner/名前"})
    assert settings.project == "host/owner/名前"
    assert settings.sources["project"] == f"environment {prefix}PROJECT"


@pytest.mark.parametrize("value", [" a", "a ", "a\nb", "a\x1b[2J", "\u202ea", "\ud800", "x" * 129])
def test_a_bad_project_is_refused_by_the_name_of_its_variable(
    environ: dict[str, str], value: str
) -> None:
    with pytest.raises(ConfigError, match=r"environment KIOKU_PROJECT: .* project name") as caught:
        load_settings({**environ, "KIOKU_PROJECT": value})
    assert str(caught.value).isprintable()


def test_the_file_can_turn_the_detection_of_projects_off(tmp_path: Path) -> None:
    assert load_settings({"HOME": "/h"}).detect_project is True
    settings = settings_with_file(tmp_path, "detect_project = false")
    assert settings.detect_project is False
    assert settings.sources["detect_project"].startswith("config file ")


VARIABLES = sorted(
    {name for setting in Settings._fields for name in variables_of(setting)}
    | {"HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "CODEX_SANDBOX_X"}
)
NASTY = st.text(alphabet="a/.~\x00\n\x1b*#?$\\\u202e\ud800é ", max_size=6)


def outcome(environ: dict[str, str]) -> tuple[Settings | None, str]:
    """The settings, or what is said instead."""
    try:
        return load_settings(environ), ""
    except ConfigError as error:
        return None, str(error)


@given(st.dictionaries(st.sampled_from(VARIABLES), NASTY))
def test_nothing_from_the_environment_reaches_a_path_or_a_table_unchecked(
    environ: dict[str, str],
) -> None:
    """Whatever stands there: it is refused by its name, or passes the check of its setting."""
    settings, said = outcome(environ)
    if settings is None:
        assert said.isprintable()
        assert any(name in said for name in environ)
        return
    for name, fault in CHECKS.items():
        value = getattr(settings, name)
        assert not isinstance(value, str) or not fault(value)
    assert os.path.dirname(settings.store_path) == settings.state_dir
    for path in (settings.store_path, settings.config_path):
        assert os.path.isabs(path)
        assert is_plain(path)


@given(st.dictionaries(st.sampled_from(VARIABLES), NASTY))
def test_an_explanation_has_what_was_decided_and_what_was_wrong(environ: dict[str, str]) -> None:
    lines = explain(environ)
    broken = [line for line in lines if line.problem and not line.is_idle]
    settings, said = outcome(environ)
    assert bool(broken) == (settings is None)
    if settings is None:
        assert said in {line.problem for line in broken}
        return
    shown = {line.name: line for line in lines}
    for name, source in settings.sources.items():
        assert (shown[name].value, shown[name].source) == (getattr(settings, name), source)


def test_a_guessed_identity_is_made_valid_rather_than_refused() -> None:
    settings = load_settings({"HOME": "/h", "USER": "DOMAIN\\ada*"})
    assert settings.client_id.startswith("DOMAIN-ada-@")


def test_a_bad_setting_is_a_kioku_error(environ: dict[str, str]) -> None:
    with pytest.raises(KiokuError):
        load_settings(environ, durability="sometimes")


def test_store_path_is_one_file_in_the_state_directory(environ: dict[str, str]) -> None:
    settings = load_settings({**environ, "KIOKU_STATE_DIR": "/state"}, space="work-2")
    assert settings.store_path == store_path("/state", "work-2") == "/state/work-2.db"


def test_settings_without_a_file_import_neither_toml_nor_platformdirs(tmp_path: Path) -> None:
    program = (
        "import sys; from kioku.config import load_settings;"
        f"load_settings({{'HOME': {str(tmp_path)!r}, 'KIOKU_STATE_DIR': '/x'}});"
        "print([m for m in ('tomllib', 'platformdirs', 'pathlib', 'json') if m in sys.modules])"
    )
    # -S: what a virtual environment's .pth files import is not ours to answer for
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    result = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert result.stdout.strip() == "[]"
