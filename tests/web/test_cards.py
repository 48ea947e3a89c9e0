"""GET /api/v1/models/{name}/card and /api/v1/audit/gaps."""

from tests.builders import record
from tests.filling import fill
from tests.web.apps import Site


def test_a_card_comes_as_json_and_as_markdown(site: Site) -> None:
    fill(site.store, [record()])
    found = site.client.get("/api/v1/models/fraud/card").json()
    assert (found["model"], found["owner"]) == ("fraud", None)
    page = site.client.get("/api/v1/models/fraud/card", params={"format": "md", "at": found["at"]})
    assert page.headers["content-type"].startswith("text/markdown")
    assert page.text.startswith("# fraud\n")


def test_what_is_missing_is_listed(site: Site) -> None:
    fill(site.store, [record()])
    (found,) = site.client.get("/api/v1/audit/gaps").json()
    assert found["model"] == "fraud"
    assert "objectives" in [gap["part"] for gap in found["missing"]]


def test_a_wrong_question_is_answered_with_what_to_do(site: Site) -> None:
    assert site.client.get("/api/v1/models/nobody/card").status_code == 404
    fill(site.store, [record()])
    for path, wrong in (
        ("models/fraud/card", "at=soon"),
        ("audit/gaps", "modle=x"),
        ("audit/gaps", "model=x"),
    ):
        answer = site.client.get(f"/api/v1/{path}?{wrong}")
        assert answer.status_code == 400
        assert wrong.split("=")[0] in answer.json()["error"]
