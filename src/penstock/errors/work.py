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
