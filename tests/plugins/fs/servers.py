"""Which servers of files do tests start for themselves? An SSH server for this user, and FTP with and without TLS."""

from __future__ import annotations

import contextlib
import datetime
import getpass
import ipaddress
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from projects.servers.child import await_ready, free_port, listens, spawn, stop
from tests.servers import DEMANDED

PASSWORD = "not to be told"
FTP = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

port, folder, password, certificate = sys.argv[1:]
handler = TLS_FTPHandler if certificate else FTPHandler
if certificate:
    handler.certfile = certificate
    handler.tls_control_required = handler.tls_data_required = True
handler.authorizer = DummyAuthorizer()
handler.authorizer.add_user("shop", password, folder, perm="elradfmwMT")
FTPServer(("127.0.0.1", int(port)), handler).serve_forever()
"""


class SshServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running SSH server is, who may log in with which key, and its own key as `known_hosts` has it."""

    port: int
    user: str
    key: str
    locked_key: str
    known_hosts: str


class FtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running FTP server is, and the folder whose files it gives."""

    port: int
    folder: Path


@contextlib.contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """Run Debian's sshd for this user alone."""
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        absent("sshd is not here: apt-get install openssh-server")
    for name, phrase in (("host", ""), ("user", ""), ("locked", "open it")):
        made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-C", name, "-f", str(folder / name)]
        subprocess.run(made, check=True)
    allowed = (folder / "user.pub").read_text() + (folder / "locked.pub").read_text()
    (folder / "allowed").write_text(allowed)
    port = free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/allowed\n"
        f"PidFile {folder}/pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\n"
    )
    command = [str(program), "-D", "-e", "-f", str(folder / "config")]
    with _running(command, folder / "sshd.log", port, "sshd"):
        yield SshServer(
            port=port,
            user=getpass.getuser(),
            key=(folder / "user").read_text(),
            locked_key=(folder / "locked").read_text(),
            known_hosts=f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}",
        )


@contextlib.contextmanager
def ftp_server(folder: Path, *, tls: bool = False) -> Iterator[FtpServer]:
    """Run an FTP server over a folder."""
    files = folder / "files"
    files.mkdir(parents=True)
    port = free_port()
    certificate = str(_certificate(folder)) if tls else ""
    command = [sys.executable, "-W", "ignore", "-c", FTP, str(port), str(files), PASSWORD, certificate]
    with _running(command, folder / "ftp.log", port, "the FTP server"):
        yield FtpServer(port=port, folder=files)


def absent(why: str) -> None:
    """Skip what this machine cannot run; in CI that is a failure."""
    if DEMANDED:
        pytest.fail(why)
    pytest.skip(why)


@contextlib.contextmanager
def _running(command: list[str], log: Path, port: int, what: str) -> Iterator[None]:
    process = spawn(command, log=log, env=dict(os.environ))
    try:
        await_ready(process, log, lambda: listens(port), what=what)
        yield
    finally:
        stop(process, signal.SIGTERM, seconds=3)


def _certificate(folder: Path) -> Path:
    """A certificate of its own making for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
