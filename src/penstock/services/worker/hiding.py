"""What of a secret leaves an attempt? Nothing: stars stand for it in its end, its outputs and its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import msgspec

from penstock.errors.work import BadFileName
from penstock.model.event import Ended, Order
from penstock.sdk.launch import Launch
from penstock.services.secrets.masks import Masks
from penstock.services.worker.workdir import Files

Outputs = dict[str, object] | None
HINT = "call secret() where it is needed."
SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})


class Starred:
    """Files as tasks hand them on, but for secrets in them; `say` hears of each that had one."""

    def __init__(self, files: Files, masks: Masks, say: Callable[[str], None] = lambda _sentence: None) -> None:
        self._files = files
        self._masks = masks
        self._say = say

    def put_file(self, key: str, path: Path) -> str:
        """Keep a file under a key and give its address. Raises BadFileName for a name that tells a secret."""
        if self._masks.hide_data(path.name) != path.name:
            raise BadFileName("The name of a file holds a secret.")
        body = self._masks.file_without(path)
        if body is None:
            return self._files.put_file(key, path)
        self._say(f'The file "{path.name}" held a secret: stars stand in its place; {HINT}')
        starred = path.with_name(".penstock-starred")
        starred.write_bytes(body)
        try:
            return self._files.put_file(key, starred)
        finally:
            starred.unlink()

    def get_file(self, uri: str, path: Path) -> None:
        """Write what stands at an address to a local file."""
        self._files.get_file(uri, path)

    def delete(self, uri: str) -> bool:
        """Forget what stands at an address; whether there was anything."""
        return self._files.delete(uri)

    def size(self, uri: str) -> int:
        """Count the bytes at an address."""
        return self._files.size(uri)


def out_of_sight(launch: Launch, name: str) -> Launch:
    """A shell's commands as a file of this name, which it removes as it begins: who lists processes sees no secret."""
    *program, flag, text = launch.argv if len(launch.argv) > 2 else ("", "", "")
    if not program or flag != "-c" or PurePosixPath(program[0]).name not in SHELLS:
        return launch
    read = f'penstock_commands=$(cat ./{name}) && rm -f ./{name} && eval "$penstock_commands"'
    files = {**launch.input_files, name: text}
    return msgspec.structs.replace(launch, argv=(*program, flag, read), input_files=files)


def hidden(masks: Masks, ended: Ended, made: Outputs, say: Callable[[str], None]) -> tuple[Ended, Outputs]:
    """An attempt's end and outputs without secrets."""
    if not masks:
        return ended, made
    failure = ended.failure
    if failure is not None:
        failure = msgspec.structs.replace(failure, message=masks.hide_text(failure.message))
    told = msgspec.structs.replace(
        ended,
        failure=failure,
        state=masks.hide_data(ended.state),
        orders=tuple(_order(masks, order) for order in ended.orders),
    )
    safe = masks.hide_data(made)
    if safe is not made and safe is not None and made is not None:
        names = [name for name, value in made.items() if safe.get(name) != value]
        if names:
            say(f"A secret was in what it hands on ({', '.join(sorted(names))}): stars stand in its place; {HINT}")
    return told, safe


def _order(masks: Masks, order: Order) -> Order:
    told = msgspec.to_builtins(order)
    safe = masks.hide_data(told)
    return order if safe is told else msgspec.convert(safe, Order)
