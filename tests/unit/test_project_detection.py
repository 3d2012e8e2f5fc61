"""The project of a directory: repositories as git makes them, files that anybody may have put."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import kioku
from kioku.project.detection import Present, detect

if TYPE_CHECKING:
    from pathlib import Path

URL = "git@github.com:acme/rocket.git"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where repositories are made; nothing above it is one."""
    directory = tmp_path / "place"
    directory.mkdir()
    assert kioku.detect_project(directory) is None
    return directory


def git(directory: Path, *arguments: str) -> None:
    """Run git as nobody in particular."""
    nowhere = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "gc.auto=0"]
    identity += ["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"]
    subprocess.run(
        ["git", *identity, *arguments],
        cwd=directory,
        env={**os.environ, **nowhere},
        check=True,
        capture_output=True,
    )


def repository(path: Path, url: str = "") -> Path:
    """A repository with one commit and, unless ``url`` is empty, a remote."""
    path.mkdir(parents=True)
    git(path, "init")
    git(path, "commit", "--allow-empty", "-m", "first")
    if url:
        git(path, "remote", "add", "origin", url)
    return path


def of(path: Path, home: str = "/nowhere") -> Present:
    return detect(str(path), home=home)


# -- repositories -----------------------------------------------------------------------------


def test_a_repository_is_named_by_its_remote_in_every_directory_of_it(place: Path) -> None:
    top = repository(place / "some-directory", URL)
    deep = top / "services" / "api" / "src"
    deep.mkdir(parents=True)
    assert {kioku.detect_project(path) for path in (top, deep, str(deep))} == {"acme/rocket"}


def test_the_name_is_the_same_in_every_clone_and_worktree(place: Path) -> None:
    first = repository(place / "one", URL)
    second = repository(place / "elsewhere" / "two", "https://bob:pw@GITHUB.com/Acme/Rocket")
    git(first, "worktree", "add", str(place / "linked"))
    inside = place / "linked" / "src"
    inside.mkdir()
    assert {of(path).name for path in (first, second, place / "linked", inside)} == {"acme/rocket"}


def test_without_a_remote_all_worktrees_have_the_name_of_the_repository(place: Path) -> None:
    main = repository(place / "Kioku")
    git(main, "worktree", "add", str(place / "feature-x"))
    git(main, "worktree", "add", str(main / "nested" / "feature-y"))
    places = (main, main / ".git", place / "feature-x", main / "nested" / "feature-y")
    assert [of(path).name for path in places] == ["Kioku"] * 4


def test_a_worktree_that_points_relatively_is_understood(place: Path) -> None:
    main = repository(place / "main", URL)
    git(main, "worktree", "add", str(place / "linked"))
    (place / "linked" / ".git").write_text("gitdir: ../main/.git/worktrees/linked\n")
    assert of(place / "linked").name == "acme/rocket"


def test_a_worktree_whose_repository_is_not_here_is_named_by_its_path(place: Path) -> None:
    linked = place / "linked"
    linked.mkdir()
    (linked / ".git").write_text("gitdir: /home/alice/src/kioku/.git/worktrees/linked\n")
    assert of(linked).name == "kioku"


def test_a_bare_repository_and_its_worktrees_have_one_name(place: Path) -> None:
    source = repository(place / "source")
    git(place, "clone", "--bare", str(source), str(place / "store.git"))
    git(place / "store.git", "remote", "remove", "origin")
    git(place / "store.git", "worktree", "add", str(place / "tree"), "main")
    assert [of(path).name for path in (place / "store.git", place / "tree")] == ["store"] * 2


def test_a_hidden_bare_repository_is_named_by_what_holds_it(place: Path) -> None:
    source = repository(place / "source")
    git(place, "clone", "--bare", str(source), str(place / "kioku" / ".bare"))
    git(place / "kioku" / ".bare", "remote", "remove", "origin")
    git(place / "kioku" / ".bare", "worktree", "add", str(place / "kioku" / "main"), "main")
    assert of(place / "kioku" / "main").name == "kioku"


def test_a_separate_git_directory_is_found(place: Path) -> None:
    git(place, "init", "--separate-git-dir", str(place / "kept.git"), str(place / "tree"))
    assert of(place / "tree").name == "kept"


def test_a_submodule_is_a_project_of_its_own(place: Path) -> None:
    library = repository(place / "library", "")
    outer = repository(place / "outer", URL)
    git(outer, "submodule", "add", str(library), "libs/part")
    part = outer / "libs" / "part"
    assert of(part).name == "library"  # its remote, a path of this machine
    git(part, "remote", "remove", "origin")
    assert of(part).name == "part"
    git(part, "remote", "add", "origin", "https://example.com/acme/part.git")
    assert (of(part).name, of(outer).name) == ("acme/part", "acme/rocket")


def test_origin_comes_first_and_else_the_first_remote(place: Path) -> None:
    top = repository(place / "here")
    git(top, "remote", "add", "upstream", "git@host:first/one.git")
    git(top, "remote", "add", "fork", "git@host:second/two.git")
    assert of(top) == Present("first/one", "git remote upstream")
    git(top, "remote", "add", "origin", "git@host:third/three.git")
    assert of(top) == Present("third/three", "git remote origin")


def test_a_remote_that_names_nothing_gives_way_to_the_directory(place: Path) -> None:
    top = repository(place / "here", "../")
    assert of(top).name == "here"


def test_links_lead_to_where_git_would_find_itself(place: Path) -> None:
    top = repository(place / "real", URL)
    (top / "sub").mkdir()
    (place / "link").symlink_to(top / "sub")
    assert of(place / "link").name == "acme/rocket"


def test_the_home_directory_and_the_root_are_no_project(place: Path) -> None:
    home = repository(place / "home", URL)
    (home / "notes").mkdir()
    assert of(home / "notes", home=str(home)).name == ""
    assert "is not taken for a project" in of(home, home=str(home)).source
    repository(home / "src" / "app", "git@host:a/b.git")
    assert of(home / "src" / "app", home=str(home)).name == "a/b"
    assert of(place, home="/").name == ""
    assert kioku.detect_project("/") is None


def test_nothing_says_why(place: Path) -> None:
    found = of(place)
    assert found.name == ""
    assert str(place) in found.source
    assert of(place / "not" / "there").name == ""
    assert detect("a\0b", home="/").name == ""


# -- git's own file ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    [
        '[remote "origin"]\n\turl = git@host:a/b.git\n',
        '[remote "origin"] url = git@host:a/b.git',
        '[REMOTE "origin"]\r\n  URL=git@host:a/b.git\r\n',
        "[remote.origin]\nurl = git@host:a/b.git\n",
        '[remote "origin"]\nurl = "git@host:a/b.git" ; comment\n',
        '[remote "origin"]\nurl = git@host:a/\\\nb.git # comment\n',
        '[remote "or\\igin"]\nurl = git@host:a/b.git\n',
        '[core]\nx = "y\\\\"\n[remote "origin"]\nfetch = +refs\nurl = git@host:a/b.git\n',
        '# [remote "x"] \\\n[remote "origin"]\nurl = git@host:a/b.git\nurl = git@host:c/d.git\n',
        '[remote "x"]\nurl = git@host:c/d.git\n[remote "origin"]\nurl = git@host:a/b.git\n',
        '[branch "remote"]\nurl = git@host:x/y\n[remote "origin"]\nurl = git@host:a/b\n',
        '[core]\nalias = x \\\n[remote "o"]\nurl = git@host:c/d\n[remote "origin"]\nurl = host:a/b',
    ],
)
def test_every_form_of_a_config_that_git_reads_is_read(place: Path, config: str) -> None:
    top = repository(place / "here")
    (top / ".git" / "config").write_text(config, newline="")
    assert of(top).name == "a/b"


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"\xff\xfe\x00[remote",
        b'[remote "origin"',
        b'[remote "origin"]\nurl',
        b'[remote "origin"]\nurl =\n',
        b'[remote "origin"]\nurlx = git@host:a/b\n',
        b"url = git@host:a/b\n",
        b'[remote]\nurl = git@host:a/b\n[other "origin"]\nurl = git@host:a/b\n',
        b'[remote "origin"]\nurl = git@host:a/\x1b[2J\n',
        b"[" * 300_000,
        b"\\\n" * 200_000,
        b'[remote "' + b"\\" * 250_000,
    ],
)
def test_a_config_that_says_nothing_leaves_the_directorys_name(place: Path, config: bytes) -> None:
    top = repository(place / "here")
    (top / ".git" / "config").write_bytes(config)
    assert of(top).name == "here"


def test_only_the_beginning_of_a_huge_config_is_read(place: Path) -> None:
    top = repository(place / "here", URL)
    with (top / ".git" / "config").open("ab") as file:
        file.truncate(1 << 40)  # a hole: reading it whole would never end
    assert of(top).name == "acme/rocket"


# -- what somebody else may have put there ----------------------------------------------------


def test_what_is_no_regular_file_is_never_opened(place: Path) -> None:
    for name in (".kioku.toml", ".git"):
        os.mkfifo(place / name)
    assert of(place).name == ""
    top = repository(place / "here")
    (top / ".git" / "config").unlink()
    os.mkfifo(top / ".git" / "config")
    os.mkfifo(top / ".kioku.toml")
    os.mkfifo(top / ".git" / "commondir")
    assert of(top).name == "here"


def test_loops_of_links_end(place: Path) -> None:
    (place / ".kioku.toml").symlink_to(".kioku.toml")
    (place / ".git").symlink_to("loop")
    (place / "loop").symlink_to(".git")
    assert of(place).name == ""
    assert of(place / "loop").name == ""


@pytest.mark.parametrize(
    "pointer",
    ["", "gitdir:", "gitdir: ", "gitdir: \0", "nonsense", "gitdir: .", "gitdir: " + "a/" * 3_000],
)
def test_a_pointer_that_leads_nowhere_breaks_nothing(place: Path, pointer: str) -> None:
    (place / ".git").write_text(pointer)
    assert "\0" not in of(place).name


def test_a_repository_inside_hostile_names_gives_a_plain_name_or_none(place: Path) -> None:
    top = repository(place / "bell\x07\x1b[2J")
    assert of(top).name == ""
    assert kioku.detect_project(top) is None


def test_a_directory_of_many_levels_is_looked_at_for_so_many(place: Path) -> None:
    top = repository(place / "top", URL)
    deep = top.joinpath(*(["d"] * 50))
    deep.mkdir(parents=True)
    assert of(deep).name == "acme/rocket"
    deeper = deep.joinpath(*(["d"] * 50))
    deeper.mkdir(parents=True)
    assert of(deeper).name == ""


# -- .kioku.toml ------------------------------------------------------------------------------


def marker(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / ".kioku.toml"
    file.write_text(text, encoding="utf-8", newline="")
    return file


@pytest.mark.parametrize(
    "text",
    [
        'project = "the name"',
        '# ours\n\nproject="the name" # said once\n',
        '\ufeffproject = "the name"\r\n',
        "project = 'the name'",
        'project = "the \\u006eame"',
        '"project" = "the name"\n',
        'project = """the name"""',
    ],
)
def test_a_marker_names_the_project(place: Path, text: str) -> None:
    file = marker(place, text)
    assert of(place) == Present("the name", str(file))


def test_a_marker_wins_over_a_repository_below_and_above_it(place: Path) -> None:
    top = repository(place / "work" / "here", URL)
    marker(place / "work", 'project = "above"')
    assert of(top).name == "above"
    marker(top / "services" / "api", 'project = "api"')
    (top / "services" / "api" / "src").mkdir()
    assert of(top / "services" / "api" / "src").name == "api"
    assert of(top / "services").name == "above"


def test_a_marker_can_say_that_there_is_no_project(place: Path) -> None:
    top = repository(place / "here", URL)
    marker(top, 'project = ""')
    assert of(top).name == ""
    assert "says that there is none" in of(top).source


def test_all_else_in_a_marker_is_ignored_and_said_to_be(place: Path) -> None:
    file = marker(place, 'project = "p"\nagent_family = "x"\nspace = "theirs"\nstate_dir = "/"\n')
    found = of(place)
    assert found.name == "p"
    ignored = "ignored agent_family, space, state_dir; a committed file can only say which"
    assert found.remarks == (f"{file}: {ignored} project it is",)


@pytest.mark.parametrize(
    "text",
    [
        "project = 3",
        "project = [",
        'project = "."',
        'project = " a"',
        'project = "a\\u001b[2J"',
        'project = "a\x1b[2J"',
        f'project = "{"x" * 129}"',
        "x = " + "[" * 5_000,
        "#" * 20_000 + '\nproject = "p"',
        'space = "theirs"',
        "\x00\x01",
        "",
    ],
)
def test_a_marker_that_names_nothing_is_passed_over_with_a_remark(place: Path, text: str) -> None:
    top = repository(place / "here", URL)
    file = marker(top, text)
    found = of(top)
    assert found.name == "acme/rocket"
    assert [remark.startswith(f"{file}: ") for remark in found.remarks] == [True]


def test_the_usual_marker_is_read_without_a_parser(place: Path) -> None:
    marker(place, '# a comment\nproject = "p"\n')
    code = "import sys, kioku; print(kioku.detect_project(), 'tomllib' in sys.modules)"
    root = os.path.dirname(os.path.dirname(kioku.__file__))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=place,
        env={**os.environ, "PYTHONPATH": root},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "p False\n"
