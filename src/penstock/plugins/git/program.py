"""How is the program git run? With a list of arguments, refs and addresses looked at, secrets by environment only."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from penstock.errors.task import BadAddress, MissingExtra
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

SCHEMES: Final = ("https", "http", "ssh", "git", "file")
SHORT_SSH: Final = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:(?!-)[^\s]+")
REF: Final = re.compile(r"(?!-)(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)))(?!.*[/.]$)[^\s\x00-\x1f\x7f~^:?*\[\\]+")
COMMIT: Final = re.compile(r"[0-9a-fA-F]{7,64}")
SETTING: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:\.[^\n\x00]+)?\.[A-Za-z][A-Za-z0-9-]*")
# git asks this for the name and the password; it answers from its environment and holds nothing itself.
ASKED: Final = """#!/bin/sh
case "$1" in
  [Uu]sername*) printf '%s\\n' "$PENSTOCK_GIT_USER" ;;
  *assphrase*) printf '%s\\n' "$PENSTOCK_GIT_PASSPHRASE" ;;
  *) printf '%s\\n' "$PENSTOCK_GIT_PASSWORD" ;;
esac
"""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, with a password or a private key; `known_hosts` are keys that a machine may have (none: any)."""

    user: str = ""
    password: str = ""
    key: str = ""
    passphrase: str = ""
    known_hosts: str = ""


class Git:
    """The program in one folder, with one login; open while its secrets lie in a folder that only we may enter."""

    def __init__(self, context: Context, folder: Path, env: Mapping[str, str], secrets: Sequence[str]) -> None:
        self.folder = folder
        self._context = context
        self._env = dict(env)
        self._secrets = [secret for secret in secrets if secret]

    def at(self, folder: Path) -> Git:
        """The same in another folder."""
        return Git(self._context, folder, self._env, self._secrets)

    def run(self, *arguments: str, given: str = "", env: Mapping[str, str] | None = None) -> str:
        """Run it and give what it says; TaskFailed, with its words, when it fails."""
        code, out, error = self._done(arguments, given, env)
        if code:
            raise TaskFailed(f"git {arguments[0]} failed: {self._clean(error or out)}")
        return out

    def holds(self, *arguments: str) -> bool:
        """Whether it ends with yes."""
        return self._done(arguments, "", None)[0] == 0

    def _done(self, arguments: Sequence[str], given: str, env: Mapping[str, str] | None) -> tuple[int, str, str]:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**self._env, **(env or {})},
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "********")
        return " ".join(text.split())[-800:]


@contextlib.contextmanager
def opened(context: Context, login: Login, settings: Mapping[str, str]) -> Iterator[Git]:
    """git, for the length of the block; settings go as if they stood in its configuration."""
    if shutil.which("git") is None:
        raise MissingExtra("The program git is not on this machine.", hint="Install it: apt-get install git.")
    private = Path(tempfile.mkdtemp(prefix="penstock-git-"))
    try:
        env = surroundings(private, login, settings)
        yield Git(context, context.workdir, env, [login.password, login.passphrase])
    finally:
        shutil.rmtree(private, ignore_errors=True)


def surroundings(private: Path, login: Login, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of git for one login, whose files go into a folder that only we may enter; nobody is asked for
    anything, and neither hooks nor the settings of this machine or its user count.
    """
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "HOME": str(private),
        "LC_ALL": "C",
        **_who(private, login),
        **_configured({"core.hooksPath": os.devnull, "protocol.ext.allow": "never", **settings}),
    }


def _who(private: Path, login: Login) -> dict[str, str]:
    helper = private / "ask"
    helper.write_text(ASKED)
    helper.chmod(0o700)
    env = {
        "GIT_ASKPASS": str(helper),
        "SSH_ASKPASS": str(helper),
        "SSH_ASKPASS_REQUIRE": "force",
        "PENSTOCK_GIT_USER": login.user,
        "PENSTOCK_GIT_PASSWORD": login.password,
        "PENSTOCK_GIT_PASSPHRASE": login.passphrase,
    }
    known = private / "known_hosts"
    known.write_text(login.known_hosts)
    strict = "yes" if login.known_hosts else "no"
    ssh = f"ssh -o StrictHostKeyChecking={strict} -o UserKnownHostsFile={known} -o LogLevel=ERROR"
    if login.key:
        key = private / "key"
        key.touch(mode=0o600)
        key.write_text(login.key.strip() + "\n")
        ssh += f" -o IdentitiesOnly=yes -i {key}"
    return {**env, "GIT_SSH_COMMAND": ssh}


def _configured(settings: Mapping[str, str]) -> dict[str, str]:
    env = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        if not SETTING.fullmatch(name):
            raise TaskFailed(f'"{name}" is no name of a setting of git.')
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def address(url: str) -> tuple[str, str, str]:
    """A repository's address without the login that stood in it, and that; BadAddress for what git might misread."""
    text = url.strip()
    if any(ord(sign) < 33 or ord(sign) == 127 for sign in text):
        raise BadAddress("The address of the repository has a blank or an unseen sign in it.")
    if SHORT_SSH.fullmatch(text) or text.startswith("/"):
        return text, "", ""
    split = urlsplit(text)
    if split.scheme.lower() not in SCHEMES or (split.hostname or "").startswith("-"):
        raise BadAddress(
            f'"{split._replace(netloc=split.netloc.rpartition("@")[2]).geturl()[:200]}" is no address of a repository.',
            hint=f"It begins with {', '.join(f'{scheme}://' for scheme in SCHEMES)}, or is user@host:path.",
        )
    if split.scheme.lower() == "ssh":
        return text, "", ""
    bare = split._replace(netloc=split.netloc.rpartition("@")[2]).geturl()
    return bare, unquote(split.username or ""), unquote(split.password or "")


def is_ssh(url: str) -> bool:
    """Whether an address is reached by SSH."""
    text = url.strip()
    return text.lower().startswith("ssh://") or ("://" not in text and not text.startswith("/"))


def ref(name: str, what: str = "branch") -> str:
    """The name of a branch or a tag; BadAddress for what git would refuse, or take for an option."""
    if not REF.fullmatch(name) or name == "@":
        raise BadAddress(f'"{name}" cannot be the name of a {what}.')
    return name


def commit(name: str) -> str:
    """The name of a commit; BadAddress for what is none."""
    if not COMMIT.fullmatch(name):
        raise BadAddress(f'"{name}" is no commit: those are hexadecimal.')
    return name
