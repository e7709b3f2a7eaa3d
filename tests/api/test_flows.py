"""Are flows put, compared, drawn, checked and removed by HTTP as by the command line?"""

from __future__ import annotations

from tests.api.house import HELLO, House

PLACE = "/v1/flows/shop/hello"
YAML = {"Content-Type": "application/yaml"}
GROUPS = """
id: hello
namespace: shop
tasks:
  - id: both
    type: parallel
    tasks:
      - id: a
        type: log
        message: a
      - id: b
        type: log
        message: b
  - id: order
    type: dag
    tasks:
      - task:
          id: first
          type: log
          message: x
      - task:
          id: second
          type: log
          message: y
        dependsOn: [first]
"""


def test_a_flow_is_put_and_put_again(either: House) -> None:
    first = either.client.put(PLACE, content=HELLO, headers=YAML)
    same = either.client.put(PLACE, content=HELLO, headers=YAML)
    dry = either.client.put(f"{PLACE}?dry_run=true", content=HELLO + "# more\n", headers=YAML)
    second = either.client.put(PLACE, content=HELLO.replace("hello {{", "hi {{"), headers=YAML)

    assert [each.status_code for each in (first, same, dry, second)] == [201, 200, 200, 200]
    assert [each.json()["revision"] for each in (first, same, dry, second)] == [1, 1, 2, 2]
    assert [each.json()["changed"] for each in (first, same, dry, second)] == [True, False, True, True]
    assert either.client.get(PLACE).json()["revision"] == 2


def test_a_flow_is_changed_only_on_top_of_the_revision_that_was_read(house: House) -> None:
    house.push()
    seen = house.client.get(PLACE).headers["etag"]
    newer = HELLO.replace("hello {{", "hi {{")

    fine = house.client.put(PLACE, content=newer, headers={**YAML, "If-Match": seen})
    late = house.client.put(PLACE, content=HELLO, headers={**YAML, "If-Match": seen})

    assert (fine.status_code, late.status_code) == (200, 412)
    assert house.client.get(PLACE, headers={"If-None-Match": fine.headers["etag"]}).status_code == 304


def test_a_text_with_errors_is_refused_with_all_of_them_and_their_places(house: House) -> None:
    wrong = "id: hello\nnamespace: shop\ntasks:\n  - id: a\n    type: lgo\n  - id: a\n    type: log\n"

    answer = house.client.put(PLACE, content=wrong, headers=YAML)
    checked = house.client.post("/v1/validate/flows", content=wrong, headers=YAML).json()

    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "PS-607")
    assert {each["place"]["line"] for each in told["problems"]} == {5, 6}
    assert checked == {"valid": False, "flows": [], "problems": told["problems"]}
    assert house.client.post("/v1/validate/flows", content=HELLO, headers=YAML).json()["flows"] == ["shop.hello"]


def test_a_text_is_kept_only_under_its_own_name(house: House) -> None:
    answer = house.client.put("/v1/flows/shop/other", content=HELLO, headers=YAML)
    sneaked = house.as_("editor").put("/v1/flows/shop/hello", content=HELLO.replace(": shop", ": other"), headers=YAML)

    assert (answer.status_code, sneaked.status_code) == (422, 422)
    assert house.client.get("/v1/flows").json()["items"] == []


def test_revisions_are_told_and_compared(either: House) -> None:
    either.push()
    either.push(HELLO.replace("hello {{", "hi {{"))

    page = either.client.get(f"{PLACE}/revisions", params={"limit": 1}).json()
    rest = either.client.get(f"{PLACE}/revisions", params={"limit": 1, "cursor": page["next"]}).json()
    diff = either.client.get(f"{PLACE}/diff", params={"from": 1}).json()
    old = either.client.get(f"{PLACE}/source", params={"revision": 1})

    assert [each["revision"] for each in page["items"] + rest["items"]] == [2, 1]
    assert (diff["from"], diff["to"]) == (1, 2)
    assert '-    message: "hello {{ inputs.who }}"\n+    message: "hi {{ inputs.who }}"' in diff["diff"]
    assert old.text == HELLO
    assert either.client.get(f"{PLACE}/source", params={"revision": 3}).status_code == 404


def test_a_flow_is_drawn(house: House) -> None:
    house.push(GROUPS)

    told = house.client.get(f"{PLACE}/graph").json()

    nodes = {each["id"]: (each["type"], each["parent"]) for each in told["nodes"]}
    assert nodes["a"] == ("log", "both")
    assert nodes["order"] == ("dag", "")
    assert {(each["source"], each["target"], each["needs"]) for each in told["edges"]} == {
        ("both", "order", False),
        ("first", "second", True),
    }


def test_a_removed_flow_is_not_there_and_its_history_is(either: House) -> None:
    either.push()

    removed = either.client.delete(PLACE)

    assert (removed.status_code, removed.content) == (204, b"")
    assert either.client.delete(PLACE).status_code == 404
    assert either.client.get(PLACE).status_code == 404
    assert len(either.client.get(f"{PLACE}/revisions").json()["items"]) == 1
    assert either.client.post("/v1/runs", json={"namespace": "shop", "flow": "hello"}).status_code == 404


def test_a_viewer_changes_nothing(house: House) -> None:
    house.push()
    viewer = house.as_("viewer")

    assert viewer.put(PLACE, content=HELLO, headers=YAML).status_code == 403
    assert viewer.delete(PLACE).status_code == 403
    assert viewer.get("/v1/flows/other/hello").status_code == 403
    assert viewer.get(PLACE).status_code == 200


def test_types_and_the_schema_are_told(house: House) -> None:
    types = house.as_("nobody").get("/v1/types").json()["items"]
    schema = house.as_("nobody").get("/v1/schemas/flow").json()

    assert "log" in {each["name"] for each in types}
    assert "$schema" in schema


def test_one_type_is_told_by_any_of_its_names(house: House) -> None:
    told = house.client.get("/v1/types/io.kestra.plugin.core.log.Log").json()

    assert told["name"] == "log"
    assert "message" in str(told["schema"])
    assert house.client.get("/v1/types/lgo").status_code == 404


def test_namespaces_and_what_a_word_is_found_in_keep_to_what_one_may_see(either: House) -> None:
    mine = either.start(either.push())
    either.push(HELLO.replace("id: hello", "id: second"))
    either.start(either.push(HELLO.replace("namespace: shop", "namespace: other")))
    viewer = either.as_("viewer")

    first = either.client.get("/v1/namespaces", params={"limit": 1}).json()
    rest = either.client.get("/v1/namespaces", params={"limit": 1, "cursor": first["next"]}).json()
    found = viewer.get("/v1/search", params={"text": "HELL"}).json()

    assert first["items"] + rest["items"] == [{"namespace": "other", "flows": 1}, {"namespace": "shop", "flows": 2}]
    assert viewer.get("/v1/namespaces").json()["items"] == [{"namespace": "shop", "flows": 2}]
    assert [each["namespace"] for each in found["flows"]] == ["shop"]
    assert [each["id"] for each in found["runs"]] == [mine]
    assert either.as_("nobody").get("/v1/search", params={"text": "hell"}).json() == {"flows": [], "runs": []}


def test_flows_are_pushed_together_with_what_they_include_and_planned_before(either: House) -> None:
    asked = {
        "texts": [
            {"file": "flows/hello.yml", "text": HELLO.replace('"hello {{ inputs.who }}"', '"[[> words.txt ]]"')},
            {"file": "flows/words.txt", "text": "good morning\n"},
        ],
        "prune": True,
    }
    dry = either.client.post("/v1/push/flows", json=asked | {"dry_run": True})
    assert either.client.get(PLACE).status_code == 404
    done = either.client.post("/v1/push/flows", json=asked)

    assert (dry.status_code, done.status_code) == (200, 200)
    assert [each["what"] for each in dry.json()["flows"]] == ["new"]
    assert (dry.json()["done"], done.json()["done"]) == (False, True)
    assert "good morning" in either.client.get(f"{PLACE}/source").text


def test_a_push_is_read_as_its_project_says_and_only_where_one_may_edit(house: House) -> None:
    bare = {"file": "a.yml", "text": HELLO.replace("namespace: shop", "")}
    asked = {"texts": [bare], "project": {"namespace": "shop", "version": "0.20"}}

    lacking = house.client.post("/v1/push/flows", json=asked | {"project": None})
    fine = house.as_("editor").post("/v1/push/flows", json=asked)
    strange = house.as_("editor").post("/v1/push/flows", json=asked | {"project": {"namespace": "bank"}})
    all_of_it = house.as_("editor").post("/v1/push/flows", json=asked | {"within": "", "prune": True})

    assert [each.status_code for each in (lacking, fine, strange, all_of_it)] == [422, 200, 403, 403]
    assert [each["place"]["file"] for each in lacking.json()["problems"]] == ["a.yml"]
