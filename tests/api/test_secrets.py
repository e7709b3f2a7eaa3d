"""Are secrets kept by HTTP by those who may, and told by none of it?"""

from __future__ import annotations

import pytest

from tests.api.house import House

TEXT = "correct horse battery staple"


def test_a_secret_goes_in_and_never_comes_out(either: House) -> None:
    editor = either.as_("editor")
    answers = [
        editor.put("/v1/secrets/shop/B", json={"value": "x"}),
        editor.put("/v1/secrets/shop/A", json={"value": "first"}),
        editor.put("/v1/secrets/shop/A", json={"value": TEXT}),
        editor.get("/v1/secrets/shop", params={"limit": 1}),
        either.client.post("/v1/secret-keys/rotate", json={"forget": True}),
        either.client.get("/v1/secret-keys"),
    ]

    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert answers[2].json()["version"] == 2 and answers[2].json()["changed_by"] == "editor"
    page = answers[3].json()
    second = editor.get("/v1/secrets/shop", params={"cursor": page["next"]}).json()
    assert [each["name"] for each in page["items"] + second["items"]] == ["A", "B"]
    assert answers[4].json()["secrets"] == answers[5].json()["good"] == 2
    assert TEXT not in "".join(answer.text for answer in answers)
    assert either.core.secrets.get("shop.daily", "A") == TEXT
    assert [editor.delete("/v1/secrets/shop/A").status_code for _ in range(2)] == [204, 404]
    assert either.core.secrets.get("shop", "A") is None


@pytest.mark.parametrize("who", ["viewer", "operator", "other", "nobody", ""])
def test_who_may_not_keeps_none_and_sees_no_names(house: House, who: str) -> None:
    client, refused = house.as_(who), 403 if who else 401

    answers = [
        client.put("/v1/secrets/shop/A", json={"value": TEXT}),
        client.get("/v1/secrets/shop"),
        client.delete("/v1/secrets/shop/A"),
        client.post("/v1/secret-keys/rotate", json={}),
        client.get("/v1/secret-keys"),
    ]

    assert [answer.status_code for answer in answers] == [refused] * len(answers)


@pytest.mark.parametrize(
    "body", [{"value": ""}, {"value": 7}, {}, {"value": "x", "more": TEXT}, {"value": TEXT * 20_000}]
)
def test_what_is_no_secret_is_refused_without_being_repeated(house: House, body: dict[str, object]) -> None:
    answer = house.client.put("/v1/secrets/shop/A", json=body)

    assert answer.status_code in (400, 422)
    assert TEXT not in answer.text
