"""How does a child begin in milliseconds and end with everything it started? One file, standard library only.

The project's interpreter runs this file; it may lack penstock and be as old as 3.8. Each child is a subreaper: what it
started is below it while it lives, then the zygote's own. A child that was not forked here is a leftover, and killed.
Request: op, id, signal; `l` carries four descriptors (payload, stdout, stderr, channel), `s` a signal for the group
(SIGKILL: the tree), `p` in place of the id for how many microseconds children may live unless it is said again.
Reply: op (`r` ready, `x` exited, `e` ended as its time was over, `f` could not fork: 0 as error says that the time was
over), id, pid, wait status or error, peak bytes, CPU seconds.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import linecache
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

REQUEST = struct.Struct(">cQq")
REPLY = struct.Struct(">cQqqqd")
BLOCKED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
LEFTOVER_PATIENCE, FAR = 2.0, 1e6
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
PROC, PROGRAM = Path("/proc"), "exec"
prctl: Any = lambda *_: None  # noqa: E731
if sys.platform == "linux":
    with contextlib.suppress(ImportError, OSError, AttributeError):
        prctl = importlib.import_module("ctypes").CDLL(None).prctl


def main(arguments: list[str]) -> None:
    """Run as zygote (`SOCKET PACKAGE…`), or as one spawned child (`--child PAYLOAD CHANNEL`)."""
    sys.path[:] = [entry for entry in sys.path if Path(entry) != Path(__file__).parent]
    streams: Any = (sys.stdout, sys.stderr)
    for stream in streams:
        stream.reconfigure(line_buffering=True)
    if arguments[0] == "--child":
        be_child(int(arguments[1]), int(arguments[2]))
    sock = socket.socket(fileno=int(arguments[0]))
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for package in arguments[1:]:
        try:
            importlib.import_module(package)
        except Exception as error:  # a package that is not there is the task's news, when it needs it
            sys.stderr.write(f"{package} is not imported beforehand: {error}\n")
    compile("0", "", "exec")  # the first use of the compiler takes a millisecond: once here, not in each child
    gc.freeze()
    serve(sock)


def serve(sock: socket.socket) -> None:
    """Fork, signal, reap and report until the worker is gone, whatever it still asks for; then end all, itself last."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    family = Family(sock, [sock.fileno(), woken, waker])
    family.send(REPLY.pack(b"r", 0, os.getpid(), 0, 0, 0.0))
    poll = select.poll()
    for source in (sock.fileno(), woken):
        poll.register(source, select.POLLIN)
    while True:
        left = max(0.0, family.deadline - time.monotonic()) if family.numbers else FAR
        ready = dict(poll.poll(1000 * min(left, 0.1 if family.unreported else FAR)))
        if woken in ready:
            os.read(woken, 4096)
        if sock.fileno() in ready:
            request, descriptors = (b"", []) if ready[sock.fileno()] & select.POLLHUP else receive(sock)
            op, number, signum = REQUEST.unpack(request or end_everything(family))
            if op == b"l":
                family.launch(number, descriptors)
            elif op == b"p":
                family.deadline = time.monotonic() + number / 1e6
            else:
                family.signal(number, signum)
        elif left == 0.0:  # and nobody has said otherwise meanwhile: this process may have stood still itself
            family.over.update(family.pids)
            kill(descendants(os.getpid()))
        family.reap()


def end_everything(family: Family) -> NoReturn:
    """Kill every descendant until none is left, then go."""
    while victims := descendants(os.getpid()):
        kill(victims)
        time.sleep(0.002)
        family.reap()
    os._exit(0)


class Family:
    """The children forked and not yet reported."""

    def __init__(self, sock: socket.socket, ours: list[int]) -> None:
        self.sock = sock
        self.ours = ours
        self.numbers: dict[int, int] = {}
        self.pids: dict[int, int] = {}
        self.over: set[int] = set()
        self.unreported: list[tuple[float, bytes]] = []
        self.deadline = time.monotonic() + FAR

    def launch(self, number: int, descriptors: list[int]) -> None:
        """Start a child for these descriptors: by fork while this process has one thread, else by a spawn."""
        try:
            if time.monotonic() > self.deadline:
                raise TimeoutError
            pid = fork(descriptors, self.ours) if single() else spawn(descriptors)
            self.numbers[pid] = number
            self.pids[number] = pid
        except OSError as error:
            self.send(REPLY.pack(b"f", number, 0, error.errno or 0, 0, 0.0))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def signal(self, number: int, signum: int) -> None:
        """Signal the child's process group; SIGKILL goes to all that is below it, too."""
        pid = self.pids.get(number, 0)
        if pid and signum == signal.SIGKILL:
            kill([pid, *descendants(pid)])
        elif pid:
            try:
                os.killpg(pid, signum)
            except OSError:  # it has not come to its own group yet
                kill([pid], signum)

    def reap(self) -> None:
        """Collect the dead, kill what they left behind, and report each once nothing of it is alive."""
        with contextlib.suppress(ChildProcessError):
            while (died := os.wait4(-1, os.WNOHANG))[0]:
                pid, status, usage = died
                number = self.numbers.pop(pid, None)
                if number is not None:
                    del self.pids[number]
                    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
                    op = b"e" if number in self.over else b"x"
                    told = REPLY.pack(op, number, pid, status, peak, usage.ru_utime + usage.ru_stime)
                    self.unreported.append((time.monotonic(), told))
        if self.unreported:
            self.report()

    def report(self) -> None:
        """Send the reports that wait, unless leftovers still die; wait for those no longer than LEFTOVER_PATIENCE."""
        leftovers = children(os.getpid()) - self.numbers.keys()
        for leftover in leftovers:
            kill([leftover, *descendants(leftover)])
        if not leftovers or time.monotonic() - self.unreported[0][0] > LEFTOVER_PATIENCE:
            self.send(b"".join(report for _, report in self.unreported))
            self.unreported.clear()

    def send(self, report: bytes) -> None:
        """Tell the worker, unless it is gone."""
        with contextlib.suppress(OSError):
            self.sock.sendall(report)


def fork(descriptors: list[int], ours: list[int]) -> int:
    """Fork a child that takes these descriptors and closes `ours`; answer its pid."""
    parent = os.getpid()
    if pid := os.fork():
        return pid
    try:
        signal.set_wakeup_fd(-1)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        os.setsid()
        payload, out, err, channel = descriptors
        os.dup2(out, 1)
        os.dup2(err, 2)
        for descriptor in (out, err, *ours):
            os.close(descriptor)
        be_child(payload, channel)
    finally:
        os._exit(70)


def spawn(descriptors: list[int]) -> int:
    """Start a child in an interpreter of its own, where a fork would copy locks that threads hold."""
    payload, out, err, channel = descriptors
    command = [sys.executable, __file__, "--child", str(payload), str(channel)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=(payload, channel), start_new_session=True
    )
    process.returncode = 0  # reaped with all others, so the handle need not
    return process.pid


def be_child(payload_fd: int, channel_fd: int) -> NoReturn:
    """Become what the payload says and end with its exit code; nothing of the zygote is left to see."""
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for signum in (*BLOCKED, signal.SIGCHLD):
        signal.signal(signum, signal.default_int_handler if signum == signal.SIGINT else signal.SIG_DFL)
    os.set_inheritable(channel_fd, False)
    channel = socket.socket(fileno=channel_fd)
    code = 1
    try:
        payload = json.loads(os.read(payload_fd, os.fstat(payload_fd).st_size))
        os.close(payload_fd)
        settle(payload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
        code = MODES[payload["mode"]](payload, channel)
    except BaseException as error:
        fail(channel, "memory" if isinstance(error, MemoryError) else "system", f"The attempt cannot begin: {error}")
    finally:
        leave(code)


def settle(payload: dict[str, Any]) -> None:
    """Take up environment, limits and working directory as the payload gives them, and nothing else."""
    os.environ.clear()
    os.environ.update(payload["env"])
    time.tzset()
    os.umask(payload.get("umask", 0o022))
    os.chdir(payload["cwd"])
    # Memory that is written to counts; address space alone is reserved by every thread. CPU: the soft limit tells.
    memory = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    wanted = ((memory, "memory", 0), (resource.RLIMIT_NOFILE, "files", 0), (resource.RLIMIT_CPU, "cpu", 5))
    for kind, name, above in wanted:
        value, hard = payload["limits"].get(name), resource.getrlimit(kind)[1]
        if value is not None:
            bound = value + above if hard == resource.RLIM_INFINITY else min(value + above, hard)
            resource.setrlimit(kind, (min(value, bound), bound))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def send(channel: socket.socket, frame: dict[str, Any]) -> None:
    """Send one frame: its length in four bytes, then JSON; a worker that is gone is no concern of the task's."""
    body = json.dumps(frame, default=plain).encode()
    with contextlib.suppress(OSError):
        channel.sendall(struct.pack(">I", len(body)) + body)


def fail(channel: socket.socket, kind: str, message: str) -> None:
    """Say why the attempt fails, beside its exit code."""
    failure = {"kind": kind, "message": message}
    send(channel, {"t": "outcome", "outcome": "failed", "outputs": {}, "failure": failure})


def run_program(payload: dict[str, Any], channel: socket.socket) -> int:
    """Become the program, or answer a shell's exit code for one that cannot be started."""
    argv = payload["argv"]
    for name in ("SIGINT", "SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, payload["env"])  # noqa: S606 (a shell only where the task says so)
    except OSError as error:
        fail(channel, "exit", f'"{argv[0]}" cannot be started: {error.strerror}')
        return 127 if isinstance(error, FileNotFoundError) else 126


def run_source(payload: dict[str, Any], channel: socket.socket) -> int:
    """Run Python text as the main program, with its lines in tracebacks and its folder on the path."""
    source, path = payload["source"], payload["path"]
    linecache.cache[path] = (len(source), None, source.splitlines(True), path)
    module = types.ModuleType("__main__")
    module.__dict__.update(payload.get("names", {}), __file__=path)
    sys.modules["__main__"] = module
    sys.argv[:] = [path, *payload.get("argv", [])]
    sys.path.insert(0, payload["cwd"])
    return guarded(lambda: exec(compile(source, path, "exec"), module.__dict__), channel)  # noqa: S102 (it is the task)


def run_function(payload: dict[str, Any], channel: socket.socket) -> int:
    """Call a function by name; the mapping it returns becomes the outputs."""
    sys.path[:0] = [*payload.get("folders", []), payload["cwd"]]

    def call() -> None:
        target: Any = importlib.import_module(payload["module"])
        for part in payload["function"].split("."):
            target = getattr(target, part)
        answer = target(**payload.get("kwargs", {}))
        if answer is not None:
            send(channel, {"t": "output", "values": answer if isinstance(answer, dict) else {"value": answer}})

    return guarded(call, channel)


MODES: dict[str, Callable[[dict[str, Any], socket.socket], int]] = {
    PROGRAM: run_program,
    "python": run_source,
    "function": run_function,
    "plugin": lambda payload, channel: guarded(  # a task type of ours; only in an interpreter that has penstock
        lambda: importlib.import_module(payload["module"]).main(payload["plugin"], channel), channel
    ),
}


def guarded(work: Callable[[], Any], channel: socket.socket) -> int:
    """Run people's code as an interpreter would: a traceback without our own lines, and exit code 1."""
    try:
        work()
        return 0
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            return (leaving.code or 0) & 0xFF
        sys.stderr.write(f"{leaving.code}\n")
        return 1
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename in (__file__, importlib.__file__):
            trace = trace.tb_next
        hook = traceback.print_exception if sys.excepthook is sys.__excepthook__ else sys.excepthook
        hook(type(error), error.with_traceback(trace), trace)
        kind = "memory" if isinstance(error, MemoryError) else "exit"
        fail(channel, kind, f"{type(error).__name__}: {error}".strip(": "))
        return 1


def leave(code: int) -> NoReturn:
    """Wait for the code's threads, run its exit handlers, flush, and end without unwinding the zygote."""
    steps = ((threading, "_shutdown"), (atexit, "_run_exitfuncs"), (sys.stdout, "flush"), (sys.stderr, "flush"))
    for owner, name in steps:
        with contextlib.suppress(BaseException):
            getattr(owner, name)()
    os._exit(code)


def plain(value: Any) -> Any:
    """JSON for what people return: dates by ISO, numbers of numpy as numbers, all else as text."""
    told = getattr(value, "isoformat", None) or getattr(value, "tolist", None)
    return told() if told else list(value) if isinstance(value, (set, frozenset)) else str(value)


def receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    """One request with its descriptors; empty when the worker is gone."""
    try:
        request, extra, _, _ = sock.recvmsg(REQUEST.size, socket.CMSG_SPACE(16), socket.MSG_WAITALL)
    except OSError:
        return b"", []
    descriptors = [descriptor for _, _, data in extra for descriptor in struct.unpack("4i", data)]
    return (request if len(request) == REQUEST.size else b""), descriptors


def single() -> bool:
    """Whether this process has one thread; where the system does not tell (macOS), it is not forked."""
    return PROC.is_dir() and (PROC / "self/task").stat().st_nlink == 3


def children(pid: int) -> set[int]:
    """The processes whose parent is `pid`, where the system tells."""
    try:
        return {int(word) for word in (PROC / f"{pid}/task/{pid}/children").read_text().split()}
    except OSError:
        return set()


def descendants(pid: int) -> list[int]:
    """All processes below `pid`, the deepest last."""
    tree, found = family_tree(), [pid]
    for member in found:
        found.extend(tree.get(member, ()))
    return found[1:]


def family_tree() -> dict[int, list[int]]:
    """Children by parent, of every process of the machine."""
    tree: dict[int, list[int]] = {}
    if PROC.is_dir():
        for folder in PROC.glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = (folder / "stat").read_bytes().rpartition(b")")[2].split()[1]
                tree.setdefault(int(parent), []).append(int(folder.name))
    else:
        told = subprocess.run(["ps", "-axo", "ppid=,pid="], stdout=subprocess.PIPE, check=False)
        for line in told.stdout.splitlines():
            parent, pid = line.split()
            tree.setdefault(int(parent), []).append(int(pid))
    return tree


def kill(pids: list[int], signum: int = signal.SIGKILL) -> None:
    """Signal those that are there."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signum)


if __name__ == "__main__":
    main(sys.argv[1:])
