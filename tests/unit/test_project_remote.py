"""A project has one name, however its remote is written, and no name that could do harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.project.git import _urls
from kioku.project.name import is_project_name
from kioku.project.remote import name_of_directory, name_of_remote

SAME = (
    "https://github.com/Acme/Rocket-Engine.git",
    "https://github.com/acme/rocket-engine",
    "https://GitHub.COM/acme/rocket-engine/",
    "https://github.com/acme/rocket-engine.git/",
    "https://github.com//acme//rocket-engine.git",
    "http://github.com:8080/acme/rocket-engine.git",
    "https://alice@github.com/acme/rocket-engine.git",
    "https://alice:ghp_s3cret@github.com/acme/rocket-engine.git",
    "https://x-access-token:s3cret@github.com/acme/rocket-engine",
    "https://github.com/acme/rocket%2Dengine.git",
    "https://github.com/acme/rocket-engine.git?token=s3cret#readme",
    "https://bitbucket.example.com/scm/acme/rocket-engine.git",
    "ssh://git@github.com/acme/rocket-engine.git",
    "ssh://git@github.com:2222/acme/rocket-engine.git",
    "ssh://git@bitbucket.example.com:7999/acme/rocket-engine",
    "ssh://[2001:db8::1]:22/acme/rocket-engine.git",
    "ssh://github.com/~/acme/rocket-engine.git",
    "git+ssh://git@github.com/acme/rocket-engine.git",
    "git://github.com/acme/rocket-engine.git",
    "git@github.com:acme/rocket-engine.git",
    "git@github.com:acme/rocket-engine.git/",
    "git@github.com:/acme/rocket-engine",
    "git@github.com:22/acme/rocket-engine.git",
    "github.com:acme/rocket-engine.git",
    "github-at-work:acme/rocket-engine.git",
    "git@[2001:db8::1]:acme/rocket-engine.git",
    "gh:acme/rocket-engine",
    "hg::https://hg.example.com/acme/rocket-engine",
    "  git@github.com:acme/rocket-engine.git\n",
    "https://gitlab.example.com/acme/rocket-engine.git",
)


@pytest.mark.parametrize("url", SAME)
def test_every_way_to_write_a_remote_gives_one_name(url: str) -> None:
    assert name_of_remote(url) == "acme/rocket-engine"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://gitlab.example.com/group/team/app.git", "team/app"),
        ("git@gitlab.example.com:group/team/app.git", "team/app"),
        ("https://dev.azure.com/org/shop/_git/app", "shop/app"),
        ("git@ssh.dev.azure.com:v3/org/shop/app", "shop/app"),
        ("https://git.sr.ht/~alice/app", "~alice/app"),
        ("https://gist.github.com/0123abcd.git", "0123abcd"),
        ("ssh://host/srv/git/app.git", "git/app"),
        ("host:app.git", "app"),
        ("host:~/app.git", "app"),
        ("/srv/git/App.git", "app"),
        ("file:///srv/git/app.git", "app"),
        ("../app", ""),
        ("./app", "app"),
        ("/home/alice/app/.git", "app"),
        (r"C:\src\app", "app"),
        ("C:/src/app.git", "app"),
        ("https://git.example.com/チーム/記憶.git", "チーム/記憶"),
    ],
)
def test_the_last_two_parts_of_a_shared_path_are_the_name(url: str, name: str) -> None:
    assert name_of_remote(url) == name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "   ",
        "https://",
        "https://github.com",
        "https://github.com/",
        "host:",
        "/",
        ".",
        "..",
        "~",
        "https://host/owner/../../etc/passwd",
        "https://host/%2e%2e/passwd",
        "https://host/owner/re\x1b[2Jpo",
        "https://host/owner/re%1b%5b2Jpo",
        "https://host/owner/re%0Apo",
        "git@host:owner/re\x00po",
        "git@host:owner/re\u202epo",
        "git@host:owner/\ud800",
        "git@host:owner/" + "x" * 200,
        "https://host/" + "x/" * 4_000,
    ],
)
def test_what_names_nothing_or_could_do_harm_gives_no_name(url: str) -> None:
    assert name_of_remote(url) == ""


@pytest.mark.parametrize("url", SAME)
def test_no_name_holds_a_user_or_a_secret(url: str) -> None:
    name = name_of_remote(url)
    assert "@" not in name
    assert "s3cret" not in name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/src/kioku/.git", "kioku"),
        ("/src/Kioku/.bare", "Kioku"),
        ("/srv/git/kioku.git", "kioku"),
        ("/src/big/.git/modules/libs/small", "small"),
        ("/.git", ""),
        ("/", ""),
        ("/src/a\x07b/.git", ""),
    ],
)
def test_a_repository_without_a_remote_is_named_by_its_place(path: str, name: str) -> None:
    assert name_of_directory(path) == name


@pytest.mark.parametrize("text", ["", ".", " a", "a ", "a\nb", "\x1b[2J", "x" * 129])
def test_what_is_no_name(text: str) -> None:
    assert not is_project_name(text)


@given(st.text(st.sampled_from("aB.:/@[]~%2eg\\?# \n\x1b\u202e_")) | st.text())
def test_any_text_gives_a_plain_name_or_none(text: str) -> None:
    name = name_of_remote(text)
    assert name == "" or is_project_name(name)
    assert ".." not in name.split("/")
    assert name.count("/") <= 1


@given(st.text(st.sampled_from('[remote "o\\]url=# ;\n.x')) | st.text())
def test_any_config_is_read_to_its_end(text: str) -> None:
    assert all(name and url for name, url in _urls(text))
