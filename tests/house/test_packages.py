"""What does Penstock bring along, and what does it load before it is asked to do anything?"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.house.source import PACKAGE, ROOT, offenders, texts

CORE_PACKAGES = 30

# What may be in memory when nothing was asked yet; the rest of the core waits until it is needed.
AT_IMPORT = frozenset({"msgspec"})
AT_HELP = frozenset({"click", "msgspec", "pyyaml", "rich", "markdown-it-py", "mdurl", "pygments", "typing-extensions"})

LOADED = "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
IMPORT = f"import json, sys\nimport penstock\n{LOADED}"
HELP = f"""
import json, sys
sys.argv = ["penstock", "--help"]
from penstock.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
{LOADED}
"""
# Installed in a Python of its own, where nothing of the others is: dbt wants a pathspec that mypy does not.
ALONE = ("requirements/dbt.txt",)


def test_the_core_is_at_most_thirty_packages() -> None:
    core = locked("core.txt")

    assert len(core) + 1 <= CORE_PACKAGES, offenders("Packages of the core install", sorted(core))


@pytest.mark.parametrize(("script", "allowed"), [(IMPORT, AT_IMPORT), (HELP, AT_HELP)], ids=["import", "help"])
def test_nothing_of_a_vendor_is_loaded_before_it_is_needed(script: str, allowed: frozenset[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}

    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    loaded = distributions(json.loads(done.stderr.splitlines()[-1]))
    assert not loaded - allowed, offenders("Loaded too early", sorted(loaded - allowed))


def distributions(modules: list[str]) -> set[str]:
    """The installed packages that loaded modules belong to, leaving out ours and what every interpreter starts with."""
    owners = packages_distributions()
    bare = subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{LOADED}"], capture_output=True, text=True, check=True
    )
    ours = {"penstock", *json.loads(bare.stderr.splitlines()[-1])}
    return {normal(name) for module in modules if module not in ours for name in owners.get(module, ())}


@pytest.mark.parametrize("extra", ["postgres", "s3", "duckdb", "http", "uv"])
def test_every_extra_is_in_the_lock_of_those_who_develop(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    wanted = {normal(re.split(r"[^\w.-]", need)[0]) for need in project["optional-dependencies"][extra]}

    assert wanted <= locked("dev.txt")


def test_the_locks_agree_on_every_version() -> None:
    together = [(path, text) for path, text in locks() if path not in ALONE]
    pins = {path: dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.M)) for path, text in together}

    versions = {name: {own[name] for own in pins.values() if name in own} for own in pins.values() for name in own}

    assert not [f"{name}: {sorted(found)}" for name, found in versions.items() if len(found) > 1]


def test_the_locks_name_packages_versions_and_hashes_and_no_address() -> None:
    strange = [
        f"{path}:{number} {line}"
        for path, text in locks()
        for number, line in enumerate(text.splitlines(), 1)
        if not re.fullmatch(r"[\w.-]+==[\w.+!]+( ; [^:/]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line)
    ]

    assert not strange, offenders("Lines of lock files that are not a package, a version or a hash", strange)


def locks() -> list[tuple[str, str]]:
    """Every lock file with its text."""
    return [(path, text) for path, text in texts(".txt") if path.startswith("requirements/")]


def locked(name: str) -> set[str]:
    """The packages of one lock file, those that only another system installs included."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return {normal(package) for package in re.findall(r"^([\w.-]+)==", text, re.M)}


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
