"""Are the parts of which containers are made right, without an engine?"""

from __future__ import annotations

import base64
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from penstock.errors.work import EngineRefused, NoEngine, NoImage
from penstock.runners.container import engine, files, images
from penstock.runners.container.body import body_of
from penstock.runners.container.wanted import Wanted, fence_of, labels_of, name_of
from penstock.sdk.container import FOLDER, Bounds, Container, Device, Registry


def wanted(**said: Any) -> Wanted:
    """A container that somebody wants."""
    return Wanted(
        name="penstock-r-s-1-7",
        run="r",
        step="s",
        fence=7,
        record="/records/penstock-r-s-1-7",
        worker="one",
        container=Container(image="i", **said),
        argv=("/bin/sh", "-c", "true"),
        env={"A": "1", "PENSTOCK_ATTEMPT": "1"},
    )


def unpacked(members: list[tarfile.TarInfo], folder: Path, *, mirror: bool = False) -> list[str]:
    """Unpack a stream of these members below `work`."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    held.seek(0)
    return files.unpack(held, folder, mirror=mirror)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """A member of a stream of tar; a file has one byte."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, int(kind == tarfile.REGTYPE)
    return info


def test_what_is_packed_is_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "from"
    (folder / "deep/er").mkdir(parents=True)
    (folder / "deep/er/x.bin").write_bytes(b"1" * 100_000)
    (folder / "tool").write_text("run")
    (folder / "tool").chmod(0o700)
    (folder / "link").symlink_to("deep/er/x.bin")
    (folder / ("long" * 40)).write_text("a long name")

    with tarfile.open(fileobj=io.BytesIO(b"".join(files.pack({"/a/box": folder})))) as archive:
        found = {one.name: one for one in archive}
        held = archive.extractfile("a/box/deep/er/x.bin")

    assert sorted(found) == sorted(
        f"a{name}" for name in ("", "/box", "/box/deep", "/box/deep/er", "/box/deep/er/x.bin", "/box/link",
                                f"/box/{'long' * 40}", "/box/tool")
    )  # fmt: skip
    assert held is not None
    assert held.read() == b"1" * 100_000
    assert (found["a/box/tool"].mode, found["a/box/deep/er/x.bin"].mode) == (0o766, 0o666)


def test_what_comes_back_stays_in_its_folder(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "outer").mkdir()

    left = unpacked(
        [
            member("work", tarfile.DIRTYPE),
            member("work/../../outer/a"),
            member("work/out", tarfile.SYMTYPE, str(tmp_path / "outer")),
            member("work/up", tarfile.SYMTYPE, "../outer"),
            member("work/up/b"),
            member("work/pipe", tarfile.FIFOTYPE),
            member("work/good", tarfile.SYMTYPE, "file"),
            member("work/file"),
            member("work/again", tarfile.LNKTYPE, "work/file"),
        ],
        inner,
    )

    assert left == ["work/../../outer/a", "work/out", "work/up", "work/pipe"]
    assert list((tmp_path / "outer").iterdir()) == []
    assert {one.name for one in inner.iterdir()} == {"up", "good", "file", "again"}


def test_a_shared_folder_becomes_what_the_container_left(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone/x").touch()
    (tmp_path / "kept").touch()

    unpacked([member("work", tarfile.DIRTYPE), member("work/kept"), member("work/new")], tmp_path, mirror=True)

    assert sorted(one.name for one in tmp_path.iterdir()) == ["kept", "new"]


def test_the_program_takes_the_place_of_the_images_own() -> None:
    plain, entered = body_of(wanted()), body_of(wanted(entry_point=("tini", "--")))

    assert (plain["Entrypoint"], plain["Cmd"]) == (["/bin/sh"], ["-c", "true"])
    assert (entered["Entrypoint"], entered["Cmd"]) == (["tini", "--"], ["/bin/sh", "-c", "true"])
    assert plain["WorkingDir"] == FOLDER


def test_what_a_container_may_use_is_told_in_the_engines_units() -> None:
    bounds = Bounds(cpus=1.5, memory=64, memory_and_swap=-1, shared_memory=8, open_files=100)
    gpus = Device(count=-1, capabilities=(("gpu",),))
    asked = wanted(bounds=bounds, devices=(gpus,), network="host", hosts=("db:10.0.0.1",), privileged=True)

    assert body_of(asked)["HostConfig"] == {
        "NetworkMode": "host",
        "ExtraHosts": ["db:10.0.0.1"],
        "Privileged": True,
        "DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}],
        "NanoCpus": 1_500_000_000,
        "Memory": 64,
        "MemorySwap": -1,
        "ShmSize": 8,
        "Ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 100}],
    }


def test_ports_are_read_as_docker_writes_them() -> None:
    body = body_of(wanted(ports=("8080:80", "127.0.0.1:53:53/udp", "[::1]:1:80", "90")))

    assert sorted(body["ExposedPorts"]) == ["53/udp", "80/tcp", "90/tcp"]
    assert body["HostConfig"] == {
        "PortBindings": {
            "80/tcp": [{"HostPort": "8080"}, {"HostPort": "1", "HostIp": "::1"}],
            "53/udp": [{"HostPort": "53", "HostIp": "127.0.0.1"}],
            "90/tcp": [{"HostPort": ""}],
        }
    }
    with pytest.raises(EngineRefused, match='"http" is no port'):
        body_of(wanted(ports=("http",)))


def test_attempts_at_the_same_work_have_one_fingerprint() -> None:
    first, second = wanted(), wanted()
    second.env["PENSTOCK_ATTEMPT"] = "2"

    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != wanted(user="me").fingerprint
    assert (wanted().resumable, wanted(mounted=True).resumable, wanted(delete=False).resumable) == (True, False, False)


def test_a_name_ends_with_its_owners_fence() -> None:
    name = name_of("01m7", "each[3]/load data", 2, 41)

    assert name == "penstock-01m7-each-3-load-data-2-41"
    assert (fence_of(name), fence_of(f"{name}-kept"), fence_of("somebody")) == (41, None, None)


def test_labels_of_people_are_cut_where_kestra_cuts_them() -> None:
    labels = labels_of(run="r" * 40, step="each[1]/load" + "x" * 80, attempt=3, flow="f", namespace="n")

    assert labels["penstock/step"] == "each[1]/load" + "x" * 80
    assert labels["kestra.io/task-id"] == ("load" + "x" * 80)[:63]
    assert labels["kestra.io/taskrun-attempt"] == "2"


@pytest.mark.parametrize(
    ("image", "name", "tag", "registry"),
    [
        ("python", "python", "latest", images.HUB),
        ("python:3.12-slim", "python", "3.12-slim", images.HUB),
        ("ghcr.io/kestra-io/dbt", "ghcr.io/kestra-io/dbt", "latest", "ghcr.io"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b", "1", "localhost:5000"),
        ("me/it@sha256:00", "me/it@sha256:00", "", images.HUB),
    ],
)
def test_an_images_name_is_taken_apart(image: str, name: str, tag: str, registry: str) -> None:
    assert images.split(image) == (name, tag)
    assert images.registry_of(name) == registry


@pytest.mark.parametrize(
    "said",
    [
        Registry(username="me", password="word"),
        Registry(auth=base64.b64encode(b"me:word").decode()),
        Registry(config=json.dumps({"auths": {"https://ghcr.io": {"auth": base64.b64encode(b"me:word").decode()}}})),
    ],
)
def test_a_registry_is_shown_who_asks(said: Registry) -> None:
    header = json.loads(base64.urlsafe_b64decode(images.auth(said, "ghcr.io")))

    assert header == {"username": "me", "password": "word", "serveraddress": "ghcr.io"}


def test_nobody_asks_where_nobody_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert images.auth(Registry(), "ghcr.io") == ""

    (tmp_path / "config.json").write_text('{"auths": {"ghcr.io": {"identitytoken": "t"}}}')
    assert json.loads(base64.urlsafe_b64decode(images.auth(Registry(), "ghcr.io")))["identitytoken"] == "t"

    with pytest.raises(NoImage, match=r"no config\.json"):
        images.auth(Registry(config="{"), "ghcr.io")


def test_an_engine_is_looked_for_where_it_is_said_then_where_it_usually_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in engine.NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "docker.sock").touch()

    if not any(path.exists() for path in engine.usual()[3:]):
        with pytest.raises(NoEngine, match="nobody answers at") as found:
            engine.find("")
        assert "podman.socket" in found.value.hint
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    assert engine.find("").address == "tcp://10.0.0.1:2375"
    monkeypatch.setenv("CONTAINER_HOST", "/run/mine.sock")
    assert engine.find("").address == "unix:///run/mine.sock"
    assert engine.find("https://there").address == "https://there"
    with pytest.raises(NoEngine, match='cannot be reached by "ssh:"'):
        engine.Engine("ssh://me@there").call("GET", "/_ping")
