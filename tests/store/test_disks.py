"""Is a network file system recognised by the mounts of the machine?"""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors.store import NetworkFileSystem
from penstock.store.sqlite import disks
from penstock.store.sqlite.store import open_sqlite

MOUNTS = [
    ("/", "ext4"),
    ("/data", "nfs4"),
    ("/data/ann/local", "xfs"),
    ("/mnt/my disk", "fuse.sshfs"),
    ("/dat", "cifs"),
]


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv", "ext4"),
        ("/data", "nfs4"),
        ("/data/bob/project", "nfs4"),
        ("/data/ann/local/project", "xfs"),
        ("/datas", "ext4"),
        ("/mnt/my disk/p", "fuse.sshfs"),
    ],
)
def test_the_deepest_mount_counts(folder: str, kind: str) -> None:
    assert disks.kind_of(Path(folder), MOUNTS) == kind


def test_of_two_mounts_on_one_point_the_later_counts() -> None:
    assert disks.kind_of(Path("/data"), [("/data", "ext4"), ("/data", "nfs")]) == "nfs"


def test_a_store_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda / ext4 rw 0 0\nserver:/x {str(tmp_path / 'net work').replace(' ', chr(92) + '040')} nfs4 rw 0 0\n"
    )
    monkeypatch.setattr(disks, "MOUNTS", mounts)

    with pytest.raises(NetworkFileSystem, match='network file system \\("nfs4"\\)'):
        open_sqlite(tmp_path / "net work" / "penstock.db")
    open_sqlite(tmp_path / "penstock.db").close()
