"""Do answers travel small, safe in a browser, only where they are new, and tell what went wrong but not the inside?"""

from __future__ import annotations

import gzip

import zstandard

from penstock.api.route import Call, Route, Where
from penstock.api.serve import Served
from tests.api.house import House, who


def test_a_large_answer_is_packed_as_its_caller_takes_it(house: House) -> None:
    plain = house.client.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    small = house.client.get("/live", headers={"Accept-Encoding": "gzip, zstd"})

    def raw(accepted: str) -> tuple[str, bytes]:
        request = house.client.build_request("GET", "/openapi.json", headers={"Accept-Encoding": accepted})
        answer = house.client.send(request, stream=True)
        return answer.headers.get("content-encoding", ""), b"".join(answer.iter_raw())

    zipped, zst, refused = raw("gzip"), raw("gzip, zstd"), raw("zstd;q=0, gzip;q=0")

    assert zipped[0] == "gzip"
    assert gzip.decompress(zipped[1]) == plain.content
    assert zst[0] == "zstd"
    assert zstandard.ZstdDecompressor().decompressobj().decompress(zst[1]) == plain.content
    assert refused == ("", plain.content)
    assert "content-encoding" not in small.headers


def test_who_has_an_answer_already_is_not_sent_it_again(house: House) -> None:
    house.push()
    first = house.client.get("/v1/flows")

    same = house.client.get("/v1/flows", headers={"If-None-Match": first.headers["etag"]})
    house.push("id: second\nnamespace: shop\ntasks:\n  - id: a\n    type: log\n    message: a\n")
    other = house.client.get("/v1/flows", headers={"If-None-Match": first.headers["etag"]})

    assert (same.status_code, same.content) == (304, b"")
    assert other.status_code == 200


def test_head_answers_as_get_does(house: House) -> None:
    get, head = house.client.get("/v1/runs"), house.client.head("/v1/runs")

    assert (head.status_code, head.headers["etag"]) == (200, get.headers["etag"])
    assert house.client.head("/v1/changes").status_code == 200


def test_every_answer_is_safe_in_a_browser(house: House) -> None:
    for path in ("/live", "/docs", "/docs/reader.js", "/openapi.json", "/v1/runs", "/nowhere", "/v1/runs/x"):
        headers = house.client.get(path).headers

        assert headers["x-content-type-options"] == "nosniff", path
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"], path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path


def test_the_page_holds_no_script_and_asks_nobody_else(house: House) -> None:
    page = house.client.get("/docs").text

    assert page.count("<script") == page.count("<script src=")
    assert "style=" not in page
    assert "http://" not in page and "https://" not in page
    assert house.client.get("/docs/reader.css").status_code == 200
    assert house.client.get("/docs/index.html").status_code == 404
    assert house.client.get("/docs/..%2f..%2fserve.py").status_code == 404


def test_a_problem_says_what_and_where_and_its_code_can_be_looked_up(house: House) -> None:
    answer = house.client.get("/v1/runs/nope")

    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (told["status"], told["code"], told["instance"]) == (404, "PS-303", "/v1/runs/nope")
    assert told["title"] and told["detail"]
    about = house.as_("").get(told["type"]).json()
    assert (about["code"], about["status"]) == ("PS-303", 404)


def test_a_fault_tells_nothing_of_the_inside(house: House) -> None:
    told: list[object] = []
    house.core.notices.subscribe(
        lambda notice: told.extend([notice.fields["error"]] if "error" in notice.fields else [])
    )

    def breaks(call: Call[None, None]) -> None:
        raise RuntimeError("the password is hunter2")

    row = Route(method="GET", path="/breaks", summary="", handler=breaks, where=Where.SIGNED_IN)
    served = Served(house.app, who, (row,))
    client = type(house.client)(served.asgi, headers={"X-Test-Who": "ann"})

    answer = client.get("/breaks")
    served.close()

    assert (answer.status_code, answer.json()["code"]) == (500, "PS-830")
    assert "hunter2" not in answer.text
    assert told == ["RuntimeError: the password is hunter2"]


def test_a_body_that_is_too_large_is_not_read(house: House) -> None:
    said = house.client.post("/v1/runs", content=b"x" * (2 * 1024 * 1024), headers={"Content-Type": "application/json"})
    unsaid = house.client.post("/v1/runs", content=(b"x" * 65536 for _ in range(64)))

    assert (said.status_code, unsaid.status_code) == (413, 413)


def test_who_is_not_known_is_told_what_was_not_good(house: House) -> None:
    stranger, session = house.as_(""), {"Cookie": "penstock_session=x"}
    nothing = stranger.get("/v1/runs").json()
    token = stranger.get("/v1/runs", headers={"Authorization": "Bearer pst_x"}).json()
    unsaid = stranger.post("/v1/runs", headers=session, json={}).json()

    assert {each["code"] for each in (nothing, token, unsaid)} == {"PS-822"}
    assert "strangers" in nothing["detail"]
    assert "no token that is good here" in token["detail"] and "penstock tokens add" in token["hint"]
    assert "X-CSRF-Token" in unsaid["detail"] and "/v1/me" in unsaid["hint"]


def test_what_curl_spoils_or_leaves_out_is_told_with_the_remedy(house: House) -> None:
    text = "id: a\nnamespace: shop\ntasks:\n  - id: b\n    type: log\n    message: c\n"
    form = {"Content-Type": "application/yaml"}
    spoilt = house.client.put("/v1/flows/shop/a", content=text.replace("\n", ""), headers=form).json()
    day = house.client.post("/v1/backfills", json={"namespace": "shop", "flow": "a", "from": "2016-01-01"}).json()

    assert "--data-binary" in spoilt["hint"]
    assert "2016-01-02T00:00:00Z" in day["hint"]


def test_a_word_that_is_none_is_answered_with_those_that_are(house: House) -> None:
    word = house.client.get("/v1/runs", params={"status": "faild"}).json()
    other = house.client.get("/v1/runs", params={"sort": "sideways"}).json()
    field = house.client.post("/v1/runs", json={"namespace": "shop", "flw": "hello"}).json()
    day = house.client.get("/v1/runs", params={"since": "2016-01-01"}).json()
    refused = house.as_("viewer").post("/v1/runs", json={"namespace": "shop", "flow": "hello"}).json()

    assert word["hint"] == 'Did you mean "failed"?'
    assert other["hint"] == "It is one of: newest, oldest."
    assert field["hint"] == 'Did you mean "flow"?'
    assert (day["detail"], day["hint"][-20:]) == (
        'The parameter "since" is no instant: "2016-01-01".',
        "2016-01-02T00:00:00Z",
    )
    assert "/v1/me" in refused["hint"]
