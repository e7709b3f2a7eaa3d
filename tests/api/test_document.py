"""Does the API keep what its OpenAPI document says, whoever calls it with whatever that allows or forbids?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.api.route import Kind
from penstock.api.routes.table import TABLE
from penstock.api.serve import Server
from penstock.api.who import who_of
from penstock.model.access import ActorKind
from penstock.services.access import people, tokens
from penstock.services.access.tokens import Wanted
from tests.api.house import OWNER, WAITS, House

HERE = Path(__file__).parent
SEED = "7"
# They go on for as long as somebody listens, and a test of requests waits for their end; test_live.py listens to them.
STREAMS = [row.path for row in TABLE if row.kind is Kind.STREAM]
PHASES = {
    "coverage": ["--phases", "examples,coverage"],
    "fuzzing": ["--phases", "fuzzing,stateful", "--max-examples", "8"],
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server with flows and runs in its store, and the token of a program that may do everything."""
    house = House(tmp_path, str(tmp_path / "penstock.db"))
    house.ran()
    house.ran(WAITS)
    core = house.core.asked_by(OWNER)
    people.add(core, "robot", kind=ActorKind.SERVICE)
    people.grant(core, "robot", "owner")
    secret = tokens.add(core, "robot", Wanted()).secret
    made = Server(house.app, who_of(house.app, "here"))
    made.start()
    yield made.url, secret
    made.close()
    house.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("phase", PHASES)
def test_what_is_served_is_what_is_told(server: tuple[str, str], phase: str, tmp_path: Path) -> None:
    asked(server, tmp_path, *PHASES[phase])


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_what_is_served_is_what_is_told_for_long(server: tuple[str, str], seed: str, tmp_path: Path) -> None:
    asked(server, tmp_path, "--max-examples", "100", "--seed", seed)


def asked(server: tuple[str, str], folder: Path, *how: str) -> None:
    """Let schemathesis call everything that the document tells of."""
    url, token = server
    whole = [part for path in STREAMS for part in ("--exclude-path", path)]
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run",
        f"{url}/openapi.json", "--header", f"Authorization: Bearer {token}", "--seed", SEED, "--no-color",
        "--no-shrink", "--warnings", "off", "--request-timeout", "20", "--continue-on-failure", *whole, *how,
    ]  # fmt: skip
    around = os.environ | {"SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks", "COLUMNS": "160"}
    around["PYTHONPATH"] = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    done = subprocess.run(command, cwd=folder, env=around, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
