"""Does the benchmark of the lakehouse do by hand what the flow does, and is what it shows made of what it measured?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from projects.lakehouse.benchmark import figures, picture
from projects.lakehouse.benchmark.figures import Compared, Figures
from projects.lakehouse.benchmark.ingestion import Ingested
from projects.lakehouse.benchmark.overhead import Round, Side
from projects.lakehouse.services.stack import Stack

ROOT = Path(__file__).parents[2]


def side(seconds: float, megabytes: float) -> Side:
    """One going-through."""
    return Side(seconds=seconds, megabytes=megabytes, stages={})


ROUNDS = [Round(hand=side(20.0, 15.0), penstock=side(20.0 + more, 70.0)) for more in (0.1, -0.2, 0.4)]
FIGURES = Figures(
    machine="two cores", waiting=Compared(10_000, 0, ROUNDS), ingestion=[Ingested(500_000, 20.0, 8.0)]
)  # fmt: skip


def test_the_table_says_medians_and_spread() -> None:
    rows = figures.table(FIGURES).splitlines()

    more = next(row for row in rows if "more under Penstock" in row)
    assert more.startswith("| more under Penstock, round by round | 0.10 s | -0.20 to 0.40 | 3 | ≤ 0.5 s |")
    assert "| generator: 500,000 events, drawn, written down and sent | 25,000 events/s |" in "\n".join(rows)


def test_the_picture_is_a_picture_of_the_figures() -> None:
    drawn = ElementTree.fromstring(picture.draw(FIGURES))

    said = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"0.10 s", "20.1 s", "70.0 MB", "62,500 events/s"} <= said


@pytest.mark.long
@pytest.mark.acceptance
@pytest.mark.timeout(1200)
def test_a_round_of_everything_goes_through(lakehouse: Stack, tmp_path: Path) -> None:
    told = {f"ENV_{name}": value for name, value in lakehouse.env.items()}
    few = ["--rounds", "1", "--events", "1000", "--sleep", "20", "--many", "5000", "--trips", "20000"]
    command = [sys.executable, "-m", "projects.lakehouse.benchmark", "--folder", str(tmp_path), *few]
    env = os.environ | lakehouse.env | told | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}

    said = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stdout[-3000:] + said.stderr[-3000:]
    assert said.stdout.count("| 1 |") == 14
