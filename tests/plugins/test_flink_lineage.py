"""Is what Flink says of tables and plans read as it is meant?"""

from __future__ import annotations

import json

import pytest

from penstock.plugins.flink import lineage
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import About, Context

TABLE = """CREATE TEMPORARY TABLE `default_catalog`.`default_database`.`ev``ents` (
  `event` VARCHAR(2147483647) NOT NULL COMMENT 'it''s, all',
  `k_offset` BIGINT METADATA FROM 'offset' VIRTUAL,
  `at` AS PROCTIME(),
  `pair` ROW<`a` INT, `b` VARCHAR(3)>,
  WATERMARK FOR `at` AS `at`
)
WITH (
  'connector' = 'kafka',
  'properties.bootstrap.servers' = 'k1:9092,k2:9092',
  'properties.sasl.jaas.config' = 'password=''p''',
  'topic' = 'trips;more',
  'value.format' = 'raw'
)
"""
PLAN = """[13]:TableSourceScan(table=[[default_catalog, default_database, events, metadata=[offset]]], fields=[event])
<br/>+- [14]:Calc(select=[event])
[19]:TableSourceScan(table=[[lake, taxi, bronze, filter=[>(n, 1)], project=[n]]], fields=[n], hints=[[[OPTIONS]]])
[20]:TableSourceScan(table=[[lake, taxi, silver]], fields=[n])
+- [7]:LookupJoin(table=[lake.taxi.zones], joinType=[LeftOuterJoin])"""


class _Silent:
    """A way to a worker that nobody is at."""

    def send(self, frame: dict[str, object]) -> None:
        """Nobody hears it."""

    def ask(self, what: str, body: dict[str, object]) -> object:
        """Nobody answers."""
        return None


def where(**options: str) -> list[tuple[str, str]]:
    """Where a table with these options is."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    return list(lineage.places(["lake", "taxi", "bronze"], given, Waiting(Context(About(), _Silent()))))


def test_a_table_tells_its_name_its_columns_and_its_options() -> None:
    path, columns, options = lineage.described(TABLE)

    assert path == ["default_catalog", "default_database", "ev`ents"]
    assert columns == {"event": "STRING", "k_offset": "BIGINT", "pair": "ROW<`a` INT, `b` VARCHAR(3)>"}
    assert options["properties.sasl.jaas.config"] == "password='p'"
    assert where(**options) == [("kafka://k1:9092", "trips"), ("kafka://k1:9092", "more")]


def test_a_plan_names_what_is_scanned_and_what_is_looked_up() -> None:
    assert lineage.SCANNED.findall(PLAN) == [
        "default_catalog, default_database, events", "lake, taxi, bronze", "lake, taxi, silver"
    ]  # fmt: skip
    assert lineage.LOOKED_UP.findall(PLAN) == ["lake.taxi.zones"]


@pytest.mark.parametrize(
    ("statement", "written"),
    [
        ("INSERT INTO lake.taxi.bronze SELECT 1", [("INSERT INTO", "lake.taxi.bronze")]),
        ("insert overwrite `lake` . `my``db`.t (a) VALUES (1)", [("insert overwrite", "`lake` . `my``db`.t")]),
        ("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END",
         [("INSERT INTO", "a"), ("INSERT INTO", "b")]),
        ("CREATE TABLE IF NOT EXISTS t WITH ('x' = 'y') AS SELECT 1", [("CREATE TABLE", "t")]),
        ("DELETE FROM t WHERE a = 1", [("DELETE FROM", "t")]),
    ],
)  # fmt: skip
def test_a_statement_names_what_it_writes(statement: str, written: list[tuple[str, str]]) -> None:
    assert lineage.INTO.findall(statement) == written


def test_tables_of_all_kinds_are_named_as_others_name_them() -> None:
    jdbc = {
        "jdbc.password": "p",
        "warehouse": "s3://lake/warehouse/",
        "catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
    }
    source = {"catalog-name": "lake", "catalog-database": "taxi", "catalog-table": "bronze", "catalog-props": jdbc}
    hive = {**source, "catalog-props": {"catalog-type": "hive", "warehouse": "s3a://lake/w"}}

    assert where(connector="iceberg", src_catalog=json.dumps(source)) == [("s3://lake", "warehouse/taxi/bronze")]
    assert where(connector="iceberg", src_catalog=json.dumps(hive)) == [("s3://lake", "w/taxi.db/bronze")]
    assert where(connector="iceberg", warehouse="file:///w", catalog_database="d") == [("file", "/w/d/bronze")]
    assert where(connector="filesystem", path="s3://b/in/") == [("s3://b", "in")]
    assert where(connector="jdbc", url="jdbc:postgresql://db:5432/shop?ssl=on", table_name="orders") == [
        ("postgres://db:5432", "shop.public.orders")
    ]
    assert where(connector="jdbc", url="jdbc:mysql://db:3306/shop", table_name="orders") == [
        ("mysql://db:3306", "shop.orders")
    ]
    assert where(connector="datagen") == where(connector="blackhole") == []
