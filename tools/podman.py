"""Where do tests get a container engine from? Podman of Debian, in folders of its own, with an image made of packages.

`python -m tools.podman` makes the image, once per machine (`--look` tells whether it is there): Python with what the
projects' scripts import, under the name by which flows ask for it. `serve` starts the engine on a socket, and in the
end nothing of it is left: no process, no container, no mount.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from projects.servers.child import await_ready, spawn, stop

IMAGE: Final = "docker.io/library/python:3.12-slim"
PACKAGES: Final = ("python3", "python3-pip", "python3-psycopg", "python3-typing-extensions", "libc-bin",
                   "busybox-static", "ca-certificates")  # fmt: skip
# What Debian does not package is copied from our own environment: built for the stable ABI, it suits any newer Python.
COPIED: Final = ("obstore",)
# Said with the store's name: another list makes another image.
EDITION: Final = "2"
CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")
CONFIGURATION: Final = """
[engine]
runtime = "runc"
events_logger = "file"
cgroup_manager = "cgroupfs"
lock_type = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
"""
# The packages are unpacked only; what their configuration would have made is made here. $1 is the tree.
FINISH: Final = """#!/bin/sh
set -e
r="$1"; b="$r/bin"; [ -e "$b/busybox" ] || b="$r/usr/bin"
for a in sh sleep true false echo cat ls env pwd mkdir rm cp mv ln head tail wc id kill ps chmod grep df seq touch; do
    [ -e "$b/$a" ] || ln -s busybox "$b/$a"
done
mkdir -p "$r/tmp" "$r/root" "$r/etc" "$r/proc" "$r/sys" "$r/dev"; chmod 1777 "$r/tmp"
printf 'root:x:0:0:root:/root:/bin/sh\\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\\n' > "$r/etc/passwd"
printf 'root:x:0:\\nnogroup:x:65534:\\n' > "$r/etc/group"
ln -s python3 "$r/usr/bin/python"
ldconfig -r "$r"
cat "$r"/usr/share/ca-certificates/mozilla/*.crt > "$r/etc/ssl/certs/ca-certificates.crt"
rm -rf "$r/usr/share/doc" "$r/usr/share/man" "$r/usr/share/locale" "$r/var/lib/apt" "$r/var/cache"
"""


def store() -> Path:
    """The folder that holds the image, in the cache of the project."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "penstock" / f"containers-{EDITION}"


def missing() -> str:
    """What a test would lack here; nothing when all is there."""
    programs = [name for name in ("podman", "runc", "conmon") if shutil.which(name) is None]
    if programs:
        return f"{', '.join(programs)}: `make containers`, as root"
    if not any(CONTROL_GROUPS.glob("*")):
        return f"control groups in {CONTROL_GROUPS}, which bound and end containers"
    return "" if (store() / "made").exists() else "the image of the tests: `make containers`"


def make() -> None:
    """Make the image, unless it is there."""
    folder = store()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock, tempfile.TemporaryDirectory(prefix="penstock-image-") as name:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "made").exists():
            return
        sys.stderr.write("Making the container image of the tests, once; this takes a minute.\n")
        work = Path(name)
        _run(*_debootstrap(work))
        podman = Podman(work, folder / "store", images=None)
        _run(
            *podman.command("import", "-q", "--change", 'CMD ["python3"]', str(work / "tree.tar"), IMAGE),
            env=podman.env,
        )
        (folder / "made").touch()


class Podman:
    """Podman in folders of its own: what it writes is below `folder`, or in `root` where that is given."""

    def __init__(self, folder: Path, root: Path | None = None, *, images: Path | None) -> None:
        self.folder = folder
        self.socket = folder / "engine.sock"
        configuration = folder / "containers.conf"
        configuration.write_text(CONFIGURATION)
        registries = folder / "registries.conf"
        registries.write_text('[[registry]]\nlocation = "127.0.0.1"\ninsecure = true\n')
        told = {"CONTAINERS_CONF": str(configuration), "CONTAINERS_REGISTRIES_CONF": str(registries)}
        self.env = dict(os.environ) | told
        self._root = root or folder / "root"
        self._images = images

    def command(self, *words: str) -> list[str]:
        """The command line for something."""
        where = ["--root", str(self._root), "--runroot", str(self.folder / "runroot")]
        extra = ["--storage-opt", f"overlay.imagestore={self._images}"] if self._images else []
        return ["podman", *where, "--tmpdir", str(self.folder / "tmp"), "--storage-driver", "overlay", *extra, *words]

    def ask(self, *words: str) -> str:
        """What a command prints."""
        return _run(*self.command(*words), env=self.env)


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Podman]:
    """Run the engine on a socket in a folder; in the end it is gone, with all its containers."""
    with _noted(folder):
        folder.mkdir(parents=True, exist_ok=True)
        yield from _serve(Podman(folder, images=store() / "store"))


@contextlib.contextmanager
def _noted(folder: Path) -> Iterator[None]:
    """Keep a note of a folder as long as this process lives; whose process was killed is cleaned up after first."""
    notes = store() / "running"
    notes.mkdir(parents=True, exist_ok=True)
    for path in notes.iterdir():
        with contextlib.suppress(OSError), path.open() as note:
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if (left := Path(note.read())) != Path():
                if left.is_dir():
                    _remove(Podman(left, images=store() / "store"))
                path.unlink()
    # A name of its own: one process may run several engines at once.
    with tempfile.NamedTemporaryFile("w", dir=notes, prefix=f"{os.getpid()}-") as note:
        fcntl.flock(note, fcntl.LOCK_EX)
        note.write(str(folder))
        note.flush()
        yield


def _serve(podman: Podman) -> Iterator[Podman]:
    log = podman.folder / "log"
    program, *words = podman.command("system", "service", "--time=0", f"unix://{podman.socket}")
    argv = [shutil.which(program) or program, *words]
    # Where it stands it writes a file for each container that runs out of memory.
    service = spawn(argv, log=log, env=podman.env, death=signal.SIGTERM, folder=podman.folder)
    try:
        await_ready(service, log, lambda: _answers(podman.socket), what="podman")
        yield podman
    finally:
        stop(service, signal.SIGTERM)
        _remove(podman)


def _answers(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as trial:
        trial.connect(str(path))
        return True
    return False


def _remove(podman: Podman) -> None:
    """End all containers of an engine that does not serve any more, and take its folder away."""
    with contextlib.suppress(subprocess.CalledProcessError):
        podman.ask("rm", "--all", "--force", "--time", "0")
    _unmount(podman.folder)
    shutil.rmtree(podman.folder, ignore_errors=True)


def _unmount(folder: Path) -> None:
    """Take away what an engine that was killed leaves mounted; the innermost first."""
    places = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((place for place in places if place.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False)


def _debootstrap(work: Path) -> list[str]:
    finish = work / "finish.sh"
    finish.write_text(FINISH + "".join(_copying(name) for name in COPIED))
    finish.chmod(0o755)
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    listed = [Path("/etc/apt/sources.list.d") / f"{release['ID']}.sources", Path("/etc/apt/sources.list")]
    sources = next(str(path) for path in listed if path.is_file())
    how = ["--quiet", "--variant=extract", f"--include={','.join(PACKAGES)}", f"--extract-hook={finish}"]
    return ["mmdebstrap", *how, release["VERSION_CODENAME"].strip('"'), str(work / "tree.tar"), sources]


def _copying(package: str) -> str:
    """The line of the hook that copies a package of our environment into the tree."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(f"{package} is not installed here: `make install`")
    return f'cp -r {shlex.quote(found.submodule_search_locations[0])} "$r/usr/lib/python3/dist-packages/"\n'


def _run(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    return done.stdout


if __name__ == "__main__":
    if "--look" in sys.argv:
        sys.exit(bool(missing()))
    make()
