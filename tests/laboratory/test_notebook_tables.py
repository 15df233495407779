"""A campaign and its results show themselves in a notebook, before, while and after it is run."""

from __future__ import annotations

from pathlib import Path

from laboratory.conftest import campaign
from probatum.campaigns.campaign import Campaign
from probatum.laboratory import Laboratory


def test_a_campaign_shows_its_protocol_and_what_is_planned_before_it_is_run(tmp_path: Path):
    html = Laboratory.open(campaign(tmp_path, "lab"))._repr_html_()
    for part in ("lab.toml: table", "leave-one-group-out", "stiff", "planned", "baseline: mean"):
        assert part in html
    assert not (tmp_path / "lab.probatum").exists()


def test_a_campaign_that_was_shown_before_its_run_shows_the_run_afterwards(tmp_path: Path):
    shown = Campaign.open(campaign(tmp_path, "lab"))
    before = shown._repr_html_()
    shown.run()
    after = shown._repr_html_()
    assert before.count("done") == 0
    assert after.count(">done<") == len(shown.experiments)


def test_a_hypothesis_of_markup_is_text(tmp_path: Path):
    path = campaign(tmp_path, "lab")
    text = path.read_text(encoding="utf-8") + 'hypothesis = "<img src=x onerror=alert(1)>"\n'
    path.write_text(text, encoding="utf-8")
    html = Campaign.open(path)._repr_html_()
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_results_stand_in_the_order_of_their_scores_with_verdicts(path: Path):
    results = Laboratory.open(path).results()
    html = results._repr_html_()
    names = [arm.name for arm in sorted(results.arms, key=lambda a: a.score)]
    places = [html.index(f">{name}<") for name in names]
    assert places == sorted(places)
    for verdict in results.verdicts:
        assert f">{verdict.outcome}<" in html
    assert "lower is better" in html
