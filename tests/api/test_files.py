"""Are files told whole, in part and as a preview, and never as a page of the server's own?"""

from __future__ import annotations

import datetime
import io
import json

import pyarrow
import pytest
from pyarrow import parquet

from penstock.services.file_preview import PreviewKind, preview
from tests.api.house import HELLO, House

TAKES = HELLO.replace("type: STRING\n    defaults: you", "type: FILE")


def keep(house: House, run_id: str, name: str, body: bytes) -> str:
    """Keep a file as a task of a run would."""
    return house.app.files.put_stream(f"runs/{run_id}/files/{name}", io.BytesIO(body))


def test_the_files_of_a_run_are_listed_a_page_at_a_time(house: House) -> None:
    run_id = house.start(house.push())
    for name in ("b.csv", "a.txt", "c.bin"):
        keep(house, run_id, name, b"x" * 10)

    first = house.client.get(f"/v1/runs/{run_id}/files", params={"limit": 2}).json()
    second = house.client.get(f"/v1/runs/{run_id}/files", params={"limit": 2, "cursor": first["next"]}).json()

    assert [each["name"] for each in first["items"] + second["items"]] == ["files/a.txt", "files/b.csv", "files/c.bin"]
    assert {each["size"] for each in first["items"]} == {10}


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("", 200, b"0123456789"),
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-30", 206, b"0123456789"),
        ("bytes=5-100", 206, b"56789"),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
        ("bytes=10-", 416, None),
        ("bytes=4-2", 416, None),
        ("bytes=-0", 416, None),
    ],
)
def test_a_file_comes_whole_or_in_part(house: House, asked: str, status: int, body: bytes | None) -> None:
    run_id = house.start(house.push())
    uri = keep(house, run_id, "a.txt", b"0123456789")

    answer = house.client.get(
        f"/v1/runs/{run_id}/files/content", params={"uri": uri}, headers={"Range": asked} if asked else {}
    )

    assert answer.status_code == status
    if body is not None:
        assert answer.content == body
        assert answer.headers["content-length"] == str(len(body))
    if status == 206:
        first = b"0123456789".find(body or b"")
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(body or b'') - 1}/10"


def test_a_page_is_never_shown_as_one(house: House) -> None:
    run_id = house.start(house.push())
    page = keep(house, run_id, "x.html", b"<script>alert(1)</script>")
    drawing = keep(house, run_id, "x.svg", b"<svg onload='alert(1)'/>")
    image = keep(house, run_id, "x.png", b"\x89PNG")

    def shown(uri: str) -> tuple[str, str]:
        answer = house.client.get(f"/v1/runs/{run_id}/files/content", params={"uri": uri, "inline": "true"})
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        return answer.headers["content-type"], answer.headers["content-disposition"].partition(";")[0]

    assert shown(page) == shown(drawing) == ("application/octet-stream", "attachment")
    assert shown(image) == ("image/png", "inline")


def test_a_run_tells_of_its_own_files_only(house: House) -> None:
    plan = house.push()
    mine, other = house.start(plan), house.start(plan)
    theirs = keep(house, other, "a.txt", b"secret")
    tricks = [theirs, f"penstock:///runs/{mine}/../{other}/files/a.txt", "file:///etc/passwd", "penstock:///x"]

    for uri in tricks:
        assert house.client.get(f"/v1/runs/{mine}/files/content", params={"uri": uri}).status_code in (404, 422)
        assert house.client.get(f"/v1/runs/{mine}/files/preview", params={"uri": uri}).status_code in (404, 422)


def test_who_has_a_file_already_is_not_sent_it_again(house: House) -> None:
    run_id = house.start(house.push())
    uri = keep(house, run_id, "a.txt", b"0123456789")
    where = f"/v1/runs/{run_id}/files/content"

    tag = house.client.get(where, params={"uri": uri}).headers["etag"]
    again = house.client.get(where, params={"uri": uri}, headers={"If-None-Match": tag})
    other = house.client.get(where, params={"uri": uri}, headers={"Range": "bytes=1-2", "If-Range": '"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert (other.status_code, other.content) == (200, b"0123456789")


def test_a_file_is_uploaded_for_a_run_that_then_tells_of_it(house: House) -> None:
    house.push(TAKES)
    body = b"a,b\n1,2\n" * 300_000

    kept = house.client.post("/v1/uploads/rows.csv", content=body)
    uri = kept.json()["uri"]
    run = house.client.post("/v1/runs", json={"namespace": "shop", "flow": "hello", "inputs": {"who": uri}}).json()
    told = house.client.get(f"/v1/runs/{run['id']}/files/preview", params={"uri": uri, "rows": 1}).json()

    assert (kept.status_code, kept.json()["size"]) == (201, len(body))
    assert (told["kind"], told["columns"], told["rows"]) == ("table", ["a", "b"], [["1", "2"]])
    assert house.as_("viewer").post("/v1/uploads/rows.csv", content=b"x").status_code == 403


@pytest.mark.parametrize(
    ("name", "body", "kind", "told"),
    [
        ("a.csv", b"a,b\n1,x\n2,y\n", PreviewKind.TABLE, (["a", "b"], [["1", "x"], ["2", "y"]])),
        ("a.tsv", b"a\tb\n1\tx\n", PreviewKind.TABLE, (["a", "b"], [["1", "x"]])),
        ("a.jsonl", b'{"a":1}\n{"b":2}\n', PreviewKind.TABLE, (["a", "b"], [[1, None], [None, 2]])),
        ("a.ndjson", b"1\n2\n", PreviewKind.JSON, [1, 2]),
        ("a.json", b'{"a":[1]}', PreviewKind.JSON, {"a": [1]}),
        ("a.json", b"{", PreviewKind.TEXT, "{"),
        ("a.txt", "größe".encode(), PreviewKind.TEXT, "größe"),
        ("a.bin", b"\x00\x01", PreviewKind.BINARY, "00 01"),
        ("a.png", b"\x89PNG", PreviewKind.IMAGE, "image/png"),
        ("a.csv", b"", PreviewKind.EMPTY, ""),
    ],
)
def test_a_file_is_looked_into(name: str, body: bytes, kind: PreviewKind, told: object) -> None:
    found = preview(name, len(body), body, 10)

    assert found.kind == kind
    match kind:
        case PreviewKind.TABLE:
            assert (found.columns, found.rows) == told
        case PreviewKind.JSON:
            assert found.value == told
        case PreviewKind.IMAGE:
            assert found.media == told
        case _:
            assert found.text == told


def test_of_a_large_file_only_whole_rows_and_signs_are_told() -> None:
    rows = "".join(json.dumps({"n": number, "s": "ü"}, ensure_ascii=False) + "\n" for number in range(100)).encode()
    table = preview("a.jsonl", 10_000_000, rows[:505], 1000)
    text = preview("a.txt", 10_000_000, "ü".encode() * 3 + b"\xc3", 10)

    assert (table.kind, table.whole) == (PreviewKind.TABLE, False)
    assert [row[0] for row in table.rows] == list(range(len(table.rows)))
    assert (text.kind, text.text) == (PreviewKind.TEXT, "üüü")


def test_rows_of_parquet_are_told_by_a_process_of_its_own(house: House) -> None:
    run_id = house.ran()
    days = [datetime.date(2016, 1, day) for day in range(1, 6)]
    table = pyarrow.table({"n": [1, 2, 3, 4, 5], "day": days, "what": [b"\x00\xff", None, b"", b"a", b"b"]})
    body = io.BytesIO()
    parquet.write_table(table, body)
    good = keep(house, run_id, "rows.parquet", body.getvalue())
    bad = keep(house, run_id, "bad.parquet", b"PAR1 and nothing more")

    told = house.client.get(f"/v1/runs/{run_id}/files/preview", params={"uri": good, "rows": 2}).json()
    whole = house.client.get(f"/v1/runs/{run_id}/files/preview", params={"uri": good}).json()
    unread = house.client.get(f"/v1/runs/{run_id}/files/preview", params={"uri": bad}).json()

    assert (told["kind"], told["columns"], told["whole"]) == ("table", ["n", "day", "what"], False)
    assert told["rows"] == [[1, "2016-01-01", "00 ff"], [2, "2016-01-02", None]]
    assert whole["whole"] and len(whole["rows"]) == 5
    assert (unread["kind"], unread["note"]) == ("binary", "It cannot be read as parquet.")
