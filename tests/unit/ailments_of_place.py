"""What can be wrong before a store is even opened: the installation, leftovers, the place."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import apsw

from kioku.doctor import check, installation, place
from kioku.log import filesystem, trial
from tests.unit.ailments import Bench, breaks, named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# -- the installation


@breaks("python")
def an_older_python(bench: Bench) -> Iterator[Any]:
    bench.patch.setattr(installation, "_PYTHON_MIN", (sys.version_info[0], 99))
    yield check
    bench.patch.setattr(installation, "_PYTHON_MIN", sys.version_info[:2])


@breaks("sqlite")
def no_memory_for_sqlite(bench: Bench) -> Iterator[Any]:
    apsw.hard_heap_limit(1_000)
    try:
        yield check
    finally:
        apsw.hard_heap_limit(0)


def install(directory: Path, name: str, version: str, *, package: str = "") -> Path:
    """Put the metadata of a distribution where Python finds it."""
    folder = directory / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / "top_level.txt").write_text((package or name) + "\n")
    return folder


@breaks("dependencies")
@breaks("installation")
@breaks("package")
def older_copies_and_a_stranger(bench: Bench) -> Iterator[Any]:
    site = bench.tmp_path / "site"
    install(site, "cbor2", "5.9.1")
    install(site, "kioku", "2.0")
    bench.patch.syspath_prepend(site)
    late = bench.tmp_path / "late"
    install(late, "kioku-log", "0.0.9")
    bench.patch.setattr(sys, "path", [*sys.path, str(late)])
    yield check
    shutil.rmtree(site)
    shutil.rmtree(late)


@breaks("package")
def another_distribution_with_a_package_of_the_name(bench: Bench) -> Iterator[Any]:
    site = bench.tmp_path / "site"
    install(site, "memories", "2.0", package="kioku")
    bench.patch.syspath_prepend(site)
    assert named(check(), "package")[0].status == "fail"
    yield check
    shutil.rmtree(site)


@breaks("package")
def a_file_called_kioku(bench: Bench) -> Iterator[Any]:
    bench.patch.chdir(bench.tmp_path)
    (bench.tmp_path / "kioku.py").write_text("")
    yield check
    (bench.tmp_path / "kioku.py").rename(bench.tmp_path / "mine.py")


@breaks("package")
def a_package_called_kioku_that_comes_first(bench: Bench) -> Iterator[Any]:
    other = bench.tmp_path / "first" / "kioku"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    bench.patch.syspath_prepend(bench.tmp_path / "first")
    yield check
    other.rename(bench.tmp_path / "mine")


def command(prefix: Path, name: str) -> Path:
    """Put a command into an environment of its own, as an installer does."""
    (prefix / "bin").mkdir(parents=True, exist_ok=True)
    script = prefix / "bin" / name
    script.write_text(f"#!{prefix}/bin/python\nimport this\n")
    script.chmod(0o755)
    return script


@breaks("commands")
def a_command_of_another_version(bench: Bench) -> Iterator[Any]:
    other = bench.tmp_path / "venv"
    script = command(other, "kioku")
    install(other / "lib" / "python3.12" / "site-packages", "kioku-log", "0.0.1")
    bench.patch.setenv("PATH", str(script.parent))
    yield check
    bench.patch.setenv("PATH", f"{os.path.dirname(sys.executable)}{os.pathsep}{script.parent}")


@breaks("commands")
def the_command_of_another_program(bench: Bench) -> Iterator[Any]:
    script = command(bench.tmp_path / "venv", "kioku-mesh-mcp")
    bench.patch.setenv("PATH", str(script.parent))
    yield check
    script.unlink()


# -- what the predecessor left


def variable(name: str) -> None:
    def a_variable_is_set(bench: Bench) -> Iterator[Any]:
        bench.patch.setenv(name, "1")
        yield check
        bench.patch.delenv(name)

    a_variable_is_set.__name__ = name
    breaks("environment")(a_variable_is_set)


for suffix in (
    *("FORCE_REBUILD", "SKIP_REBUILD", "DISABLE_INDEX", "BACKEND", "INDEX_DB"),
    *("ROUTER_ENDPOINT", "MCP_ALLOW_TTY"),
):
    variable(f"KIOKU_MESH_{suffix}")
    variable(f"MESH_MEM_{suffix}")
variable("ZENOH_CONNECT")
variable("ZENOH_BACKEND_ROCKSDB_ROOT")


def old_store(place: str, variable: str = "") -> None:
    def a_store_of_the_predecessor(bench: Bench) -> Iterator[Any]:
        path = bench.home / place
        path.parent.mkdir(parents=True)
        path.write_bytes(b"rows")
        if variable:
            bench.patch.setenv(variable, str(bench.home / "old"))
        yield check
        assert path.read_bytes() == b"rows"
        path.rename(bench.tmp_path / "kept.db")

    a_store_of_the_predecessor.__name__ = place
    breaks("old store")(a_store_of_the_predecessor)


old_store("old/local/raw.db", "KIOKU_MESH_STATE_DIR")
old_store("old/state/local/index.db", "MESH_MEM_STATE_DIR")
old_store(".local/state/kioku-mesh/local/raw.db")
old_store(".local/share/kioku-mesh/state/index.db")
old_store(".local/share/kioku-mesh/pending_puts.db")
old_store("data/kioku-mesh/local/index.db")  # XDG_DATA_HOME


# -- the place of the store


@breaks("settings")
def a_name_that_is_none(bench: Bench) -> Iterator[Any]:
    bench.patch.setenv("KIOKU_SPACE", "../up")
    yield check
    bench.patch.delenv("KIOKU_SPACE")


def settings_file(what: str, text: str) -> None:
    def a_config_file(bench: Bench) -> Iterator[Any]:
        path = bench.home / "config" / "config.toml"
        path.parent.mkdir()
        path.write_text(text)
        yield check
        path.write_text("")

    a_config_file.__name__ = what
    breaks("settings")(a_config_file)


settings_file("not_toml", "space = ")
settings_file("an_unknown_key", 'color = "blue"')
settings_file("a_bad_value", 'space = "../up"')


@breaks("settings")
def a_config_file_that_cannot_be_read(bench: Bench) -> Iterator[Any]:
    path = bench.home / "config" / "config.toml"
    path.mkdir(parents=True)
    yield check
    path.rmdir()


@breaks("config")
def a_config_file_that_all_can_change(bench: Bench) -> Iterator[Any]:
    path = bench.home / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text('space = "default"')
    path.chmod(0o666)
    yield check
    assert check(fix=True).fixed == (f"chmod o-w {path}",)


def mounted(kind: str, options: str = "rw") -> None:
    def on_a_file_system(bench: Bench) -> Iterator[Any]:
        table = bench.tmp_path / "mounts"
        table.write_text(f"/dev/sda / ext4 rw 0 0\nhost:/x {bench.state} {kind} {options} 0 0\n")
        bench.patch.setattr(filesystem, "MOUNTS_PATH", str(table))
        yield check
        bench.patch.setenv("KIOKU_STATE_DIR", str(bench.home / "elsewhere"))

    on_a_file_system.__name__ = kind
    breaks("filesystem")(on_a_file_system)


for each in "nfs nfs4 cifs smb3 fuse.sshfs afs ceph fuse.glusterfs lustre 9p virtiofs".split():
    mounted(each)


@breaks("directory")
def a_directory_that_all_can_write(bench: Bench) -> Iterator[Any]:
    bench.save()
    bench.state.chmod(0o777)
    yield check
    assert check(fix=True).fixed == (f"chmod o-w {bench.state}",)


@breaks("directory")
def a_file_in_the_way(bench: Bench) -> Iterator[Any]:
    bench.state.write_text("in the way")
    yield check
    bench.patch.setenv("KIOKU_STATE_DIR", str(bench.home / "elsewhere"))


@breaks("locks")
def no_shared_memory(bench: Bench) -> Iterator[Any]:
    bench.patch.setattr(trial, "_VFS", "unix-none")
    yield check
    bench.patch.setattr(trial, "_VFS", "")


@breaks("locks")
def another_process_is_kept_out(bench: Bench) -> Iterator[Any]:
    bench.patch.setattr(trial, "_VFS", "unix-excl")
    yield check
    bench.patch.setattr(trial, "_VFS", "")


@breaks("disk")
def little_room(bench: Bench) -> Iterator[Any]:
    bench.patch.setattr(place, "FREE_BYTES_WARN", 2**70)
    yield check
    bench.patch.setattr(place, "FREE_BYTES_WARN", 1)


@breaks("disk")
def no_room(bench: Bench) -> Iterator[Any]:
    bench.patch.setattr(place, "FREE_BYTES_WARN", 2**70)
    bench.patch.setattr(place, "FREE_BYTES_FAIL", 2**70)
    assert named(check(), "disk")[0].status == "fail"
    yield check
    bench.patch.setattr(place, "FREE_BYTES_WARN", 1)


@breaks("leftovers")
def what_was_interrupted(bench: Bench) -> Iterator[Any]:
    bench.save()
    names = "default.ab.key.new export.123.part default.restoring-12 b.part-7-wal".split()
    left = [bench.state / name for name in names]
    for path in left:
        path.write_text("half")
    assert named(check(), "leftovers")[0].status == "pass", "in use, for all we know"
    left.append(bench.state / f"{trial.PREFIX}abc")
    left[-1].mkdir()
    for path in left:
        os.utime(path, (0, 0))
    yield check
    [told] = check(fix=True).fixed
    assert all(str(path) in told for path in left)
    assert not any(path.exists() for path in left)
    assert (bench.state / "default.db").exists()


@breaks("spaces")
def another_space_that_is_no_store(bench: Bench) -> Iterator[Any]:
    bench.save()
    other = bench.state / "work.db"
    other.write_text("this is no database, but it is long enough" * 100)
    yield check
    other.rename(bench.tmp_path / "work.db")
