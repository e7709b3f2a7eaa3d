"""Is what tasks told of data one graph, and does its picture show where they flow?"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from penstock.model.access import EVERYWHERE, Scope
from penstock.model.asset import Access, Change, Touched, located
from penstock.model.event import Ended
from penstock.model.lineage import DataGraph, JobNode
from penstock.model.status import Outcome
from penstock.services import apply
from penstock.services.core import Knobs
from penstock.services.lineage import told
from penstock.services.lineage.graph import Gathering, flowing
from penstock.services.lineage.picture import dot, drawing, layers, named, svg
from penstock.store import runs
from penstock.store.runs import Filter
from tests.services.office import Office


def touched(
    access: Access,
    name: str,
    *,
    rows: int | None = None,
    change: Change | None = None,
    columns: dict[str, str] | None = None,
) -> Touched:
    """Data of one broker, or of one bucket."""
    namespace = "kafka://k:9092" if name == "trips" else "s3://lake"
    return Touched(access=access, namespace=namespace, name=name, rows=rows, change=change, columns=columns or {})


READS, WRITES = Access.READS, Access.WRITES
TOLD = (
    ("n.f.make", "", touched(WRITES, "trips", change=Change.CREATE)),
    ("n.f.send", "", touched(WRITES, "trips", rows=7)),
    ("n.f.stream", "", touched(READS, "trips")),
    ("n.f.stream", "", touched(WRITES, "a/bronze")),
    ("n.f.stream_lives", "", touched(READS, "trips")),
    ("n.f.stream_lives", "", touched(WRITES, "a/bronze")),
    ("n.f.wait", "", touched(READS, "a/bronze", rows=7, columns={"id": "INT"})),
    ("n.f.dbt.days", "n.f.dbt", touched(READS, "a/bronze")),
    ("n.f.dbt.days", "n.f.dbt", touched(WRITES, "a/days", rows=2)),
    ("n.f.compact", "", touched(READS, "a/bronze")),
    ("n.f.compact", "", touched(WRITES, "a/bronze")),
    ("n.f.again", "", touched(READS, "a/days")),
    ("n.f.again", "", touched(WRITES, "a/bronze")),
)


def graph() -> DataGraph:
    """The graph of all that was told."""
    gathered = Gathering()
    for job, part, data in TOLD:
        gathered.add(JobNode(name=job, part=part), data)
    return gathered.graph()


def test_data_are_nodes_with_what_was_told_of_them() -> None:
    found = graph()
    (bronze,) = (each for each in found.data if each.name == "a/bronze")

    assert (bronze.rows, bronze.columns) == (7, {"id": "INT"})
    assert [(each.job, each.name) for each in found.links if each.defines] == [("n.f.make", "trips")]
    assert [each.name for each in found.jobs][:3] == ["n.f.make", "n.f.send", "n.f.stream"]


def test_the_picture_leaves_out_who_only_looks_or_looks_after_data_and_parts_that_stand_for_what_they_make() -> None:
    drawn = drawing(flowing(graph()))
    names = {key: box.name for key, box in drawn.boxes.items()}

    assert sorted(names.values()) == ["again", "bronze", "days", "send", "stream", "trips"]
    assert sorted((names[source], names[target]) for source, target in drawn.arrows) == [
        ("again", "bronze"), ("bronze", "days"), ("days", "again"), ("send", "trips"), ("stream", "bronze"),
        ("trips", "stream"),
    ]  # fmt: skip
    assert drawn.boxes["s3://lake a/days"].about == "s3://lake · 2 rows · by dbt"


def test_columns_go_from_left_to_right_also_where_something_goes_round() -> None:
    drawn = drawing(flowing(graph()))
    depth = {drawn.boxes[key].name: number for number, column in enumerate(layers(drawn)[0]) for key in column}

    assert depth["send"] < depth["trips"] < depth["stream"] < depth["bronze"] < depth["days"]


def test_a_picture_is_xml_and_holds_nothing_of_the_machine() -> None:
    text = svg(flowing(graph()), "Trips & more")
    shown = ElementTree.fromstring(text)

    assert shown.findtext("{http://www.w3.org/2000/svg}title") == "Trips & more"
    assert "k:9092" not in text
    assert '"kafka://k:9092 trips" -> "n.f.stream";' in dot(flowing(graph()))
    assert svg(Gathering().graph(), "").startswith("<svg")


def test_places_are_called_what_people_call_them() -> None:
    assert named("duckdb:///data/taxi.duckdb", "main.days") == ("taxi.duckdb", "days")
    assert named("postgres://db:5432", "dw.public.orders") == ("postgres dw.public", "orders")
    assert named("s3://lake", "a/b/c") == ("s3://lake", "c")
    assert named("file", "/data/a.csv") == ("file", "a.csv")


def test_an_address_is_a_namespace_and_a_name() -> None:
    assert located("s3a://b/c/d/") == ("s3://b", "c/d")
    assert located("file:///x/y") == ("file", "/x/y")
    assert located("/x/y/") == ("file", "/x/y")
    assert located("hdfs://n:8020/x") == ("hdfs://n:8020", "x")


def test_of_each_flow_the_newest_run_counts_that_told_anything() -> None:
    office = Office(Knobs(lineage=True))
    plan = office.push(["a"], "story")
    for name in ("old", "new", ""):
        office.start(plan)
        held = office.claim()[0]
        data = (touched(WRITES, name),) if name else ()
        ended = Ended(step="a", attempt=1, outcome=Outcome.DONE, worker="w", touched=data)
        apply.report(office.core, held, ended, {})
        office.clock.advance(1_000_000)
    newest, *_, oldest = office.core.store.read(lambda tx: runs.list_runs(tx, Filter()))

    found = told.of_flows(office.core, Filter(flow="story"))
    assert [each.name for each in found.data] == ["new"]
    assert [each.name for each in found.jobs] == ["tests.story.a"]
    assert [each.name for each in told.of_run(office.core, oldest).data] == ["old"]
    assert told.of_run(office.core, newest).links == []
    assert told.of_flows(office.core, Filter(), EVERYWHERE) == found
    assert told.of_flows(office.core, Filter(), Scope(namespaces=("other",))).links == []
    office.close()
