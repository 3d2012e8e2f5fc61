"""Network file systems are told from local ones by any table of mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kioku.errors import UnsafeFileSystemError
from kioku.log import filesystem
from kioku.log.database import Database
from kioku.log.filesystem import Mount, check_place, find_fault, find_mount, parse_mounts

if TYPE_CHECKING:
    from pathlib import Path

TABLE = r"""
overlay / overlay rw,relatime,lowerdir=/a,upperdir=/b 0 0
tmpfs /dev/shm tmpfs rw 0 0
server:/export /mnt/nfs nfs4 rw,vers=4.2 0 0
/dev/sdb1 /mnt/nfs/local ext4 rw 0 0
//server/share /mnt/with\040space\134 cifs rw 0 0
/dev/sda2 /twice ext4 rw 0 0
server:/x /twice nfs rw 0 0
short line
""".strip().splitlines()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/.local/share/kioku", "overlay"),
        ("/dev/shm/x", "tmpfs"),
        ("/mnt/nfs", "nfs4"),
        ("/mnt/nfs/deep/er", "nfs4"),
        ("/mnt/nfsx", "overlay"),
        ("/mnt/nfs/local/x", "ext4"),
        ("/mnt/with space\\/x", "cifs"),
        ("/twice/x", "nfs"),
    ],
)
def test_a_path_lies_on_the_nearest_mount_above_it(path: str, kind: str) -> None:
    mount = find_mount(path, parse_mounts(TABLE))
    assert mount is not None
    assert mount.kind == kind


def test_a_link_is_followed_to_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    mounts = [Mount("/", "ext4"), Mount(str(tmp_path / "there"), "nfs")]
    found = find_mount(str(tmp_path / "link" / "not yet"), mounts)
    assert found is not None
    assert found.kind == "nfs"


@pytest.mark.parametrize(
    "kind",
    [
        *("nfs", "nfs4", "NFS", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.rclone", "fuse.s3fs", "fuse"),
        *("9p", "vboxsf", "fuse.vmhgfs-fuse", "fakeowner", "fuse.grpcfuse", "webdav", "remote"),
    ],
)
def test_no_store_may_lie_on_what_is_shared_between_machines(kind: str) -> None:
    assert kind in find_fault(Mount("/", kind))
    with pytest.raises(UnsafeFileSystemError, match="would be destroyed") as raised:
        check_place("/home/me", [Mount("/", kind)])
    assert raised.value.path == "/home/me"
    assert raised.value.hint


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "ext4",
            "xfs",
            "btrfs",
            "zfs",
            "apfs",
            "hfs",
            "ntfs",
            "ntfs3",
            "exfat",
            "overlay",
            "aufs",
        ),
        *("tmpfs", "ramfs", "f2fs", "bcachefs", "ecryptfs", "fuseblk", "fuse.fuse-overlayfs"),
        *("virtiofs", "local", "some-file-system-to-come"),
    ],
)
def test_a_store_may_lie_on_what_is_local(kind: str) -> None:
    check_place("/home/me", [Mount("/", kind)])


def test_the_root_of_a_sandbox_is_its_own() -> None:
    """GVisor speaks 9p with itself, over descriptors; a virtual machine's 9p has a server."""
    assert not find_fault(Mount("/", "9p", "rw,trans=fd,rfdno=4,wfdno=4"))
    assert find_fault(Mount("/mnt/c", "9p", "rw,aname=drvfs,trans=virtio"))


def test_where_nothing_is_known_nothing_is_refused() -> None:
    check_place("/home/me", [])


def test_this_machine_says_where_a_directory_lies(tmp_path: Path) -> None:
    assert find_mount(str(tmp_path), filesystem.read_mounts())


def test_what_macos_prints_is_read() -> None:
    text = """\
/dev/disk3s1 on / (apfs, sealed, local, read-only)
//me@server/share on /Volumes/Our (old) share (smbfs, nodev, nosuid)
"""
    assert list(filesystem.parse_bsd(text)) == [
        Mount("/", "apfs", "sealed, local, read-only"),
        Mount("/Volumes/Our (old) share", "smbfs", "nodev, nosuid"),
    ]


def test_a_file_that_is_there_is_opened_and_no_other_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(str(tmp_path / "old.db")).close()
    (tmp_path / "mounts").write_text(f"server:/x {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(filesystem, "MOUNTS_PATH", str(tmp_path / "mounts"))
    Database(str(tmp_path / "old.db")).close()
    with pytest.raises(UnsafeFileSystemError):
        Database(str(tmp_path / "new.db"))
    assert not (tmp_path / "new.db").exists()
