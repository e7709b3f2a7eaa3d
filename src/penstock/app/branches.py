"""Which branches are sources of flows, as the settings say? With who asks for them, and where copies are kept."""

from __future__ import annotations

from pathlib import Path

from penstock.app.open import App
from penstock.errors.project import NoSuchFile, WrongSetting
from penstock.model import ids
from penstock.plugins.git.program import Login, address, is_ssh, ref
from penstock.services.git.source import Named, Source
from penstock.settings.branches import Branch
from penstock.settings.read import Project, expanded


def branches_of(app: App) -> dict[str, Source]:
    """The branches of a project, by name. Raises WrongSetting, BadAddress, BadId, NoSuchFile."""
    settings = app.project.settings.git
    return {ids.check_flow_id(name, "a branch"): _source(app.project, name, said) for name, said in settings.items()}


def copies_of(app: App) -> Path:
    """The folder of the copies of branches."""
    return app.where.state / "git"


def _source(project: Project, name: str, said: Branch) -> Source:
    address(said.url)
    for namespace in (*said.files, *said.namespaces.values(), *([said.within] if said.within else [])):
        ids.check_namespace(namespace)
        if said.within and namespace != said.within and not namespace.startswith(f"{said.within}."):
            raise WrongSetting(f'`git.{name}` is to change "{namespace}", which is not within "{said.within}".')
    for folder in (said.folder, *said.flows, *said.files.values()):
        if ".." in folder.split("/") or "\\" in folder:
            raise WrongSetting(f'`git.{name}` names the folder "{folder}", which is none of a repository.')
    if is_ssh(said.url) and not said.known_hosts:
        raise WrongSetting(
            f"`git.{name}` is reached by SSH, and nothing says which machine may answer.",
            hint="`ssh-keyscan HOST > known_hosts`, compared with what the host publishes, and `knownHosts` names it.",
        )
    secrets = said.secrets
    return Source(
        name=name,
        url=said.url,
        branch=ref(said.branch),
        folder=said.folder,
        flows=said.flows,
        files=said.files,
        namespaces=said.namespaces,
        within=said.within,
        every=max(said.every, 1_000_000),
        prune=said.prune,
        login=Login(
            user=expanded(said.username),
            password=expanded(said.password),
            key=_text(project, name, said.private_key),
            known_hosts=_text(project, name, said.known_hosts),
        ),
        webhook=expanded(said.webhook),
        secrets=Named(
            password=secrets.password,
            private_key=secrets.private_key,
            passphrase=secrets.passphrase,
            webhook=secrets.webhook,
        ),
    )


def _text(project: Project, name: str, file: str) -> str:
    if not file:
        return ""
    try:
        return project.path(file).read_text()
    except (OSError, UnicodeDecodeError):
        raise NoSuchFile(f"`git.{name}` names the file {file}, which cannot be read.") from None
