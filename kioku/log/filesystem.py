"""Which file system a store would lie on, and whether SQLite can live there.

The rule this module guards: **no store is created on a network file system**. Its locks are
advisory between machines at best, and the shared memory of a write-ahead log is none between two of
them: the file is destroyed without an error (docs/adr/0058). Asked only when a store is about to be
created, so that no ordinary save pays for it, and by ``doctor``.

The table of mounts is an argument; ``read_mounts`` reads this machine's.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.errors import UnsafeFileSystemError

if TYPE_CHECKING:
    from collections.abc import Iterable

MOUNTS_PATH: Final = "/proc/self/mounts"
_ESCAPES: Final = ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\"))
_DRIVE_REMOTE: Final = 4  # GetDriveTypeW

# Between machines: what one locks or maps the other does not see, or not in time.
NETWORK_KINDS: Final = frozenset(
    "nfs nfs3 nfs4 cifs smb smb2 smb3 smbfs ncp ncpfs afs auristorfs kafs coda ceph gluster"
    " glusterfs lustre gpfs beegfs beegfs_nodev panfs pvfs2 orangefs gfs gfs2 ocfs2 moosefs"
    " davfs webdav afpfs sshfs 9p remote".split()
)
# Between a virtual machine and its host, by drivers without shared writable mappings.
HOST_KINDS: Final = frozenset("vboxsf prl_fs vmhgfs drvfs fakeowner osxfs grpcfuse".split())
# FUSE says nothing about where the files are; of these it is known that they are here.
LOCAL_FUSE_KINDS: Final = frozenset(
    "fuseblk fuse.fuse-overlayfs fuse.mergerfs fuse.bindfs fuse.gocryptfs fuse.encfs fuse.cryfs"
    " fuse.ntfs-3g fuse.ntfs fuse.exfat fuse.fuse2fs fuse.ext2 fuse.unionfs fuse.unionfs-fuse"
    " fuse.zfs-fuse fuse.apfs-fuse".split()
)


class Mount(NamedTuple):
    """One line of the table of mounts."""

    point: str
    kind: str
    options: str = ""


def read_mounts() -> list[Mount]:
    """Give this machine's mounts, in the order they were made; none where it does not say."""
    if sys.platform == "darwin":
        return list(parse_bsd(_mount_command()))
    try:
        with open(MOUNTS_PATH, encoding="utf-8", errors="surrogateescape") as file:
            return parse_mounts(file)
    except OSError:
        return []


def parse_mounts(lines: Iterable[str]) -> list[Mount]:
    """Read the lines of ``/proc/self/mounts``: device, point, kind, options."""
    fields = (line.split(" ") for line in lines)
    return [Mount(_unescaped(f[1]), f[2], f[3]) for f in fields if len(f) > 3]


def _unescaped(point: str) -> str:
    for escape, character in _ESCAPES:
        point = point.replace(escape, character)
    return point


def _mount_command() -> str:
    from subprocess import run

    try:
        done = run(["/sbin/mount"], capture_output=True, timeout=5, check=False)
    except (OSError, ValueError):
        return ""
    return os.fsdecode(done.stdout)


def parse_bsd(text: str) -> Iterable[Mount]:
    """Read what ``mount`` prints on macOS: ``DEVICE on POINT (KIND, OPTION, …)``."""
    for line in text.splitlines():
        place, _, described = line.rpartition(" (")
        point = place.partition(" on ")[2]
        kind, _, options = described.rstrip(")").partition(", ")
        if point:
            yield Mount(point, kind, options)


def find_mount(path: str, mounts: Iterable[Mount]) -> Mount | None:
    """Give the mount that a path lies on, whether or not the path is there; None if unknown."""
    real = os.path.realpath(path)
    if os.name == "nt":
        return _find_drive(real)
    found: Mount | None = None
    for mount in mounts:
        is_above = real == mount.point or real.startswith(mount.point.rstrip("/") + "/")
        # Of two at one point the later hides the earlier.
        if is_above and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def _find_drive(path: str) -> Mount | None:
    import ctypes

    drive = os.path.splitdrive(path)[0]
    if drive.startswith("\\\\"):
        return Mount(drive, "remote")
    windll = getattr(ctypes, "windll", None)
    is_remote = windll and windll.kernel32.GetDriveTypeW(drive + "\\") == _DRIVE_REMOTE
    return Mount(drive, "remote" if is_remote else "local")


def find_fault(mount: Mount | None) -> str:
    """Say why no store may lie on a mount; empty if it may.

    An unknown kind is taken for local: most are. Of FUSE only what is known to be local is taken.
    """
    if mount is None:
        return ""
    kind = mount.kind.lower()
    if kind == "9p" and "trans=fd" in mount.options.split(","):
        return ""  # a sandbox's own root (gVisor): nobody else has those descriptors
    name = kind.removeprefix("fuse.")
    if kind in NETWORK_KINDS or name in NETWORK_KINDS:
        return f"a network file system ({mount.kind})"
    if kind in HOST_KINDS or name.removesuffix("-fuse") in HOST_KINDS:
        return f"a folder shared with the host of this virtual machine ({mount.kind})"
    if kind.startswith("fuse") and kind not in LOCAL_FUSE_KINDS:
        return f"a FUSE file system that is not known to be local ({mount.kind})"
    return ""


def is_shared(mount: Mount | None) -> bool:
    """Whether another system may use the same files by ways whose locks we do not see.

    Only virtiofs: locks and mappings work among the guest's processes, which is what most have.
    """
    return mount is not None and mount.kind == "virtiofs"


def check_place(path: str, mounts: Iterable[Mount] | None = None) -> None:
    """Refuse a place where a new store would be destroyed.

    Raises:
        UnsafeFileSystemError: if it lies on a network file system, or one like it.
    """
    fault = find_fault(find_mount(path, read_mounts() if mounts is None else mounts))
    if fault:
        raise UnsafeFileSystemError(path, fault)


def is_fit(path: str) -> bool:
    """Whether a store could lie there; a backup, which nobody writes, can lie anywhere."""
    return not find_fault(find_mount(path, read_mounts()))
