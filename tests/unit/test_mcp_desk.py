"""A desk: who speaks, in which project and which spaces, and that nothing else is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

import kioku
from kioku.errors import ConfigError, NotFoundError, ReplicaClosedError
from kioku.mcp.desk import Desk


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "KIOKU_STATE_DIR": str(home / "state"),
        "KIOKU_CONFIG": str(home / "config.toml"),
    }


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository of the project ``acme/rocket``."""
    return repository(tmp_path / "checkout", "acme/rocket")


def repository(place: Path, project: str) -> Path:
    for name in ("objects", "refs"):
        (place / ".git" / name).mkdir(parents=True)
    (place / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    url = f"https://example.com/{project}.git"
    (place / ".git" / "config").write_text(f'[remote "origin"]\n\turl = {url}\n')
    return place


# -- who


def _speaks(environ: dict[str, str], **more: str) -> tuple[str, str]:
    with Desk({**environ, **more}) as desk:
        desk.introduce("codex-mcp-client")
        return desk.settings.agent_family, desk.settings.client_id


def test_the_client_says_who_speaks(environ: dict[str, str]) -> None:
    assert _speaks(environ) == ("codex", "codex-cli")


def test_a_launcher_s_variables_are_inherited_so_the_client_knows_better(
    environ: dict[str, str],
) -> None:
    assert _speaks(environ, CLAUDECODE="1") == ("codex", "codex-cli")


def test_what_somebody_set_on_purpose_counts_more_than_the_client(
    environ: dict[str, str], home: Path
) -> None:
    assert _speaks(environ, KIOKU_AGENT_FAMILY="mine") == ("mine", "codex-cli")
    (home / "config.toml").write_text('client_id = "desk-3"\n')
    assert _speaks(environ) == ("codex", "desk-3")
    assert _speaks(environ, MESH_MEM_CLIENT_ID="old") == ("codex", "old")


def test_without_a_word_of_the_client_the_launcher_counts(environ: dict[str, str]) -> None:
    with Desk({**environ, "CLAUDECODE": "1"}) as desk:
        assert desk.settings.agent_family == "claude"
        desk.introduce("\x00")
        assert desk.settings.agent_family == "claude"


def test_who_speaks_stays_who_it_was(environ: dict[str, str]) -> None:
    with Desk(environ) as desk:
        desk.introduce("opencode")
        desk.introduce("codex-mcp-client")
        saved = desk.memory().save("by opencode")
        desk.introduce("codex-mcp-client")
        assert saved.agent_family == desk.settings.agent_family == "opencode"


def test_a_connection_is_one_session_in_all_of_its_spaces(environ: dict[str, str]) -> None:
    with Desk(environ, spaces=["work", "home"]) as desk, Desk(environ) as other:
        sessions = {desk.memory(name).save("x").session_id for name in ("work", "home")}
        assert sessions == {desk.settings.session_id}
        assert other.memory().session_id not in sessions
    with Desk({**environ, "KIOKU_SESSION_ID": "pinned"}) as desk:
        assert desk.memory().save("x").session_id == "pinned"


# -- where


def test_only_the_spaces_that_were_named_are_reached(environ: dict[str, str]) -> None:
    for name in ("work", "diary"):
        kioku.open(space=name).close()
    with Desk(environ) as desk:
        assert desk.spaces == ("default",)
        with pytest.raises(NotFoundError, match="use one of default"):
            desk.memory("work")
    with Desk(environ, spaces=["work", "default"]) as desk:
        assert desk.spaces == ("work", "default")
        assert desk.memory() is desk.memory("work")
        with pytest.raises(NotFoundError):
            desk.memory("diary")


def test_a_private_space_is_reached_by_its_name_alone(environ: dict[str, str]) -> None:
    kioku.open(space="diary", private=True).close()
    kioku.open(space="work").close()
    with Desk(environ, spaces=["all"]) as desk:
        assert desk.spaces == ("default", "work")
    with Desk(environ, spaces=["all", "diary"]) as desk:
        assert desk.spaces == ("diary", "work")
        assert desk.memory().is_private()


@pytest.mark.parametrize("name", ["../default", "A", "", "x" * 33])
def test_a_name_that_no_space_has_is_refused_at_the_start(
    environ: dict[str, str], name: str
) -> None:
    with Desk(environ, spaces=["work", name]) as desk, pytest.raises(ConfigError):
        desk.check()


def test_a_client_that_only_looks_leaves_nothing_behind(
    environ: dict[str, str], home: Path
) -> None:
    with Desk(environ) as desk:
        desk.check()
        desk.introduce("mcp-test-client")
        desk.begin()
    assert not (home / "state").exists()


def test_a_store_that_was_replaced_while_it_was_open_is_opened_anew(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with Desk(environ) as desk:
        desk.memory().save("in the first file")
        path = Path(desk.settings.store_path)
        with Desk({**environ, "KIOKU_STATE_DIR": str(tmp_path / "other")}) as other:
            other.memory().save("in the second")
            replacement = Path(other.settings.store_path)
        for beside in path.parent.glob("default*"):
            beside.rename(tmp_path / beside.name)
        for beside in replacement.parent.glob("default*"):
            beside.rename(path.parent / beside.name)
        assert [one.content for one in desk.memory().list()] == ["in the second"]
        session = desk.memory().session_id
        assert desk.memory().save("and goes on").session_id == session


def test_what_ended_stays_ended(environ: dict[str, str]) -> None:
    desk = Desk(environ)
    desk.memory().save("x")
    desk.close()
    desk.close()
    desk.begin()
    with pytest.raises(ReplicaClosedError):
        desk.memory()


# -- in which project


def test_the_project_is_the_repository_that_the_client_works_in(
    environ: dict[str, str], work: Path
) -> None:
    with Desk(environ, directory=str(work)) as desk:
        assert desk.project == "acme/rocket"
        assert not desk.needs_place


def test_where_the_directory_is_the_home_the_workspace_counts(
    environ: dict[str, str], home: Path, work: Path
) -> None:
    repository(home, "me/dotfiles")
    with Desk(environ, directory=str(home)) as desk:
        assert desk.project == ""
        assert desk.needs_place
        desk.place(["relative", "", "/nowhere", str(work)])
        assert desk.project == "acme/rocket"
    with Desk({**environ, "CLAUDE_PROJECT_DIR": str(work)}, directory="/") as desk:
        assert desk.project == "acme/rocket"


def test_a_project_that_somebody_set_is_asked_of_nobody(
    environ: dict[str, str], home: Path, work: Path
) -> None:
    with Desk({**environ, "KIOKU_PROJECT": "set"}, directory=str(work)) as desk:
        assert (desk.project, desk.needs_place) == ("set", False)
    (home / "config.toml").write_text("detect_project = false\n")
    with Desk(environ, directory=str(work)) as desk:
        assert (desk.project, desk.needs_place) == ("", False)


def test_a_directory_that_says_it_has_no_project_is_believed(
    environ: dict[str, str], home: Path, work: Path
) -> None:
    (home / ".kioku.toml").write_text('project = ""\n')
    with Desk(environ, directory=str(home)) as desk:
        desk.place([str(work)])
        assert (desk.project, desk.needs_place) == ("", False)
