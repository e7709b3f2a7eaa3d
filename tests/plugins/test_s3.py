"""Do the S3 task types do their work on a real store?"""

from __future__ import annotations

import json

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from projects.servers import S3Server


@pytest.fixture
def where(s3: S3Server, bucket: str) -> dict[str, object]:
    return {
        "bucket": bucket,
        "endpointOverride": s3.endpoint,
        "accessKeyId": s3.env["AWS_ACCESS_KEY_ID"],
        "secretKeyId": s3.env["AWS_SECRET_ACCESS_KEY"],
        "region": "us-east-1",
    }


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def keys(local: LocalContext, where: dict[str, object], **more: object) -> list[object]:
    listed = ok(local.run("s3.list", {**where, **more}))["objects"]
    assert isinstance(listed, list)
    return [each["key"] for each in listed]


def put(local: LocalContext, where: dict[str, object], *names: str) -> None:
    for name in names:
        ok(local.run("s3.upload", {**where, "key": name, "from": local.put(f"content of {name}")}))


def test_what_is_uploaded_can_be_downloaded(local: LocalContext, where: dict[str, object]) -> None:
    uri = local.put("a,b\n1,2\n", "day.csv")
    properties = {"key": "in/day.csv", "from": uri, "metadata": {"day": "2"}, "contentType": "text/csv"}

    up = ok(local.run("s3.upload", {**where, **properties}))
    down = ok(local.run("io.kestra.plugin.aws.s3.Download", {**where, "key": "in/day.csv"}))

    assert local.text(str(down["uri"])) == "a,b\n1,2\n"
    assert (down["contentLength"], down["contentType"], down["metadata"]) == (8, "text/csv", {"day": "2"})
    assert up["eTag"] == down["eTag"]


def test_objects_that_are_moved_are_told_of(local: LocalContext, where: dict[str, object]) -> None:
    local.lineage = True
    up = local.run("s3.upload", {**where, "key": "a.csv", "from": local.put("1,2")})
    down = local.run("s3.download", {**where, "key": "a.csv"})
    copied = local.run(
        "s3.copy", {**where, "from": {"bucket": where["bucket"], "key": "a.csv"}, "to": {"key": "b.csv"}}
    )
    several = local.run("s3.downloads", {**where, "prefix": "b"})

    touched = [each for told in (up, down, copied, several) for each in told.touched]
    assert [(each.access.value, each.name, each.size) for each in touched] == [
        ("writes", "a.csv", 3), ("reads", "a.csv", 3), ("reads", "a.csv", None), ("writes", "b.csv", None),
        ("reads", "b.csv", 3),
    ]  # fmt: skip
    assert up.touched[0].namespace == f"s3://{where['bucket']}"


def test_a_listing_reads_every_page_and_filters_by_the_whole_key(local: LocalContext, where: dict[str, object]) -> None:
    put(local, where, "a/1.csv", "a/2.csv", "a/2.csv.bak", "b/3.csv")

    assert keys(local, where, prefix="a/", maxKeys=1) == ["a/1.csv", "a/2.csv", "a/2.csv.bak"]
    assert keys(local, where, regexp=r".*\.csv") == ["a/1.csv", "a/2.csv", "b/3.csv"]
    assert keys(local, where, marker="a/2.csv.bak") == ["b/3.csv"]


def test_downloads_move_what_was_stored(local: LocalContext, where: dict[str, object]) -> None:
    put(local, where, "in/1.csv", "in/2.csv")

    outputs = ok(local.run("s3.downloads", {**where, "prefix": "in/", "action": "MOVE", "moveTo": {"key": "done"}}))

    files = outputs["outputFiles"]
    assert isinstance(files, dict)
    assert [local.text(uri) for uri in files.values()] == ["content of in/1.csv", "content of in/2.csv"]
    assert keys(local, where) == ["done/1.csv", "done/2.csv"]


def test_an_object_is_copied_and_the_first_one_deleted(local: LocalContext, where: dict[str, object]) -> None:
    put(local, where, "a.csv")
    here = {"bucket": where["bucket"], "key": "a.csv"}
    connection = {name: value for name, value in where.items() if name != "bucket"}

    ok(local.run("s3.copy", {**connection, "from": here, "to": {"key": "b.csv"}, "delete": True}))

    assert keys(local, where) == ["b.csv"]


def test_deleting_by_list_takes_only_what_matches(local: LocalContext, where: dict[str, object]) -> None:
    put(local, where, "old/1", "old/2", "new/1")

    outputs = ok(local.run("s3.delete_list", {**where, "prefix": "old/"}))

    assert outputs == {"count": 2, "size": 32}
    assert keys(local, where) == ["new/1"]


def test_deleting_what_is_not_there_is_no_failure(local: LocalContext, where: dict[str, object]) -> None:
    put(local, where, "a")

    ok(local.run("s3.delete", {**where, "key": "a"}))
    ok(local.run("s3.delete", {**where, "key": "a"}))

    assert keys(local, where) == []


def test_a_bucket_is_made_once(local: LocalContext, where: dict[str, object]) -> None:
    name = f"{where['bucket']}-more"

    first = ok(local.run("s3.create_bucket", {**where, "bucket": name}))
    ok(local.run("s3.create_bucket", {**where, "bucket": name}))

    assert first["created"] is True
    assert keys(local, {**where, "bucket": name}) == []


@pytest.mark.parametrize("rendered", [False, True])
def test_several_files_go_up_under_one_key(local: LocalContext, where: dict[str, object], rendered: bool) -> None:
    given = {"x.csv": local.put("x"), "y.csv": local.put("y")}
    files = json.dumps(given) if rendered else given

    outputs = ok(local.run("s3.upload", {**where, "key": "in", "from": files}))

    assert outputs["files"] == {"x.csv": "in/x.csv", "y.csv": "in/y.csv"}
    assert keys(local, where) == ["in/x.csv", "in/y.csv"]


def test_a_missing_object_is_told_in_the_stores_words(local: LocalContext, where: dict[str, object]) -> None:
    told = local.run("s3.download", {**where, "key": "nowhere"})

    assert told.failure is not None
    assert "HeadObject" in str(told.failure["message"])
    assert "404" in str(told.failure["message"])


def test_a_trigger_sees_each_object_once_and_takes_it_away_once_that_is_told(
    local: LocalContext, where: dict[str, object]
) -> None:
    put(local, where, "in/1.csv", "in/2.csv", "in/3.csv")
    asked = {**where, "prefix": "in/", "action": "MOVE", "moveTo": {"key": "done"}, "maxFiles": 2}

    died = local.run("s3.trigger", asked)  # and nobody heard of it
    first = local.run("io.kestra.plugin.aws.s3.Trigger", asked)
    told = local.run("s3.trigger", asked, state=first.state)
    again = local.run("s3.trigger", asked, state=first.state)

    objects = told.outputs["objects"]
    assert isinstance(objects, list)
    assert died.outcome is first.outcome is Outcome.SNOOZED
    assert [(each["key"], each["changeType"]) for each in objects] == [("in/1.csv", "CREATE"), ("in/2.csv", "CREATE")]
    assert local.text(str(objects[0]["uri"])) == "content of in/1.csv"
    assert again.outputs["objects"] == objects
    assert keys(local, where) == ["done/1.csv", "done/2.csv", "in/3.csv"]
    watching = {**where, "prefix": "done/"}
    seen = local.run("s3.trigger", watching)
    assert seen.outcome is Outcome.DONE
    assert local.run("s3.trigger", watching, state=seen.state).outcome is Outcome.SKIPPED
