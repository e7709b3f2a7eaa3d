"""May SQLite keep a database in this folder? Its locks and shared memory cannot be trusted across a network."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from penstock.errors.store import NetworkFileSystem

NETWORK: Final = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "afpfs",
        "ceph",
        "coda",
        "glusterfs",
        "lustre",
        "beegfs",
        "gpfs",
        "ncpfs",
        "ocfs2",
        "gfs2",
        "orangefs",
        "davfs",
        "webdav",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.ceph",
        "fuse.s3fs",
        "fuse.rclone",
        "fuse.goofys",
        "fuse.davfs2",
        "fuse.gcsfuse",
        "fuse.blobfuse",
        "fuse.blobfuse2",
        "fuse.mount-s3",
        "fuse.juicefs",
        "fuse.seaweedfs",
        "fuse.cephfs",
    }
)
MOUNTS: Final = Path("/proc/mounts")


def check_disk(folder: Path, *, thoroughly: bool = True) -> None:
    """Refuse a folder that lies on a network file system; only `thoroughly` where that takes a program to find out."""
    if not (thoroughly or MOUNTS.exists()):
        return
    kind = kind_of(folder.resolve(), _mounts())
    if kind in NETWORK:
        raise NetworkFileSystem(f'{folder} lies on a network file system ("{kind}"), where SQLite may lose data.')


def kind_of(folder: Path, mounts: Iterable[tuple[str, str]]) -> str:
    """Give the type of the file system that holds a folder; of (mount point, type) the deepest and last one counts."""
    best, kind = -1, ""
    for point, name in mounts:
        if folder.is_relative_to(point) and len(point) >= best:
            best, kind = len(point), name
    return kind


def _mounts() -> list[tuple[str, str]]:
    if MOUNTS.exists():
        lines = [line.split(" ") for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
        return [(_plain(fields[1]), fields[2]) for fields in lines if len(fields) > 2]
    # macOS: `/dev/disk1 on /path (apfs, local, …)`.
    listed = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False).stdout.splitlines()
    parts = [line.partition(" on ")[2].rpartition(" (") for line in listed]
    return [(point, options.split(",")[0].rstrip(")")) for point, _, options in parts if point]


def _plain(point: str) -> str:
    """Undo the octal escapes of /proc/mounts."""
    for escape, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(escape, sign)
    return point
