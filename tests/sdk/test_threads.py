"""Can many threads use a task type for the first time at once? What crashes Python is not left to luck."""

from __future__ import annotations

import subprocess
import sys

# Threads change places as often as they can, and each of the types is met by all of them for the first time.
PROGRAM = """
import sys, threading
from penstock.sdk import registry
sys.setswitchinterval(1e-6)
names = ["shell.commands", "python.script", "http.request", "sql.query", "files.filter", "log", "kv.set", "csv.read"]
for name in names:
    together = threading.Barrier(6)

    def use():
        together.wait()
        kind = registry.find(name)
        try:
            registry.decode(kind, dict(kind.example))
        except Exception:
            pass  # some examples hold templates, which are no values yet: that the types are looked at is the point

    threads = [threading.Thread(target=use) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
print("done")
"""


def test_a_type_may_be_met_for_the_first_time_by_many_threads_at_once() -> None:
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
