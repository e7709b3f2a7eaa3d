"""Do Avro, Parquet and Excel keep values and their kinds, both ways?"""

from __future__ import annotations

import datetime
import decimal
import io
import json
import zipfile
from typing import Any

import fastavro
import pyarrow
import pyarrow.parquet
import pytest

from penstock.sdk.local import LocalContext
from tests.plugins.serdes.telling import message, ok, records

SCHEMA: dict[str, object] = {
    "type": "record",
    "name": "order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "paid", "type": "boolean"},
        {"name": "price", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}]},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}], "default": None},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "of", "type": {"type": "record", "name": "of", "fields": [{"name": "who", "type": "string"}]}},
        {"name": "kind", "type": {"type": "enum", "name": "kind", "symbols": ["A", "B"]}, "default": "A"},
        {"name": "more", "type": {"type": "map", "values": "double"}},
    ],
}
LINE = (
    '{"id":"7","paid":"yes","price":"1.50","day":"2024-02-03","tags":["x",1],"of":{"who":"me"},"kind":"B",'
    '"more":{"a":1}}\n{"id":8,"paid":0,"price":null,"day":"2024-02-04","at":"2024-02-04T01:02:03+01:00","tags":[],'
    '"of":{"who":""},"more":{}}\n'
)
EXPECTED: list[dict[str, Any]] = [
    {
        "id": 7, "paid": True, "price": 1.5, "day": "2024-02-03", "at": None,
        "tags": ["x", "1"], "of": {"who": "me"}, "kind": "B", "more": {"a": 1.0},
    },
    {
        "id": 8, "paid": False, "price": None, "day": "2024-02-04", "at": "2024-02-04T00:02:03+00:00",
        "tags": [], "of": {"who": ""}, "kind": "A", "more": {},
    },
]  # fmt: skip


def test_records_become_avro_by_a_schema_and_come_back(local: LocalContext) -> None:
    made = ok(local.run("avro.write", {"from": local.put(LINE), "schema": json.dumps(SCHEMA)}))
    read = ok(local.run("io.kestra.plugin.serdes.avro.AvroToIon", {"from": made["uri"]}))

    with local.path(str(made["uri"])).open("rb") as file:
        assert next(row for row in fastavro.reader(file) if isinstance(row, dict))["price"] == decimal.Decimal("1.50")
    assert (made["size"], read["size"]) == (2, 2)
    assert records(local, read) == EXPECTED


def test_records_become_parquet_by_the_same_schema_and_come_back(local: LocalContext) -> None:
    made = ok(local.run("parquet.write", {"from": local.put(LINE), "schema": SCHEMA, "compressionCodec": "ZSTD"}))
    read = ok(local.run("parquet.read", {"from": made["uri"]}))

    found = pyarrow.parquet.read_schema(local.path(str(made["uri"])))
    assert (str(found.field("price").type), str(found.field("at").type)) == (
        "decimal128(9, 2)",
        "timestamp[us, tz=UTC]",
    )
    more = [row | {"more": list(map(list, row["more"].items()))} for row in EXPECTED]
    assert records(local, read) == more


@pytest.mark.parametrize("format", ["avro", "parquet"])
def test_without_a_schema_one_is_found(local: LocalContext, format: str) -> None:
    rows = '{"a":1,"b":null,"c":[{"x":1}]}\n{"a":2.5,"b":"t","c":[]}\n{"a":null,"b":true}\n'

    made = ok(local.run(f"{format}.write", {"from": local.put(rows)}))
    read = ok(local.run(f"{format}.read", {"from": made["uri"]}))

    assert records(local, read) == [
        {"a": 1.0, "b": None, "c": [{"x": 1}]},
        {"a": 2.5, "b": "t", "c": []},
        {"a": None, "b": "true", "c": None},
    ]


@pytest.mark.parametrize("format", ["avro", "parquet"])
def test_a_record_that_does_not_fit_is_named_or_left_out(local: LocalContext, format: str) -> None:
    given = {"from": local.put(LINE + '{"id":"x"}\n'), "schema": json.dumps(SCHEMA)}

    assert 'Record 3 does not fit the schema: "id": "x" is no number' in message(local.run(f"{format}.write", given))
    assert ok(local.run(f"{format}.write", {**given, "onBadLines": "SKIP"}))["size"] == 2
    strict = local.run(f"{format}.write", {**given, "from": local.put('{"od":1}\n'), "strictSchema": True})
    assert 'the schema names no "od"' in message(strict)


@pytest.mark.parametrize("kind", ["avro.read", "parquet.read", "excel.read"])
def test_a_file_of_another_kind_is_told(local: LocalContext, kind: str) -> None:
    assert "The file is no" in message(local.run(kind, {"from": local.put("a,b\n1,2\n" * 99)}))


def test_instants_of_parquet_finer_than_a_microsecond_are_read(local: LocalContext) -> None:
    column = pyarrow.array([1_500_000_000_123_456_789], pyarrow.timestamp("ns"))
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"at": column}), file)

    read = ok(local.run("parquet.read", {"from": local.put(file.getvalue())}))

    assert records(local, read) == [{"at": "2017-07-14T02:40:00.123456"}]


def test_records_become_sheets_and_come_back(local: LocalContext) -> None:
    orders = local.put(
        '{id: 1, name: "=a", day: 2024-02-03, at: 2024-02-03T04:05:06Z, more: [1], yes: true, no: null}\n'
    )
    properties = {"from": {"Orders": orders, "Empty": local.put("")}, "timeZoneId": "Europe/Paris"}

    made = ok(local.run("excel.write", properties))
    read = ok(local.run("excel.read", {"from": made["uri"], "dateTimeRender": "FORMATTED_VALUE"}))

    uris = read["uris"]
    assert isinstance(uris, dict)
    assert list(uris) == ["Orders", "Empty"]
    assert records(local, {"uri": uris["Orders"]}) == [
        {
            "id": 1,
            "name": "=a",
            "day": "2024-02-03",
            "at": "2024-02-03T05:05:06",
            "more": "[1]",
            "yes": True,
            "no": None,
        }
    ]
    assert (made["size"], read["size"]) == (1, 1)


def test_a_sheet_is_read_as_numbers_texts_or_formulas(local: LocalContext) -> None:
    sheet = (
        '<worksheet><sheetData><row r="2"><c r="A2" t="s"><v>0</v></c><c r="C2" s="1"><v>45325.5</v></c></row>'
        '<row r="4"><c r="B4" t="b"><v>1</v></c><c r="C4"><f>1+1</f><v>2</v></c></row></sheetData></worksheet>'
    )
    uri = local.put(book(sheet), "by-hand.xlsx")

    def rows(**how: object) -> list[object]:
        uris = ok(local.run("excel.read", {"from": uri, "header": False, **how}))["uris"]
        assert isinstance(uris, dict)
        return records(local, {"uri": uris["One"]})

    assert rows() == [[], ["a_b", None, 45325.5], [], [None, True, 2]]
    assert rows(skipEmptyRows=True, dateTimeRender="FORMATTED_VALUE") == [
        ["a_b", None, "2024-02-03T12:00:00"],
        [None, True, 2],
    ]
    assert rows(skipRows=3, valueRender="FORMULA") == [[None, True, "=1+1"]]
    assert rows(skipRows=3, valueRender="FORMATTED_VALUE") == [[None, "TRUE", "2"]]
    assert 'no sheet "Two"; there are: One' in message(local.run("excel.read", {"from": uri, "sheetsTitle": ["Two"]}))


def book(sheet: str) -> bytes:
    """The bytes of an Excel file with one sheet, one text and one style of a date."""
    kept = io.BytesIO()
    parts = {
        "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="One" r:id="x1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relations><Relationship Id="x1" Target="worksheets/s.xml"/></Relations>',
        "xl/sharedStrings.xml": "<sst><si><r><t>a_x005F_</t></r><r><t>b</t></r><rPh><t>aside</t></rPh></si></sst>",
        "xl/styles.xml": (
            '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm"/></numFmts>'
            '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
        ),
        "xl/worksheets/s.xml": sheet,
    }
    with zipfile.ZipFile(kept, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return kept.getvalue()


def test_a_long_number_is_not_rounded_by_a_sheet(local: LocalContext) -> None:
    made = ok(local.run("excel.write", {"from": local.put('{"n":12345678901234567}\n')}))

    uris = ok(local.run("excel.read", {"from": made["uri"]}))["uris"]

    assert isinstance(uris, dict)
    assert records(local, {"uri": uris["Sheet"]}) == [{"n": "12345678901234567"}]


def test_the_moment_of_a_day_is_kept(local: LocalContext) -> None:
    made = ok(local.run("avro.write", {"from": local.put("{at: 2024-02-03T04:05:06.5Z, day: 2024-02-03}\n")}))

    with local.path(str(made["uri"])).open("rb") as file:
        assert list(fastavro.reader(file)) == [
            {
                "at": datetime.datetime(2024, 2, 3, 4, 5, 6, 500_000, tzinfo=datetime.UTC),
                "day": datetime.date(2024, 2, 3),
            }
        ]
