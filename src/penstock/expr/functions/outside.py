"""Which functions reach out? Declared here for checks and the reference; whoever evaluates gives what they do."""

from __future__ import annotations

from penstock.expr.registry import outside


@outside("kv")
def kv(key: str, namespace: str | None = None, error_on_missing: bool | None = None) -> None:
    """A value kept under a key in the namespace."""


@outside("read")
def read(path: str, namespace: str | None = None, revision: int | None = None) -> None:
    """The text of a file of the namespace, or of a file that this run made."""


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


@outside("secret")
def secret(key: str, namespace: str | None = None, subkey: str | None = None, full: bool = False) -> None:
    """A secret of the namespace or one above it, or one entry of a secret that is a map; stars stand for it in logs."""


@outside("env")
def env(name: str, default: object = None) -> None:
    """An environment variable that flows may see, by its name in small letters without its prefix."""


@outside("http", rest=("options", "accept"))
def http(
    uri: str,
    method: str = "GET",
    query: object = None,
    body: object = None,
    content_type: str = "application/json",
    headers: object = None,
    *rest: object,
) -> None:
    """What an address answers, JSON and YAML already read."""


@outside("subflow")
def subflow(namespace: str, id: str, inputs: object = None, revision: int | None = None, labels: object = None) -> None:
    """The outputs of a run of another flow, for the values of an input; refused everywhere else."""
