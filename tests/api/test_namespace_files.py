"""Are the files of a namespace listed, read in part, kept and moved by HTTP, by us and by Kestra's clients?"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import pytest
from kestrapy import KestraClient
from kestrapy.exceptions import NotFoundException

from penstock.services.document import document
from tests.api.house import House
from tests.api.kestra import MAIN, owned

AT = "/v1/namespaces/shop/files"
READS = """
id: reads
namespace: shop
tasks:
  - id: give
    type: return
    format: "{{ read('sql/a.sql') }} {{ read('sql/a.sql', revision=1) }} {{ fileExists('sql/none') }}"
  - id: script
    type: shell.script
    namespaceFiles: {enabled: true, include: ["sql/**"]}
    inputFiles: {"b.txt": "nsfile:///deep/b.txt"}
    script: |
      test ! -e deep
      echo '::{"outputs":{"seen":"'$(cat sql/a.sql b.txt)'"}}::'
  - id: keep
    type: namespace.upload_files
    filesMap: {"made/c.txt": "{{ outputs.write.uri }}"}
    dependsOn: []
"""


@pytest.fixture
def client(house: House) -> Iterator[KestraClient]:
    """Kestra's client of the owner."""
    with owned(house) as made:
        yield made


def put(house: House, path: str, body: bytes, **headers: str) -> int:
    """Keep a file, and give the status of the answer."""
    sent = {"Content-Type": "application/octet-stream"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return house.client.put(f"{AT}/content", params={"path": path}, content=body, headers=sent).status_code


def test_files_are_kept_read_in_part_and_listed_a_page_at_a_time(either: House) -> None:
    assert [put(either, path, b"0123456789") for path in ("sql/b", "sql/a", "top")] == [201, 201, 201]
    assert put(either, "top", b"new") == 200

    first = either.client.get(AT, params={"limit": 2}).json()
    second = either.client.get(AT, params={"limit": 2, "cursor": first["next"]}).json()
    some = either.client.get(AT, params={"prefix": "/sql/"}).json()
    part = either.client.get(f"{AT}/content", params={"path": "sql/a"}, headers={"Range": "bytes=2-4"})
    again = either.client.get(
        f"{AT}/content", params={"path": "sql/a"}, headers={"If-None-Match": part.headers["etag"]}
    )

    assert [each["path"] for each in first["items"] + second["items"]] == ["sql/a", "sql/b", "top"]
    assert (second["next"], [each["path"] for each in some["items"]]) == ("", ["sql/a", "sql/b"])
    assert (part.status_code, part.content, again.status_code) == (206, b"234", 304)
    assert part.headers["content-disposition"].startswith("attachment")


def test_only_what_stands_there_is_written_over(house: House) -> None:
    assert put(house, "a", b"1", if_none_match="*") == 201
    assert put(house, "a", b"2", if_none_match="*") == 412
    assert put(house, "a", b"2", if_match='"f7"') == 412
    assert put(house, "a", b"2", if_match="nonsense") == 400
    assert put(house, "a", b"2", if_match='"f1"') == 200
    assert put(house, "../a", b"2") == 422

    told = house.client.get(f"{AT}/revisions", params={"path": "a"}).json()
    old = house.client.get(f"{AT}/content", params={"path": "a", "revision": 1})
    assert [each["revision"] for each in told["items"]] == [2, 1]
    assert old.content == b"1"
    assert house.client.get(f"{AT}/content", params={"path": "b"}).status_code == 404
    assert house.client.get(f"{AT}/revisions", params={"path": "b"}).status_code == 404


def test_folders_are_made_moved_and_deleted(house: House) -> None:
    put(house, "a/one", b"1")
    house.client.post(f"{AT}/folders", json={"path": "a/empty"})

    moved = house.client.post(f"{AT}/move", json={"from": "a", "to": "b"}).json()
    refused = house.client.post(f"{AT}/move", json={"from": "b", "to": "b/c"})
    zipped = house.client.get(f"{AT}/archive")
    deleted = house.client.delete(f"{AT}/content", params={"path": "b"})
    back = house.client.post(
        f"{AT}/archive", params={"folder": "c"}, content=zipped.content, headers={"Content-Type": "application/zip"}
    ).json()

    assert [each["path"] for each in moved["items"]] == ["b/empty/", "b/one"]
    assert (refused.status_code, deleted.status_code) == (422, 204)
    assert zipfile.ZipFile(io.BytesIO(zipped.content)).read("b/one") == b"1"
    assert [each["path"] for each in back["items"]] == ["c/b/one"]


def test_who_may_only_look_changes_nothing(house: House) -> None:
    put(house, "a", b"1")
    viewer, other = house.as_("viewer"), house.as_("other")

    assert viewer.get(AT).status_code == 200
    assert viewer.put(f"{AT}/content", params={"path": "a"}, content=b"2").status_code == 403
    assert viewer.delete(f"{AT}/content", params={"path": "a"}).status_code == 403
    assert viewer.post("/api/v1/main/namespaces/shop/files?path=/a").status_code == 403
    assert other.get(f"{AT}/content", params={"path": "a"}).status_code == 403


def test_flows_find_what_was_kept_and_keep_files_themselves(house: House) -> None:
    put(house, "sql/a.sql", b"one")
    put(house, "sql/a.sql", b"two")
    put(house, "deep/b.txt", b"three")

    run_id = house.ran(READS.replace("  - id: keep", WRITES).replace("    dependsOn: []\n", ""))

    outputs = {each.task: each.outputs for each in document(house.core, run_id).steps}
    assert outputs["give"] == {"value": "two one false"}, outputs
    assert outputs["script"]["vars"] == {"seen": "twothree"}
    kept = house.client.get(f"{AT}/content", params={"path": "made/c.txt"})
    assert kept.text == "written"
    row = house.client.get(AT, params={"prefix": "made/"}).json()["items"][0]
    assert row["revision"] == 1


WRITES = """  - id: write
    type: io.kestra.plugin.core.storage.Write
    content: written
  - id: keep"""


def test_kestras_client_works_with_files(client: KestraClient) -> None:
    files = client.files
    files.create_namespace_file("shop", "/sql/a.sql", MAIN, b"select 1")
    files.create_namespace_file("shop", "/sql/a.sql", MAIN, b"select 2")
    files.create_namespace_file("shop", "/top.txt", MAIN, b"top")
    files.create_namespace_directory("shop", MAIN, "/empty")

    assert files.file_content("shop", "/sql/a.sql", MAIN) == b"select 2"
    assert files.file_content("shop", "/sql/a.sql", MAIN, revision=1) == b"select 1"
    assert [each.revision for each in files.file_revisions("shop", MAIN, "/sql/a.sql")] == [2, 1]
    told = {each.file_name: each.type.value for each in files.list_namespace_directory_files("shop", MAIN)}
    assert told == {"sql": "Directory", "empty": "Directory", "top.txt": "File"}
    assert [each.file_name for each in files.list_namespace_directory_files("shop", MAIN, "/sql")] == ["a.sql"]
    assert files.file_metadatas("shop", MAIN, "/sql/a.sql").size == 8
    assert files.file_metadatas("shop", MAIN, "/sql").type.value == "Directory"
    assert files.search_namespace_files("shop", "SQL", MAIN) == ["/sql/a.sql"]

    files.move_file_directory("shop", "/sql", "/queries", MAIN)
    files.delete_file_directory("shop", "/top.txt", MAIN)
    with zipfile.ZipFile(io.BytesIO(files.export_namespace_files("shop", MAIN))) as archive:
        assert archive.namelist() == ["empty/", "queries/a.sql"]
    with pytest.raises(NotFoundException):
        files.file_content("shop", "/top.txt", MAIN)
