"""How is the engine asked about flows of chance? `python -m tests.dialects.chance --seeds 500`; see README.md."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator

from tests.dialects.chance.asking import Asked, again, ask, shrunk
from tests.dialects.chance.grow import grow
from tests.dialects.chance.spelled import case_of, written
from tools.oracle.cases import ENGINES, FOLDER, keep, topics
from tools.oracle.engine import Engine
from tools.oracle.flows import shown
from tools.oracle.trouble import NoAnswerError, say

# What is longer is told as well by what is shorter, and nobody would read it.
LONGEST = 2_500
# How many flows one engine is asked about: it grows slower with each, and ends at last.
TOGETHER = 50


def main() -> int:
    """Ask about as many seeds as wanted, print what differs, keep some where wanted, and count."""
    options = _arguments()
    counted: Counter[str] = Counter()
    for version in options.versions:
        same = []
        for asked in _every(options, version):
            counted[asked.how] += 1
            if asked.how == "same":
                same.append(asked)
            elif asked.how == "differs" or options.every:
                _show(asked)
        if options.keep:
            _keep(version, [asked for asked in same if len(_text(asked)) <= LONGEST][: options.keep])
    sys.stdout.write(", ".join(f"{count} {how}" for how, count in sorted(counted.items())) + "\n")
    return 1 if counted["differs"] else 0


def _every(options: argparse.Namespace, version: str) -> Iterator[Asked]:
    """Every seed, asked about; an engine that ends is started anew, without the flows that it was given."""
    seeds = range(options.first, options.first + options.seeds)
    for batch in (seeds[place : place + TOGETHER] for place in range(0, len(seeds), TOGETHER)):
        try:
            with Engine(ENGINES[version]) as jvm:
                jvm.ask(case_of("the first is slow", grow(0, version), version).request)
                flows = [(f"seed {seed} of version {version}", grow(seed, version)) for seed in batch]
                for first in list(ask(jvm, flows, version)):
                    asked = again(jvm, first)
                    yield shrunk(jvm, asked) if options.shrink and asked.how == "differs" else asked
        except NoAnswerError as trouble:
            say(f"seeds {batch.start} to {batch.stop - 1}: {str(trouble)[:200]}")


def _keep(version: str, chosen: list[Asked]) -> None:
    """Write flows and what the engine did with them where all cases are, to be run by the tests."""
    name = f"chance/version_{version}"
    path = FOLDER / f"{name}.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(map(_text, chosen)), encoding="utf-8")
    path.with_suffix(".json").unlink(missing_ok=True)
    (topic,) = topics([name])
    keep(topic, version, {asked.name: asked.seen.theirs for asked in chosen})


def _show(asked: Asked) -> None:
    sys.stdout.write(f"{shown(asked.seen)}\n{_text(asked)}\n")
    sys.stdout.flush()


def _text(asked: Asked) -> str:
    return written(asked.name, asked.flow, asked.version)


def _arguments() -> argparse.Namespace:
    top = argparse.ArgumentParser(prog="python -m tests.dialects.chance", description=__doc__)
    top.add_argument("--seeds", type=int, default=500, help="how many seeds, for each version (500)")
    top.add_argument("--first", type=int, default=0, help="the first of them (0)")
    top.add_argument("--versions", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    top.add_argument("--shrink", action="store_true", help="make what differs as small as it goes (slow)")
    top.add_argument("--every", action="store_true", help="print those, too, that never end or end in several ways")
    top.add_argument("--keep", type=int, default=0, metavar="N", help="replace the kept flows by N of each version")
    return top.parse_args()


if __name__ == "__main__":
    sys.exit(main())
