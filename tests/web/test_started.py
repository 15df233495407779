"""What is started from the page: runs, rounds and answers."""

from __future__ import annotations

import sys

import pytest

from probatum.laboratory import Laboratory
from web.small_dashboard import answered, client_of, waited, write_lab


def test_a_campaign_is_run_from_the_page(tmp_path):
    with client_of(write_lab(tmp_path)) as client:
        client.get("/?token=a-token-for-the-tests")
        assert '<button class="main">Run</button>' in client.get("/").text
        assert client.post("/run").status_code == 200
        work = client.app.state.dashboard.processes.running("campaign")
        assert work is not None
        assert ">Stop</button>" in client.get("/").text
        assert client.post("/run").status_code == 409
        assert waited(work, 240).state == "done", work.said
        look = client.app.state.dashboard.observer.wait(60)
        assert look.view.verdicts["ridge"]["outcome"] == "better"
        assert "<strong>Finished.</strong>" in client.get("/").text


def test_what_somebody_else_runs_is_left_alone(person, lab):
    from probatum.campaigns.ledgers.lock import CampaignLock

    with CampaignLock(lab.parent / "lab.probatum"):
        assert '<strong class="live">Running elsewhere.</strong>' in person.get("/").text
        refused = person.post("/run")
        assert refused.status_code == 409
        assert "another process works on this campaign" in refused.text
    assert person.app.state.dashboard.processes.recent("campaign") == []


# ------------------------------------------------------------------ the next round

EDIT = '[[proposal]]\nname = "softer"\nparent = "ridge"\nmodel.alpha = 0.01\nhypothesis = "less is more"\n'


def sent(*texts: str, action: str = "check") -> dict[str, str]:
    form = {"action": action}
    for i, text in enumerate(texts):
        form |= {f"text_{i}": text, f"accept_{i}": "on"}
    return form


def test_an_accepted_proposal_is_run_and_judged(person, lab):
    assert "It can be tried." in person.post("/proposals", data=sent(EDIT)).text
    assert person.post("/proposals", data=sent(EDIT, action="start")).status_code == 200
    work = person.app.state.dashboard.processes.recent("campaign")[0]
    assert waited(work, 240).state == "done", work.said
    laboratory = Laboratory.open(lab)
    (record,) = laboratory.campaign.ledger.rounds()
    assert record.state == "judged"
    assert [p["name"] for p in record.content["proposals"]] == ["softer"]
    assert record.content["proposals"][0]["hypothesis"] == "less is more"
    assert {r.name: r.status for r in laboratory.results().records}["softer"] == "done"
    laboratory.campaign.ledger.close()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[proposal]]\nparent = "nobody"\nmodel.alpha = 2.0\n', "unknown parent"),
        ('[[proposal]]\nparent = "ridge"\nmodel.alpha = 1.0\n', "changes nothing"),
        ('[[proposal]]\nparent = "ridge"\nmodel.alpha = 30.0\n', "its recipe is that of"),
        ('[[proposal]]\nparent = "ridge"\nmodel.alpha = 2.0\nmodel.fit_intercept = false\nfeatures = ["x"]', "unknown"),
        ('[[proposal]]\nparent = "ridge"\nmodel.alpha = \n', "no valid TOML"),
        ("[[proposal]]\nmodel.alpha = 2.0\n", "without a parent"),
        ("alpha = 2.0", "unknown key"),
        ('[[proposal]]\nparent = "ridge"\nmodel.alpha = "' + "9" * 70000 + '"\n', "longer than"),
    ],
)
def test_an_edit_that_cannot_be_tried_is_refused_with_the_reason(text, why, person):
    answer = person.post("/proposals", data=sent(text, action="start"))
    assert answer.status_code == 422
    assert why in answer.text
    assert person.app.state.dashboard.processes.recent("campaign") == []


@pytest.mark.parametrize(
    "edit",
    ['model.kind = "os:system"', 'model = "posixpath:join"', 'training.loss = "web_canary:Anything"',
     'model = { kind = "web_canary:Anything" }', 'training.stage = [{ epochs = 1, loss = "web_canary:Anything" }]'],
)  # fmt: skip
def test_import_paths_are_never_imported(edit, person, lab):
    (lab.parent / "web_canary.py").write_text("raise SystemExit('imported')")
    text = f'[[proposal]]\nparent = "ridge"\n{edit}\n'
    answer = person.post("/proposals", data=sent(text, action="start"))
    assert answer.status_code == 422
    assert "is an import path" in answer.text
    assert "web_canary" not in sys.modules
    assert person.app.state.dashboard.processes.recent("campaign") == []


def test_one_bad_proposal_starts_none(person):
    answer = person.post("/proposals", data=sent(EDIT, EDIT.replace("ridge", "nobody"), action="start"))
    assert answer.status_code == 422
    assert person.app.state.dashboard.processes.recent("campaign") == []


def test_the_planner_is_asked_and_its_proposals_can_be_read_back(person):
    assert person.post("/proposals/ask", data={"slots": "2"}).status_code == 200
    work = person.app.state.dashboard.processes.recent("campaign")[0]
    assert waited(work, 240).state == "done", work.said
    text = person.get("/proposals").text
    drafts = person.app.state.dashboard.drafts.drafts
    assert person.app.state.dashboard.drafts.answered
    if not drafts:
        assert "nothing new to propose" in text
    for draft in drafts:
        assert draft.values["name"] in text
    accepted = person.post("/proposals", data=sent(*(d.text for d in drafts))).text
    assert accepted.count("It can be tried.") == len(drafts)


@pytest.mark.parametrize("slots", ["0", "17", "-1", "many", "1e3", "²"])
def test_rounds_have_a_sensible_size(slots, person):
    assert person.post("/proposals/ask", data={"slots": slots}).status_code == 409


# ------------------------------------------------------------------ questions


def test_a_matrix_is_answered_with_its_heights(person):
    page = person.post("/ask/analog-codes-height", data={"file_text": "1 0 1 2\n0 1 1 3\n"})
    text = answered(person, page.url.path)
    assert "[4, 2] code, exact heights" in text
    values = person.get(f"{page.url.path}/answer.json").json()
    assert values["kind"] == "exact"
    assert len(values["heights"]) == 2
    picture = person.get(f"{page.url.path}/picture.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert "sandbox" in picture.headers["content-security-policy"]
    assert picture.text.lstrip().startswith("<?xml")


def test_what_a_command_refuses_is_said_without_places_on_this_machine(person):
    page = person.post("/ask/analog-codes-height", data={"file_text": "1 0 <b>x</b>\n0 1 1\n"})
    text = answered(person, page.url.path)
    assert 'class="trouble"' in text
    assert "<b>x</b>" not in text
    assert "probatum-serve-" not in text
    assert "matrix.csv" in text


def test_answers_are_found_by_their_ids_alone(person):
    for id in ("x", "%2e%2e", "..%2f..%2fetc", "x%00"):
        for end in ("", "/part", "/picture.svg", "/answer.json"):
            assert person.get(f"/work/{id}{end}").status_code == 404
