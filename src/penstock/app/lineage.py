"""Where is lineage told: to the address and into the file of the settings, or into a file that one run wants?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.app.open import App
from penstock.errors.project import WrongSetting
from penstock.errors.work import AddressRefused
from penstock.services.exporting.lineage import Lineage, ToAddress, ToFile, Transport
from penstock.services.outward import check
from penstock.settings.read import expanded


def lineage_of(app: App, environ: Mapping[str, str]) -> Lineage | None:
    """What tells lineage; None where it is told nowhere, but for what is kept with runs. Raises WrongSetting."""
    said = app.project.settings.lineage
    if said is None:
        return None
    found: list[Transport] = []
    if said.url:
        url = address("lineage", expanded(said.url, environ))
        found.append(ToAddress(url=url, headers=all_expanded(said.headers, environ)))
    if said.file:
        found.append(ToFile(app.project.path(said.file)))
    return Lineage(app.core, found, said.namespace) if found else None


def lineage_into(app: App, file: Path) -> Lineage:
    """What tells lineage into a file, and nowhere else."""
    said = app.project.settings.lineage
    return Lineage(app.core, [ToFile(file.absolute())], said.namespace if said is not None else "penstock")


def address(key: str, url: str) -> str:
    """An address of the settings; raises WrongSetting for one that nobody can be called at."""
    try:
        check(url)
    except AddressRefused as error:
        raise WrongSetting(f"`{key}.url`: {error.sentence}", hint=error.hint) from None
    return url


def all_expanded(given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Values of the settings with what they take from the environment."""
    return {name: expanded(value, environ) for name, value in given.items()}
