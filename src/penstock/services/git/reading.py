"""What does a commit say that is to stand here? Flows out of its texts, with every problem, and files of namespaces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

import msgspec

from penstock.errors import Place, Problem
from penstock.errors.git import GitFailed, WrongBranch
from penstock.services.git.mirror import Blob, Mirror
from penstock.services.git.source import Source
from penstock.services.project import Found, Manner, read_given

LARGEST_TEXT: Final = 4 * 1024 * 1024
LARGEST_FILE: Final = 64 * 1024 * 1024
MOST_BYTES: Final = 512 * 1024 * 1024
NAMESPACE: Final = re.compile(r"^(namespace[ \t]*:[ \t]*[\"']?)([A-Za-z0-9._-]+)", re.MULTILINE)


class File(msgspec.Struct, frozen=True):
    """A file that is to stand in a namespace."""

    namespace: str
    path: str
    blob: Blob


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit says; `problems` are those with files, flows tell theirs themselves."""

    commit: str
    flows: tuple[Found, ...]
    files: tuple[File, ...]
    problems: tuple[Problem, ...] = ()


def said_by(mirror: Mirror, source: Source, manner: Manner, name: str) -> Said:
    """Read a commit. Raises GitFailed."""
    tree = mirror.tree(name)
    problems: list[Problem] = []
    chosen = [each for each in tree if any(_below(each.path, _join(source.folder, one)) for one in source.flows)]
    texts: dict[str, str] = {}
    _check_size(chosen)
    fitting = [each for each in chosen if each.size <= LARGEST_TEXT]
    for each, body in zip(fitting, mirror.contents(fitting), strict=True):
        try:
            texts[each.path] = placed(body.decode(), source.namespaces)
        except UnicodeDecodeError:
            continue  # what is no text is no flow, and nothing that one could include
    flows = read_given(texts, manner)
    files = _files(tree, source)
    for one in [each for each in files if each.blob.size > LARGEST_FILE]:
        files.remove(one)
        sentence = f"The file has more than {LARGEST_FILE // 1024**2} MB, so it is no file of a namespace."
        problems.append(Problem(WrongBranch.code, sentence, place=Place(1, 1, one.blob.path)))
    _check_size([one.blob for one in files])
    return Said(commit=name, flows=tuple(flows), files=tuple(files), problems=tuple(problems))


def placed(text: str, namespaces: dict[str, str]) -> str:
    """A text with the namespaces that it is to have here; the longest that fits counts, with what lies below it."""
    if not namespaces:
        return text

    def one(match: re.Match[str]) -> str:
        own = match[2]
        for old in sorted(namespaces, key=len, reverse=True):
            if own == old or own.startswith(f"{old}."):
                return f"{match[1]}{namespaces[old]}{own[len(old) :]}"
        return match[0]

    return NAMESPACE.sub(one, text)


def _files(tree: Sequence[Blob], source: Source) -> list[File]:
    found: list[File] = []
    for namespace, folder in source.files.items():
        top = _join(source.folder, folder)
        for each in tree:
            if _below(each.path, top):
                found.append(File(namespace, each.path[len(top) :].lstrip("/"), each))
    return found


def _check_size(blobs: Sequence[Blob]) -> None:
    if sum(each.size for each in blobs) > MOST_BYTES:
        raise GitFailed(f"The branch holds more than {MOST_BYTES // 1024**2} MB of what is to stand here.")


def _join(folder: str, inner: str) -> str:
    joined = str(PurePosixPath(folder.strip("/")) / inner.strip("/"))
    return "" if joined == "." else joined


def _below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")
