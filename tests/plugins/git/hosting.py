"""Where do tests find repositories? On this disk, and behind git's own program for HTTP, with a name and a password."""

from __future__ import annotations

import base64
import contextlib
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from penstock.sdk.context import About, Context
from penstock.sdk.registry import decode, find
from penstock.services.worker.answers import Asker, answer
from tests.worker.workshop import Workshop

USER, PASSWORD = "shop", "p@ss/w:rd%"


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, as somebody with a name."""
    who = {f"GIT_{role}_{part}": "tester" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    env = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def repository(folder: Path, files: Mapping[str, str], branch: str = "main") -> Path:
    """A bare repository with one commit that has these files."""
    work, bare = folder / "work", folder / "shop.git"
    work.mkdir(parents=True)
    git(work, "init", "--quiet", "--initial-branch", branch)
    commit(work, files)
    git(folder, "clone", "--quiet", "--bare", "work", "shop.git")
    git(bare, "config", "http.receivepack", "true")
    git(work, "remote", "add", "origin", str(bare))
    return bare


def commit(work: Path, files: Mapping[str, str]) -> str:
    """Commit files to a working copy; gives the commit."""
    for name, text in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--allow-empty", "--message", "a change")
    return git(work, "rev-parse", "HEAD").strip()


def shown(bare: Path, branch: str, name: str) -> str:
    """What a file holds on a branch of a bare repository."""
    return git(bare, "show", f"{branch}:{name}")


@contextlib.contextmanager
def over_http(folder: Path) -> Iterator[str]:
    """Serve the repositories of a folder by HTTP, to who knows the password; gives the address of the folder."""
    backend = Path(subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if self.headers.get("Authorization") != allowed:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="shop"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            env = {
                **os.environ, "GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
                "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": USER,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }  # fmt: skip
            body = self._body()
            done = subprocess.run(
                [str(backend / "git-http-backend")], env=env, input=body, capture_output=True, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[Path]:
    """Let every git that is found by its name write its arguments to a file first; gives the file."""
    real, said = shutil.which("git"), folder / "arguments"
    shim = folder / "shim" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {said}\nexec {real} "$@"\n')
    shim.chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{shim.parent}:{before}"
    try:
        yield said
    finally:
        os.environ["PATH"] = before


class Asked:
    """The way from a task to the worker's real answers; its log lines are kept."""

    def __init__(self, workshop: Workshop, asker: Asker) -> None:
        self.lines: list[str] = []
        self._workshop, self._asker = workshop, asker

    def send(self, frame: dict[str, object]) -> None:
        """Keep what is said."""
        if frame["t"] == "log":
            self.lines.append(str(frame["message"]))

    def ask(self, what: str, body: dict[str, object]) -> object:
        """Let the worker answer."""
        return answer(self._workshop.core, self._asker, what, body)


def do(workshop: Workshop, asker: Asker, name: str, properties: Mapping[str, object]) -> dict[str, object]:
    """Run a task type for a run of the workshop; gives its outputs."""
    assert asker.folder is not None
    about = About(run=asker.run.id, namespace=asker.run.namespace, flow=asker.run.flow, workdir=str(asker.folder))
    outputs = decode(find(name), properties).run(Context(about, Asked(workshop, asker)))
    assert isinstance(outputs, dict)
    return outputs
