"""How do tests write and read tables of Iceberg by themselves, without Flink?"""

from __future__ import annotations

import datetime
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow
from pyiceberg.catalog import load_catalog
from pyiceberg.transforms import IdentityTransform

from projects.lakehouse.services.stack import Stack

DAY = datetime.date(2026, 11, 1)
COLUMNS = pyarrow.schema([("n", pyarrow.int64()), ("word", pyarrow.string()), ("day", pyarrow.date32())])
SPACE = "lake_tests"
numbers = itertools.count(1)


def files(lakehouse: Stack) -> dict[str, str]:
    """What reaches the files, in Iceberg's words."""
    lake = lakehouse.lake
    return {
        "s3.endpoint": lake.endpoint,
        "s3.region": lake.region,
        "s3.access-key-id": lake.access_key,
        "s3.secret-access-key": lake.secret_key,
    }


@dataclass
class Lake:
    """A catalog as another program sees it, and the tables that are made in it."""

    catalog: Any
    asked: dict[str, object]

    def table(self, appends: int = 0, *, partitioned: bool = False, **properties: str) -> str:
        """A table of its own, to which ten rows were added so often."""
        name = f"{SPACE}.t{next(numbers)}"
        made = self.catalog.create_table(name, schema=COLUMNS, properties={"format-version": "2", **properties})
        if partitioned:
            with made.update_spec() as spec:
                spec.add_field("day", IdentityTransform(), "day")
        for number in range(appends):
            made.append(rows(number))
        return name

    def load(self, name: str) -> Any:
        """The table as it is now."""
        return self.catalog.load_table(name)

    def held(self, name: str) -> list[int]:
        """The numbers that its rows have."""
        found: list[int] = self.load(name).scan().to_arrow()["n"].to_pylist()
        return sorted(found)

    def lying(self, name: str) -> set[str]:
        """The files below its place."""
        table = self.load(name)
        scheme, place, path = table.io.parse_location(table.location())
        selector = pyarrow.fs.FileSelector(path, recursive=True)
        found = table.io.fs_by_scheme(scheme, place).get_file_info(selector)
        return {each.path.rpartition("/")[2] for each in found if each.type == pyarrow.fs.FileType.File}

    @contextmanager
    def writing(self, name: str, begin: int, *, pause: float = 0.3) -> Iterator[list[int]]:
        """While this is open, ten rows come again and again; holds how many times they came."""
        stop, came = threading.Event(), [begin]

        def write() -> None:
            table = self.load(name)
            while not stop.is_set():
                table.append(rows(came[0]))
                came[0] += 1
                stop.wait(pause)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield came
        finally:
            stop.set()
            thread.join()


def rows(number: int) -> Any:
    """Ten rows of two days."""
    first = number * 10
    columns = {"n": range(first, first + 10), "word": ["w"] * 10, "day": [DAY, DAY + datetime.timedelta(1)] * 5}
    return pyarrow.table({name: list(values) for name, values in columns.items()}, schema=COLUMNS)


def lake(lakehouse: Stack) -> Lake:
    """The lake of running servers."""
    # the store of the tests does not know the newest checksums of Amazon's
    os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    found = load_catalog("lake", type="rest", uri=lakehouse.catalog.address, **files(lakehouse))
    found.create_namespace_if_not_exists(SPACE)
    return Lake(found, {"uri": lakehouse.catalog.address, "properties": files(lakehouse)})
