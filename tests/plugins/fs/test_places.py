"""Do the tasks on files do the same wherever the files are: here, behind SFTP, behind FTP, behind FTP with TLS?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from tests.plugins.fs.servers import PASSWORD, SshServer, ftp_server, ssh_server

KINDS = ["local", "sftp", "ftp", "ftps"]


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """A place under test: the family's name, the properties that reach it, where it lies on this disk."""

    kind: str
    reach: dict[str, object]
    disk: Path
    root: str


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("ssh")) as server:
        yield server


@pytest.fixture(scope="module", params=KINDS)
def reached(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Where]:
    folder = tmp_path_factory.mktemp(request.param)
    match request.param:
        case "local":
            yield Where(kind="local", reach={}, disk=folder, root=str(folder))
        case "sftp":
            server = request.getfixturevalue("ssh")
            reach = {"host": "127.0.0.1", "port": server.port, "username": server.user, "keyfile": server.key}
            yield Where(kind="sftp", reach={**reach, "rootDir": False}, disk=folder, root=str(folder))
        case kind:
            with ftp_server(folder, tls=kind == "ftps") as ftp:
                reach = {"host": "127.0.0.1", "port": ftp.port, "username": "shop", "password": PASSWORD}
                trust = {"insecureTrustAllCertificates": True} if kind == "ftps" else {}
                yield Where(kind=kind, reach={**reach, **trust}, disk=ftp.folder, root="")


@pytest.fixture
def where(reached: Where, request: pytest.FixtureRequest) -> Where:
    """The place with an empty folder of this test's own."""
    name = "".join(sign if sign.isalnum() else "_" for sign in request.node.name)
    (reached.disk / name).mkdir()
    return msgspec.structs.replace(reached, disk=reached.disk / name, root=f"{reached.root}/{name}")


def run(local: LocalContext, where: Where, verb: str, **properties: object) -> Told:
    return local.run(f"{where.kind}.{verb}", {**where.reach, **properties})


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    assert told.failure is not None, told.outputs
    return str(told.failure["message"])


def names(where: Where) -> list[str]:
    return sorted(path.relative_to(where.disk).as_posix() for path in where.disk.rglob("*") if path.is_file())


def test_what_is_put_there_can_be_fetched(local: LocalContext, where: Where) -> None:
    uri = local.put("é,1\n", "orders.csv")

    put = ok(run(local, where, "upload", **{"from": uri, "to": f"{where.root}/a/b/"}))
    got = ok(run(local, where, "download", **{"from": f"{where.root}/a/b/orders.csv"}))

    assert put == {"from": uri, "to": f"{where.root}/a/b/orders.csv"}
    assert local.text(str(got["uri"])) == "é,1\n"
    assert str(got["to"]).endswith("orders.csv")
    assert names(where) == ["a/b/orders.csv"]


def test_a_file_that_is_there_is_replaced_only_if_wanted(local: LocalContext, where: Where) -> None:
    (where.disk / "x").write_text("old")
    properties = {"from": local.put("new"), "to": f"{where.root}/x"}

    assert "already" in message(run(local, where, "upload", **properties, overwrite=False))
    assert (where.disk / "x").read_text() == "old"
    ok(run(local, where, "upload", **properties))
    assert (where.disk / "x").read_text() == "new"
    assert names(where) == ["x"]


def test_a_listing_goes_below_and_filters_by_the_whole_path(local: LocalContext, where: Where) -> None:
    (where.disk / "below").mkdir()
    for name in ("1.csv", "2.txt", "below/3.csv"):
        (where.disk / name).write_text(name)

    def paths(**how: object) -> list[str]:
        files = ok(run(local, where, "list", **{"from": where.root, **how}))["files"]
        assert isinstance(files, list)
        return [str(each["path"]).removeprefix(f"{where.root}/") for each in files]

    assert paths() == ["1.csv", "2.txt", "below"]
    assert paths(recursive=True, regExp=r".*\.csv") == ["1.csv", "below/3.csv"]
    assert paths(recursive=True, maxFiles=2) == ["1.csv", "2.txt"]
    first = ok(run(local, where, "list", **{"from": where.root}))["files"]
    assert isinstance(first, list)
    assert (first[0]["name"], first[0]["fileType"], first[0]["size"]) == ("1.csv", "FILE", 5)
    assert str(first[0]["updatedDate"]).startswith("20")


@pytest.mark.parametrize(
    ("action", "left"), [("NONE", ["in/1", "in/2"]), ("DELETE", []), ("MOVE", ["done/1", "done/2"])]
)
def test_what_was_fetched_stays_or_goes(local: LocalContext, where: Where, action: str, left: list[str]) -> None:
    (where.disk / "in" / "folder").mkdir(parents=True)
    for name in ("1", "2"):
        (where.disk / "in" / name).write_text(name)
    moving = {"moveDirectory": f"{where.root}/done"} if action == "MOVE" else {}

    outputs = ok(run(local, where, "downloads", **{"from": f"{where.root}/in", "action": action, **moving}))

    files = outputs["outputFiles"]
    assert isinstance(files, dict)
    assert {name: local.text(uri) for name, uri in files.items()} == {"1": "1", "2": "2"}
    assert names(where) == left


def test_a_file_is_moved_and_deleted(local: LocalContext, where: Where) -> None:
    (where.disk / "a").write_text("a")
    (where.disk / "b").write_text("b")

    moved = ok(run(local, where, "move", **{"from": f"{where.root}/a", "to": f"{where.root}/b"}))
    again = ok(run(local, where, "move", **{"from": f"{where.root}/b", "to": f"{where.root}/new/"}))

    assert (moved["to"], again["to"]) == (f"{where.root}/b", f"{where.root}/new/b")
    assert names(where) == ["new/b"]
    uri = "from" if where.kind == "local" else "uri"
    assert ok(run(local, where, "delete", **{uri: f"{where.root}/new/b"}))["deleted"] is True
    missing = run(local, where, "delete", **{uri: f"{where.root}/new/b", "errorOnMissing": True})
    assert "no file" in message(missing)


def test_a_missing_file_is_told(local: LocalContext, where: Where) -> None:
    assert "nowhere" in message(run(local, where, "download", **{"from": f"{where.root}/nowhere"}))
    assert "nowhere" in message(run(local, where, "list", **{"from": f"{where.root}/nowhere"}))


def test_several_files_go_into_one_folder(local: LocalContext, where: Where) -> None:
    if where.kind == "local":
        (where.disk / "in").mkdir()
        (where.disk / "in" / "x.csv").write_text("x")
        copied = ok(run(local, where, "copy", **{"from": f"{where.root}/in", "to": f"{where.root}/kept/"}))
        inside = run(local, where, "copy", **{"from": f"{where.root}/in", "to": f"{where.root}/in/in"})
        assert (copied["to"], names(where)) == (f"{where.root}/kept/in", ["in/x.csv", "kept/in/x.csv"])
        assert "into itself" in message(inside)
        return
    given = {"x.csv": local.put("x"), "y.csv": local.put("y")}

    outputs = ok(run(local, where, "uploads", **{"from": given, "to": where.root}))

    assert outputs["files"] == [f"{where.root}/x.csv", f"{where.root}/y.csv"]
    assert names(where) == ["x.csv", "y.csv"]


@pytest.mark.parametrize("kind", ["ftp", "ftps", "sftp"])
def test_a_server_that_is_not_there_is_told(local: LocalContext, kind: str) -> None:
    told = local.run(f"{kind}.list", {"host": "127.0.0.1", "port": 1, "username": "x", "password": "y", "from": "/"})

    assert "127.0.0.1" in message(told)


def test_a_wrong_password_and_a_certificate_that_nobody_vouches_for_are_told(
    local: LocalContext, tmp_path: Path
) -> None:
    (tmp_path / "server").mkdir()
    with ftp_server(tmp_path / "server", tls=True) as server:
        reach = {"host": "127.0.0.1", "port": server.port, "username": "shop", "from": "/"}

        wrong = local.run("ftps.list", {**reach, "password": "wrong", "insecureTrustAllCertificates": True})
        strange = local.run("ftps.list", {**reach, "password": PASSWORD})

    assert "530" in message(wrong)
    assert "certificate verify failed" in message(strange)
