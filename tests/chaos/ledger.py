"""What have attempts really done? The lines that they wrote themselves, compared with what the store accepted."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

import msgspec

BEGAN, DID = "began", "did"


class Lines(msgspec.Struct):
    """The numbers of the lines that an attempt wrote when it began, and when its work was done."""

    began: list[int] = []
    did: list[int] = []

    @property
    def again(self) -> int:
        """How often it began anew: a worker that stops hands back what it had begun, once that is dead."""
        return len(self.began) - 1

    def once(self, *, done: bool) -> bool:
        """Whether it began, and did its work once (or not at all) since; what began before that is over."""
        spans = zip(self.began, [*self.began[1:], math.inf], strict=True)
        counts = [sum(begin < line < end for line in self.did) for begin, end in spans]
        return bool(counts) and max(counts) <= 1 and counts[-1] == done and sum(counts) == len(self.did)


class Ledger:
    """The ledger as it stands: for each run and step, its attempts with their lines."""

    def __init__(self, file: Path) -> None:
        self.count = 0
        self._steps: dict[tuple[str, str], dict[int, Lines]] = defaultdict(lambda: defaultdict(Lines))
        for number, line in enumerate(file.read_text().splitlines()):
            run, step, attempt, word = line.split()
            lines = self._steps[run, step][int(attempt)]
            (lines.began if word == BEGAN else lines.did).append(number)
            self.count += 1

    def of(self, run: str, step: str) -> dict[int, Lines]:
        """The attempts of a step that wrote anything, by number."""
        return self._steps.get((run, step), {})

    @property
    def again(self) -> int:
        """How often attempts began anew under their number."""
        return sum(max(lines.again, 0) for tries in self._steps.values() for lines in tries.values())

    def runs(self) -> set[str]:
        """The runs whose attempts wrote anything."""
        return {run for run, _ in self._steps}
