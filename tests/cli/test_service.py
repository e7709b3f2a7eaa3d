"""Are the units what systemd reads, kept where `deploy` has them, written with care and taken away again?"""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.cli import units
from penstock.cli.units import Home
from tests.cli.conftest import Penstock
from tests.plugins.fs.servers import absent

DEPLOYED = Path(__file__).parents[2] / "deploy" / "systemd"
SECRET = "postgresql://penstock:s3cret%2F@db/penstock"


def deployed() -> dict[str, str]:
    """The files of `deploy/systemd`, as an installation in /opt has them."""
    program = ("/opt/penstock/bin/penstock",)
    home = Home(folder="/srv/penstock", environment="/etc/penstock/penstock.env", user="penstock")
    made = (units.server(program, "127.0.0.1", 8080, 10, home), units.worker(program, 0, 10, home))
    return {f"{each.name}.service": units.text(each) for each in made} | {"penstock.env": units.environment("")}


def test_what_is_deployed_is_what_is_installed() -> None:
    kept = {path.name: path.read_text() for path in DEPLOYED.iterdir()}

    assert kept == deployed(), "write them anew: python -m tests.cli.test_service"


def test_units_are_shown_written_and_taken_away(penstock: Penstock, tmp_path: Path) -> None:
    root, asked = tmp_path / "image", ("service", "install", "--root", str(tmp_path / "image"))

    shown = penstock(*asked, "--dry-run", "--store", SECRET)
    assert not root.exists()
    done = penstock(*asked, "--yes", "--store", SECRET)
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    again = penstock(*asked, "--yes")
    gone = penstock(*asked, "--uninstall", "--yes")
    nothing = penstock(*asked, "--uninstall", "--yes")

    assert [each.code for each in (shown, done, again, gone, nothing)] == [0, 0, 0, 0, 2], (shown, done, again, gone)
    assert shown.out == done.out and "ExecStart=" in done.out
    assert sorted(found) == [
        "etc/penstock/penstock.env",
        "etc/systemd/system/penstock-serve.service",
        "etc/systemd/system/penstock-worker.service",
    ]
    kept = root / "etc/penstock/penstock.env"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert SECRET in kept.read_text()
    assert [path for path in root.rglob("*") if path.is_file()] == [kept]
    assert SECRET not in "".join((shown.out, shown.err, done.out, done.err))


def test_one_user_has_units_without_being_root(
    penstock: Penstock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    done = penstock("service", "install", "worker", "--user", "--yes", "--slots", "3")

    unit = (tmp_path / "systemd" / "user" / "penstock-worker.service").read_text()
    assert done.code == 0
    assert "User=" not in unit and "ProtectSystem" not in unit
    assert "worker --slots 3 --json" in unit and "WantedBy=default.target" in unit
    assert not (tmp_path / "systemd" / "user" / "penstock-serve.service").exists()


def test_who_is_not_there_runs_nothing(penstock: Penstock) -> None:
    assert penstock("service", "install", "--yes", "--as", "nobody-of-this-name").code == 2
    assert penstock("service", "install", "--root", "/tmp/x", "--yes", "--host", "a\nExecStart=/bin/sh").code == 2


@pytest.mark.parametrize(
    ("word", "said"),
    [("plain", "plain"), ("a b", '"a b"'), ("50%", "50%%"), ("$HOME", '"$$HOME"'), ('a"b\\', '"a\\"b\\\\"')],
)
def test_words_reach_the_program_as_they_are(word: str, said: str) -> None:
    assert units.quoted(word) in (said, f'"{said}"')


@pytest.mark.parametrize("system", [True, False])
def test_systemd_understands_every_line(tmp_path: Path, system: bool) -> None:
    if shutil.which("systemd-analyze") is None:
        absent("systemd-analyze is not here: apt-get install systemd")
    home = Home(folder=str(tmp_path), environment=str(tmp_path / "env"), user="root" if system else "")
    program = (sys.executable, "-m", "penstock")
    (tmp_path / "env").write_text(units.environment(SECRET))
    files = []
    for unit in (units.server(program, "127.0.0.1", 8080, 10, home), units.worker(program, 2, 10, home)):
        files.append(tmp_path / f"{unit.name}.service")
        files[-1].write_text(units.text(unit))

    scope = ["--user"] if not system else []
    done = subprocess.run(
        ["systemd-analyze", *scope, "verify", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        env={"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )

    assert (done.returncode, done.stderr.strip()) == (0, "")


if __name__ == "__main__":
    for name, text in deployed().items():
        (DEPLOYED / name).write_text(text)
