"""Do CSV, JSON, YAML and XML become records and come back, whatever stands in them?"""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from penstock.sdk.local import LocalContext
from tests.plugins.serdes.telling import message, ok, records, text

CELL = some.text(alphabet=some.characters(exclude_categories=["Cs", "Cc"]), max_size=9) | some.sampled_from(
    ['"', ",", "\n", "\r\n", " x ", ""]
)
ORDERS = '{"id":1,"name":"a;b","at":null}\n{"id":2,"name":"say \\"c\\"","at":true}\n'


def test_csv_becomes_records_by_the_names_of_its_first_line(local: LocalContext) -> None:
    uri = local.put('id;name\n1;"a;b"\n2;"two\nlines"\n3\n', "orders.csv")

    outputs = ok(local.run("io.kestra.plugin.serdes.csv.CsvToIon", {"from": uri, "fieldSeparator": ";"}))

    assert outputs["size"] == 3
    assert records(local, outputs) == [
        {"id": "1", "name": "a;b"},
        {"id": "2", "name": "two\nlines"},
        {"id": "3", "name": None},
    ]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"header": False}, [["x"], ["a", "b"], [""], ["1", "2"]]),
        ({"header": False, "skipEmptyRows": True, "maxRows": 2}, [["x"], ["a", "b"]]),
        ({"skipRows": 1}, [{"a": "", "b": None}, {"a": "1", "b": "2"}]),
        ({"skipRows": 1, "skipEmptyRows": True}, [{"a": "1", "b": "2"}]),
    ],
)
def test_lines_of_csv_are_left_out_as_asked(local: LocalContext, how: dict[str, object], expected: object) -> None:
    outputs = ok(local.run("csv.read", {"from": local.put("x\na,b\n\n1,2\n"), **how}))

    assert records(local, outputs) == expected


def test_a_bad_line_of_csv_fails_is_told_or_is_left_out(local: LocalContext) -> None:
    uri = local.put("a,b\n1,2,3\n4,5\n")

    assert "Line 2: 3 fields where the first line has 2." in message(local.run("csv.read", {"from": uri}))
    warned = local.run("csv.read", {"from": uri, "onBadLines": "WARN"})
    assert (records(local, ok(warned)), warned.logs[0].level) == ([{"a": "4", "b": "5"}], "warn")
    assert ok(local.run("csv.read", {"from": uri, "onBadLines": "SKIP"}))["size"] == 1


def test_csv_of_another_charset_is_read(local: LocalContext) -> None:
    uri = local.put("prénom\nZoé\n".encode("windows-1252"))

    assert records(local, ok(local.run("csv.read", {"from": uri, "charset": "windows-1252"}))) == [{"prénom": "Zoé"}]
    assert "no charset" in message(local.run("csv.read", {"from": uri, "charset": "klingon"}))


def test_records_become_csv_with_the_delimiters_they_need(local: LocalContext) -> None:
    uri = local.put(ORDERS)

    plain = ok(local.run("csv.write", {"from": uri, "fieldSeparator": ";"}))
    always = ok(local.run("csv.write", {"from": uri, "alwaysDelimitText": True, "header": False}))

    assert text(local, plain) == 'id;name;at\n1;"a;b";\n2;"say ""c""";true\n'
    assert text(local, always) == '"1","a;b",""\n"2","say ""c""","true"\n'
    assert plain["size"] == always["size"] == 2


def test_moments_of_ion_are_written_in_csv_as_asked(local: LocalContext) -> None:
    uri = local.put("{day: 2024-02-03, at: 2024-02-03T04:05:06Z, n: 1.50}\n", "x.ion")
    properties = {"dateFormat": "dd/MM/yyyy", "timeZoneId": "Europe/Paris", "dateTimeFormat": "HH:mm:ss.SSS[XXX]"}

    outputs = ok(local.run("csv.write", {"from": uri, **properties}))

    assert text(local, outputs) == "day,at,n\n03/02/2024,05:05:06.000+01:00,1.50\n"


def test_a_value_that_the_header_does_not_name_is_not_lost_in_silence(local: LocalContext) -> None:
    told = local.run("csv.write", {"from": local.put('{"a":1}\n{"a":1,"b":2}\n')})

    assert 'Record 2 has a value "b"' in message(told)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(some.lists(some.tuples(CELL, CELL), min_size=1, max_size=5))
def test_any_table_survives_csv_and_back(local: LocalContext, rows: list[tuple[str, str]]) -> None:
    table = io.StringIO(newline="")
    csv.writer(table).writerows([("a", "b"), *rows])

    read = ok(local.run("csv.read", {"from": local.put(table.getvalue().encode())}))
    back = ok(local.run("csv.write", {"from": read["uri"]}))

    assert records(local, read) == [{"a": first, "b": second} for first, second in rows]
    assert list(csv.reader(io.StringIO(text(local, back), newline="")))[1:] == [list(row) for row in rows]


@pytest.mark.parametrize("content", ['{"a":1}\n\n[2]\n', '[{"a":1},[2]]', ' [ {"a" : 1} ,\n [2] ] ', '{"a":1}[2]'])
def test_json_becomes_records_whether_lines_or_a_list(local: LocalContext, content: str) -> None:
    outputs = ok(local.run("json.read", {"from": local.put(content), "newLine": content.count("\n") == 3}))

    assert records(local, outputs) == [{"a": 1}, [2]]


@pytest.mark.parametrize("content", ["[1,2", "[1 2]", "[1],", "[1,]", "{", "[] x"])
def test_what_is_no_list_of_json_is_told(local: LocalContext, content: str) -> None:
    assert "JSON" in message(local.run("json.read", {"from": local.put(content), "newLine": False}))


def test_a_list_longer_than_what_is_read_at_once_keeps_every_value(local: LocalContext) -> None:
    values = [{"n": number, "text": "x" * (number % 7000)} for number in range(700)] + [12345678901234567890123]

    outputs = ok(local.run("json.to_lines", {"from": local.put(json.dumps(values))}))

    assert [json.loads(line) for line in text(local, outputs).splitlines()][:700] == values[:700]
    assert outputs["size"] == 701


def test_records_become_one_list_of_json_or_lines(local: LocalContext) -> None:
    uri = local.put("{a:1,b:2.5}\n{a:2024-01-01}\n", "x.ion")

    assert text(local, ok(local.run("json.write", {"from": uri}))) == '{"a":1,"b":2.5}\n{"a":"2024-01-01"}\n'
    listed = ok(local.run("json.write", {"from": uri, "newLine": False}))
    assert text(local, listed) == '[{"a":1,"b":2.5},{"a":"2024-01-01"}]'


def test_ion_and_records_are_turned_into_each_other(local: LocalContext) -> None:
    read = ok(local.run("ion.read", {"from": local.put("{a:1.5}{'b c':{{aGk=}}}\n")}))
    written = ok(local.run("ion.write", {"from": read["uri"]}))

    assert records(local, read) == [{"a": 1.5}, {"b c": "hi"}]
    assert text(local, written) == "{a:1.5e0}\n{'b c':\"hi\"}\n"


def test_yaml_becomes_records_and_back(local: LocalContext) -> None:
    read = ok(local.run("yaml.read", {"from": local.put("- {a: 1}\n- {a: 2024-01-01}\n---\nb: [x]\n")}))
    written = ok(local.run("yaml.write", {"from": read["uri"]}))

    assert records(local, read) == [{"a": 1}, {"a": "2024-01-01"}, {"b": ["x"]}]
    assert text(local, written) == "- a: 1\n- a: '2024-01-01'\n- b:\n  - x\n"
    assert "no YAML" in message(local.run("yaml.read", {"from": local.put("a: [")}))


BOOKS = """<?xml version="1.0"?><c:catalog xmlns:c="urn:c" day="1">
<book id="01"><title>A &amp; B</title><price>1.50</price>
</book><shelf><book><title>C</title><title>D</title></book></shelf></c:catalog>"""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("//book", [{"id": "01", "title": "A & B", "price": 1.5}, {"title": ["C", "D"]}]),
        ("/catalog/book", [{"id": "01", "title": "A & B", "price": 1.5}]),
        ("/*/shelf//title", ["C", "D"]),
        ("//*[local-name()='price']", [1.5]),
        ("/nothing", []),
    ],
)
def test_elements_of_xml_become_records(local: LocalContext, query: str, expected: object) -> None:
    assert records(local, ok(local.run("xml.read", {"from": local.put(BOOKS), "query": query}))) == expected


def test_a_whole_document_of_xml_is_one_record(local: LocalContext) -> None:
    forced = {"parserConfiguration": {"forceList": ["price"]}}

    outputs = ok(local.run("xml.read", {"from": local.put("<a x='1'>t<price>2</price><b/></a>"), **forced}))

    assert records(local, outputs) == [{"a": {"x": 1, "price": [2], "b": "", "content": "t"}}]


def test_xml_that_defines_types_or_is_none_is_refused(local: LocalContext) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'

    assert "DOCTYPE" in message(local.run("xml.read", {"from": local.put(bomb)}))
    assert "no XML" in message(local.run("xml.read", {"from": local.put("<a>")}))
    assert "cannot be read at" in message(local.run("xml.read", {"from": local.put("<a/>"), "query": "//a[1]"}))


def test_records_become_xml_that_reads_the_same(local: LocalContext) -> None:
    uri = local.put('{"a b":"<&>","c":[1,2],"d":{"e":null}}\n')

    outputs = ok(local.run("xml.write", {"from": uri, "rootName": "rows"}))
    again = ok(local.run("xml.read", {"from": outputs["uri"], "query": "/rows/item"}))

    assert records(local, again) == [{"a_b": "<&>", "c": [1, 2], "d": {"e": ""}}]
