"""How does a flow reach a machine by SSH, and run commands there?"""

from __future__ import annotations

import contextlib
import enum
import io
import re
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta, field

from penstock.errors.task import MissingExtra, NotOffered
from penstock.sdk.context import Context, Level
from penstock.sdk.launch import is_stored
from penstock.sdk.task import Mode, Outcome, Outputs, Result, TaskFailed, TaskType
from penstock.sdk.values import Secret

PATIENCE: Final = 30
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SAID: Final = re.compile(r"::(\{.*\})::")


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Where to log in, and as whom; `key` is a private key's text, its path, or a stored file's address."""

    host: str
    port: int = 22
    user: str = ""
    key: str = ""
    passphrase: str = ""


class SshTask(TaskType, frozen=True, kw_only=True):
    """What every task declares that reaches a machine by SSH."""

    mode: ClassVar[Mode] = Mode.WARM

    host: Annotated[str, Meta(description="The machine.", examples=["files.example.org"])]
    port: Annotated[int, Meta(description="Its port.")] = 22
    username: Annotated[str, Meta(description="Who logs in; this process's user unless given.")] = ""
    password: Annotated[Secret, Meta(description="The password.")] = Secret("")
    known_hosts: Annotated[
        str, Meta(description="Lines as in `known_hosts`: the keys that the machine may have; none means any.")
    ] = ""

    def libraries(self) -> tuple[str, ...]:
        """paramiko."""
        return ("paramiko",)

    @contextlib.contextmanager
    def connected(self, context: Context, login: Login) -> Iterator[Any]:
        """A client that is logged in, for the length of the block; what goes wrong is a TaskFailed."""
        ssh = library()
        bare = not login.key and not self.password
        client = ssh.SSHClient()
        client.set_missing_host_key_policy(ssh.RejectPolicy() if self.known_hosts else ssh.MissingHostKeyPolicy())
        where = f"{login.host}:{login.port}"
        with contextlib.closing(client):
            try:
                self._expect(client, context)
                client.connect(
                    login.host,
                    login.port,
                    login.user or None,
                    str(self.password) or None,
                    self._key(ssh, context, login) if login.key else None,
                    timeout=PATIENCE,
                    banner_timeout=PATIENCE,
                    auth_timeout=PATIENCE,
                    allow_agent=bare,
                    look_for_keys=bare,
                )
                yield client
            except ssh.AuthenticationException:
                who = login.user or "this user"
                raise TaskFailed(f"{where} does not let {who} in with what was given.") from None
            except (ssh.SSHException, ssh.ssh_exception.NoValidConnectionsError, OSError, EOFError) as error:
                raise TaskFailed(f"{where}: {error or type(error).__name__}.") from error

    def _expect(self, client: Any, context: Context) -> None:
        if self.known_hosts:
            path = context.workdir / "known_hosts"
            path.write_text(self.known_hosts)
            client.load_host_keys(str(path))

    @staticmethod
    def _key(ssh: Any, context: Context, login: Login) -> Any:
        text = login.key.strip()
        if "PRIVATE KEY" not in text:
            path = context.fetch(text) if is_stored(text) else Path(text).expanduser()
            if not path.is_file():
                raise TaskFailed("The key to log in with is neither a key nor the path of one.")
            text = path.read_text()
        for kind in (ssh.Ed25519Key, ssh.ECDSAKey, ssh.RSAKey):
            try:
                return kind.from_private_key(io.StringIO(text + "\n"), login.passphrase or None)
            except ssh.PasswordRequiredException:
                raise TaskFailed("The key to log in with is locked, and no passphrase is given.") from None
            except (ssh.SSHException, ValueError):
                continue
        raise TaskFailed("The key to log in with cannot be read: another kind of key, or a wrong passphrase.")


class AuthMethod(enum.StrEnum):
    """With what to log in."""

    PASSWORD = "PASSWORD"
    PUBLIC_KEY = "PUBLIC_KEY"
    OPEN_SSH = "OPEN_SSH"


class Command(SshTask, frozen=True, kw_only=True):
    """Run commands on a machine by SSH."""

    type_name: ClassVar[str] = "ssh.command"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ssh.Command",)
    outputs: ClassVar[dict[str, str]] = {
        "exitCode": "The exit code of the commands.",
        "stdOutLineCount": "Lines on standard output.",
        "stdErrLineCount": "Lines on standard error.",
        "vars": 'Values that the commands printed as `::{"outputs": {…}}::`.',
    }
    example: ClassVar[dict[str, object]] = {
        "host": "db.example.org",
        "username": "shop",
        "authMethod": "PUBLIC_KEY",
        "privateKey": "{{ secret('SSH_KEY') }}",
        "commands": ["df -h", "uptime"],
    }

    commands: Annotated[list[str], Meta(description="The commands, in one shell; it ends with the last one's code.")]
    auth_method: Annotated[AuthMethod, Meta(description="With what to log in.")] = AuthMethod.PASSWORD
    private_key: Annotated[
        Secret, Meta(description="The key of PUBLIC_KEY: its text, its path, or a stored file's address.")
    ] = Secret("")
    private_key_passphrase: Annotated[Secret, Meta(description="What the key is locked with.")] = Secret("")
    env: Annotated[dict[str, str], Meta(description="Environment of the commands.")] = field(default_factory=dict)
    warning_on_std_err: Annotated[bool, Meta(description="Whether a line on standard error is a warning.")] = True
    strict_host_key_checking: Annotated[
        str, Meta(description="yes: only a machine that knownHosts names is spoken to.")
    ] = "no"
    open_ssh_config_dir: Annotated[str, Meta(description="Configuration in which OPEN_SSH looks the host up.")] = field(
        name="openSSHConfigDir", default="~/.ssh/config"
    )
    enable_ssh_rsa1: Annotated[bool, Meta(description="Not offered: such signatures can be forged.")] = False

    def run(self, context: Context) -> Outputs:
        """Run them."""
        if self.enable_ssh_rsa1:
            raise NotOffered("Signatures of ssh-rsa are not accepted.", hint="Let the machine have a newer host key.")
        if self.strict_host_key_checking.lower() in ("yes", "true") and not self.known_hosts:
            raise TaskFailed("strictHostKeyChecking needs knownHosts: the keys that the machine may have.")
        with self.connected(context, self._login()) as client:
            return self._work(client, context)

    def _login(self) -> Login:
        login = Login(host=self.host, port=self.port, user=self.username)
        match self.auth_method:
            case AuthMethod.PASSWORD:
                return login
            case AuthMethod.PUBLIC_KEY:
                if not self.private_key:
                    raise TaskFailed("PUBLIC_KEY needs the property privateKey.")
                passphrase = str(self.private_key_passphrase)
                return msgspec.structs.replace(login, key=str(self.private_key), passphrase=passphrase)
            case AuthMethod.OPEN_SSH:
                path = Path(self.open_ssh_config_dir).expanduser()
                path = path / "config" if path.is_dir() else path
                if not path.is_file():
                    raise TaskFailed(f'There is no configuration of SSH at "{self.open_ssh_config_dir}".')
                said = library().SSHConfig.from_path(str(path)).lookup(self.host)
                return Login(
                    host=said.get("hostname", self.host),
                    port=int(said.get("port", self.port)),
                    user=self.username or said.get("user", ""),
                    key=next(iter(said.get("identityfile", [])), ""),
                    passphrase=str(self.private_key_passphrase),
                )

    def _work(self, client: Any, context: Context) -> Outputs:
        script = "\n".join(self.commands)
        # What is in the environment may be secret: it goes in by standard input, never into a list of processes.
        asked = script if not self.env else 'eval "$(cat)"'
        given, out, err = client.exec_command(asked)
        if self.env:
            exports = "".join(f"export {_name(name)}={shlex.quote(value)}\n" for name, value in self.env.items())
            given.write(exports + script + "\n")
            given.flush()
        given.channel.shutdown_write()
        values: dict[str, object] = {}
        counts = [0, 0]

        def warn() -> None:
            for line in err:
                counts[1] += 1
                context.log(line.rstrip("\n"), Level.ERROR)

        beside = threading.Thread(target=warn, daemon=True)
        beside.start()
        for line in out:
            counts[0] += 1
            _say(context, line.rstrip("\n"), values)
        beside.join()
        code = out.channel.recv_exit_status()
        outputs = {"exitCode": code, "stdOutLineCount": counts[0], "stdErrLineCount": counts[1], "vars": values}
        if code:
            raise TaskFailed(f"Command failed with exit code {code}.", "exit", code, outputs)
        if counts[1] and self.warning_on_std_err:
            return Result(outcome=Outcome.WARNING, outputs=outputs, message="The commands wrote on standard error.")
        return outputs


def _say(context: Context, line: str, values: dict[str, object]) -> None:
    """Write a line to the log, or take up what it says by the protocol of scripts."""
    match = SAID.fullmatch(line.strip())
    if match is None:
        context.log(line)
        return
    try:
        said = msgspec.json.decode(match[1], type=dict[str, object])
    except msgspec.MsgspecError as error:
        context.log(f"A line begins and ends as `::{{…}}::` and is no JSON: {error}.", Level.WARN)
        return
    if isinstance(outputs := said.get("outputs"), dict):
        values.update(outputs)
    metrics = said.get("metrics")
    for each in metrics if isinstance(metrics, list) else ():
        if isinstance(each, dict) and isinstance(value := each.get("value"), int | float):
            context.metric(str(each.get("name", "")), value, str(each.get("type", "counter")), each.get("tags") or {})


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise TaskFailed(f'"{name}" cannot be the name of a variable.')
    return name


def library() -> Any:
    """The library; MissingExtra when it is not installed."""
    try:
        import paramiko
    except ImportError:
        raise MissingExtra(
            "SSH needs the package paramiko.", hint="Install it with `pip install 'penstock[ssh]'`."
        ) from None
    return paramiko
