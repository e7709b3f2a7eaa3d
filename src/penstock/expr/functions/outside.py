"""Which functions reach out? Declared here for checks and the reference; whoever evaluates gives what they do."""

from __future__ import annotations

from penstock.expr.registry import outside


@outside("secret")
def secret(key: str, namespace: str | None = None, subkey: str | None = None) -> None:
    """A secret of the namespace or one above it; stars stand for it in logs."""


@outside("kv")
def kv(key: str, namespace: str | None = None, error_on_missing: bool | None = None) -> None:
    """A value kept under a key in the namespace."""


@outside("read")
def read(path: str, namespace: str | None = None, revision: int | None = None) -> None:
    """The text of a file of the namespace, or of a file that this run made."""


@outside("fileURI")
def file_uri(path: str, namespace: str | None = None) -> None:
    """The address of a file of the namespace."""


@outside("fileSize")
def file_size(path: str, namespace: str | None = None) -> None:
    """How many bytes a file has."""


@outside("fileExists")
def file_exists(path: str, namespace: str | None = None) -> None:
    """True when there is such a file."""


@outside("isFileEmpty")
def is_file_empty(path: str, namespace: str | None = None) -> None:
    """True when the file has no bytes."""


@outside("errorLogs")
def error_logs() -> None:
    """The log entries of level ERROR that this run has so far."""


@outside("encrypt")
def encrypt(key: str, plaintext: str) -> None:
    """The text encrypted with AES-GCM; the key is in Base64."""


@outside("decrypt")
def decrypt(key: str, encrypted: str) -> None:
    """The text that `encrypt` was given."""


@outside("uuid")
def uuid() -> None:
    """A random UUID."""


@outside("id")
def id_() -> None:
    """A random id of letters and digits."""


@outside("ksuid")
def ksuid() -> None:
    """A random id that sorts by the time it was made."""


@outside("nanoId")
def nano_id(length: int = 21, alphabet: str | None = None) -> None:
    """A random id of a given length."""


@outside("randomInt")
def random_int(lower: int, upper: int) -> None:
    """A random whole number from lower up to, and without, upper."""


@outside("randomPort")
def random_port() -> None:
    """A port that nothing listens on."""


@outside("env")
def env(name: str, default: str | None = None) -> None:
    """An environment variable that flows may see."""


@outside("http")
def http(
    uri: str,
    method: str = "GET",
    query: object = None,
    body: object = None,
    content_type: str | None = None,
    headers: object = None,
    options: object = None,
) -> None:
    """What an address answers, JSON already read."""


@outside("tasksWithState")
def tasks_with_state(state: str) -> None:
    """The tasks of this run that are in a state."""
