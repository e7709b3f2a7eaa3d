"""Do commands run on a machine that is reached by SSH, and is who may speak to whom looked at?"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from tests.plugins.fs.servers import SshServer, ssh_server


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("ssh")) as server:
        yield server


@pytest.fixture
def reach(ssh: SshServer) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "port": ssh.port,
        "username": ssh.user,
        "authMethod": "PUBLIC_KEY",
        "privateKey": ssh.key,
    }


def message(told: Told) -> str:
    assert told.failure is not None, told.outputs
    return str(told.failure["message"])


def test_commands_run_in_one_shell_and_tell_values(local: LocalContext, reach: dict[str, object]) -> None:
    commands = ["cd /tmp", "pwd", """echo '::{"outputs": {"n": 3}, "metrics": [{"name": "rows", "value": 2}]}::'"""]

    told = local.run("ssh.command", {**reach, "commands": commands})

    assert told.outcome is Outcome.DONE, told.failure
    assert told.outputs == {"exitCode": 0, "stdOutLineCount": 2, "stdErrLineCount": 0, "vars": {"n": 3}}
    assert [line.message for line in told.logs] == ["/tmp"]
    assert [(metric.name, metric.value) for metric in told.metrics] == [("rows", 2)]


def test_the_environment_arrives_and_is_in_no_list_of_processes(local: LocalContext, reach: dict[str, object]) -> None:
    env = {"WORD": "it's; $HOME", "OTHER": "b"}
    commands = ['echo "$WORD-$OTHER"', "tr '\\0' ' ' < /proc/$$/cmdline; echo"]

    told = local.run("ssh.command", {**reach, "env": env, "commands": commands})

    first, second = (line.message for line in told.logs)
    assert first == "it's; $HOME-b"
    assert "HOME" not in second


def test_a_command_that_fails_keeps_its_code_and_what_it_told(local: LocalContext, reach: dict[str, object]) -> None:
    told = local.run("ssh.command", {**reach, "commands": ['echo \'::{"outputs":{"a":1}}::\'', "exit 7"]})

    assert message(told) == "Command failed with exit code 7."
    assert (told.outputs["exitCode"], told.outputs["vars"]) == (7, {"a": 1})


def test_a_line_on_standard_error_is_a_warning_unless_told_otherwise(
    local: LocalContext, reach: dict[str, object]
) -> None:
    asked = {**reach, "commands": ["echo oh >&2"]}

    assert local.run("ssh.command", asked).outcome is Outcome.WARNING
    assert local.run("ssh.command", {**asked, "warningOnStdErr": False}).outcome is Outcome.DONE


def test_a_machine_that_shows_another_key_than_expected_is_not_spoken_to(
    local: LocalContext, ssh: SshServer, reach: dict[str, object]
) -> None:
    asked = {**reach, "commands": ["true"], "strictHostKeyChecking": "yes"}
    other = f"[127.0.0.1]:{ssh.port} ssh-ed25519 {'A' * 68}"

    assert local.run("ssh.command", {**asked, "knownHosts": ssh.known_hosts}).outcome is Outcome.DONE
    assert local.run("ssh.command", {**asked, "knownHosts": other}).outcome is Outcome.FAILED
    assert "knownHosts" in message(local.run("ssh.command", asked))


def test_a_locked_key_needs_its_passphrase(local: LocalContext, ssh: SshServer, reach: dict[str, object]) -> None:
    asked = {**reach, "commands": ["true"], "privateKey": ssh.locked_key}

    assert "locked" in message(local.run("ssh.command", asked))
    assert "passphrase" in message(local.run("ssh.command", {**asked, "privateKeyPassphrase": "wrong"}))
    assert local.run("ssh.command", {**asked, "privateKeyPassphrase": "open it"}).outcome is Outcome.DONE


def test_who_is_not_known_is_not_let_in(local: LocalContext, reach: dict[str, object]) -> None:
    told = local.run("ssh.command", {**reach, "authMethod": "PASSWORD", "password": "x", "commands": ["true"]})

    assert "does not let" in message(told)


def test_the_users_own_configuration_says_where_a_name_leads(
    local: LocalContext, ssh: SshServer, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(ssh.key)
    config = tmp_path / "config"
    config.write_text(f"Host shop\n  HostName 127.0.0.1\n  Port {ssh.port}\n  User {ssh.user}\n  IdentityFile {key}\n")

    told = local.run(
        "ssh.command",
        {"host": "shop", "authMethod": "OPEN_SSH", "openSSHConfigDir": str(config), "commands": ["true"]},
    )

    assert told.outcome is Outcome.DONE, told.failure


def test_bytes_go_out_by_tcp_and_by_udp(local: LocalContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        tcp, udp = server.getsockname()[1], datagrams.getsockname()[1]

        first = local.run("tcp.send", {"host": "127.0.0.1", "port": tcp, "payload": "aGk=", "encoding": "BASE64"})
        second = local.run("udp.send", {"host": "127.0.0.1", "port": udp, "payload": local.put("a file")})

        server.settimeout(10)
        wire, _ = server.accept()
        with wire:
            assert wire.recv(99) == b"hi"
        assert datagrams.recv(99) == b"a file"
    assert (first.outputs, second.outputs) == ({"sentBytes": 2}, {"sentBytes": 6})
