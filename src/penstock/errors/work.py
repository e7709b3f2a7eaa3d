"""Which errors can workers and attempts meet? Codes PS-5xx."""

from __future__ import annotations

from penstock.errors import PenstockError


class NoInterpreter(PenstockError):
    """The Python that a task is to run in cannot be started."""

    code = "PS-501"
    hint = "Check the Python environments in penstock.yaml; `penstock doctor` tries each of them."


class BadFileName(PenstockError):
    """A file's name would leave the working directory of its attempt."""

    code = "PS-502"
    hint = 'Give a name inside the working directory: no leading "/", no "..".'


class FileMissing(PenstockError):
    """A file that an attempt needs, or says it made, is not there."""

    code = "PS-503"


class BadAnswer(PenstockError):
    """An attempt's process spoke on its channel in a way that makes no sense."""

    code = "PS-504"


class WorkerTwice(PenstockError):
    """A worker of this name runs already."""

    code = "PS-505"


class LeaseLost(PenstockError):
    """The worker could not confirm its lease in time, so it ended what it ran."""

    code = "PS-506"
    hint = "The store could not be reached, or the machine stood still; the attempts run again elsewhere."


class FolderGone(PenstockError):
    """A task of a working directory was given to a worker that does not hold its folder."""

    code = "PS-507"
    hint = "The worker that held it is gone; the working directory begins anew."


class NotInstalled(PenstockError):
    """The packages that a task needs could not be installed."""

    code = "PS-508"


class NoEngine(PenstockError):
    """No container engine answers, where a task is to run in a container."""

    code = "PS-509"
    hint = (
        "Start one: `systemctl --user start podman.socket` (rootless), `systemctl start docker`, or `podman system "
        "service --time=0 unix:///tmp/podman.sock` with CONTAINER_HOST=unix:///tmp/podman.sock; DOCKER_HOST names "
        "another, and `taskRunner: {type: process}` needs none."
    )


class EngineRefused(PenstockError):
    """The container engine did not do what it was asked for; its HTTP status and own words, where it answered."""

    code = "PS-510"

    def __init__(self, sentence: str, *, status: int = 0, message: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.message = message or sentence


class NoImage(PenstockError):
    """An image is not there, and could not be fetched or was not to be."""

    code = "PS-511"


class NotAllowed(PenstockError):
    """A container asks for something of the machine that the project does not allow."""

    code = "PS-512"


class AddressRefused(PenstockError):
    """A server was to call an address that it must not call: this machine's own, its link's, or none of HTTP."""

    code = "PS-513"


class Unanswered(PenstockError):
    """An address that a server was to call does not answer."""

    code = "PS-514"
