"""`effects`, `submit`, `calibrate`, `champion` and the figures, end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.small_lab import Call, recorded

EFFECT = {
    "mutation", "outcome", "mean", "error", "degrees", "interval", "p", "p_adjusted", "p_equivalent", "tau", "tau2",
    "i2", "units", "pairs",
}  # fmt: skip
CHAMPION = {
    "name", "score", "round", "verdict", "optimism", "optimism_error", "candidates", "contenders", "looks",
    "confirmations",
}  # fmt: skip
CONFIRMATION = {
    "experiment", "baseline", "kind", "when", "metric", "score", "baseline_score", "outcome", "difference", "interval",
    "p", "units", "seeds", "needed", "method", "looks_before", "note",
}  # fmt: skip
PAIRS = """\
exp,cv,lb
exp_000,0.0111,0.0982
exp_001,0.0123,0.1065
exp_003,0.0105,0.0972
exp_005,0.0104,0.0969
exp_006,0.0097,0.0946
exp_007,0.0093,0.0932
exp_009,0.0092,0.0936
exp_012,0.0090,0.0913
exp_024,0.0087,0.0893
"""
HEADS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def test_effects_tell_what_worked_and_what_failed(contest: Path, call: Call):
    values = call(contest, "effects", "--json").values
    assert set(values) == {"campaign", "protocol", "units", "effects", "figure"}
    assert all(set(e) == EFFECT for e in values["effects"])
    by_mutation = {e["mutation"]: e for e in values["effects"]}
    flat = by_mutation["model.max_depth: none -> 1"]
    assert flat["outcome"] == "failed"
    assert flat["mean"] > 0
    assert [(p["parent"], p["child"]) for p in flat["pairs"]] == [("trees", "flat trees")]
    arms = {a["name"]: a["score"] for a in call(contest, "compare", "--all", "--json").values["arms"]}
    assert flat["mean"] == pytest.approx(arms["flat trees"] - arms["trees"])
    text = call(contest, "effects").out
    assert "failed" in text
    assert "2 of 2 mutations rest on one pair" in text


def test_a_campaign_without_children_has_no_effects(contest: Path, call: Call):
    path = contest / "contest.toml"
    lonely = (
        path.read_text(encoding="utf-8")
        .replace('parent = "', '# parent = "')
        .replace("model.max", "model.kind = 'mean'\n# ")
    )
    path.write_text(
        lonely.replace("model.min", "model.kind = 'mean'\n# ").replace("contest.csv", "contest.csv"), encoding="utf-8"
    )
    (contest / "contest.probatum").rename(contest / "away")
    assert call(contest, "run", "--json").values["effects"] == []
    assert "set parent = '...'" in call(contest, "effects").out
    assert "no effects to draw" in call(contest, "effects", "--figure", "e.png").error


@pytest.mark.parametrize("suffix", HEADS)
def test_figures_are_written(suffix: str, contest: Path, call: Call):
    (contest / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    for name, command in {
        "effects": ["effects"],
        "verdicts": ["compare", "--all", "--baseline", "trees", "--no-groups"],
        "calibration": ["calibrate", "--pairs", "pairs.csv", "--target", "0.02", "--floor", "0.0005"],
    }.items():
        said = call(contest, *command, "--figure", f"{name}{suffix}")
        assert said.code == 0, said.err
        assert f"figure: {name}{suffix}" in said.out
        assert (contest / f"{name}{suffix}").read_bytes().startswith(HEADS[suffix])


def test_submissions_are_recorded_and_calibrated(contest: Path, call: Call):
    scores = {r["name"]: r["score"] for r in call(contest, "run", "--json").values["experiments"]}
    for count, name in enumerate(("mean", "trees", "flat trees"), start=1):
        said = call(contest, "submit", name, "--score", str(1.1 * scores[name] ** 0.5), "--metric", "rmse", "--json")
        assert [s["experiment"] for s in said.values["submissions"]][-1] == name
        assert len(said.values["submissions"]) == count
    assert "4 submissions in all" in call(contest, "submit", "mean", "--score", "0.2", "--metric", "rmse").out
    values = call(contest, "calibrate", "--target", "0.01", "--json").values
    assert values["forms"][0]["form"] in ("y = b sqrt(x)", "y = a + b sqrt(x)")
    assert values["unit_remark"].startswith("your CV looks like an MSE and this leaderboard like an RMSE")
    assert (values["internal_metric"], values["external_metric"]) == ("mse", "rmse")
    assert [p["name"] for p in values["pairs"]] == ["mean", "trees", "flat trees", "mean"]
    for pair in values["pairs"]:
        assert pair["internal"] == pytest.approx(scores[pair["name"]])
        assert pair["low"] < pair["predicted"] < pair["high"]
    assert call(contest, "report").code == 0
    page = (contest / "contest.probatum" / "report.html").read_text(encoding="utf-8")
    for part in ('<h2 id="calibration">', "y = b sqrt(x)", '<h2 id="effects">', '<h2 id="champion">'):
        assert part in page


def test_the_nine_pairs_of_a_log_are_judged_without_a_campaign(tmp_path: Path, call: Call):
    (tmp_path / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    text = call(tmp_path, "calibrate", "--pairs", "pairs.csv", "--target", "0.01727").out
    flowing = " ".join(text.split())
    for part in (
        "y = b sqrt(x)", "0.9565", "y = a + b x", "0.05366", "4.189",
        "your CV looks like an MSE and this leaderboard like an RMSE",
        "Target 0.01727 cannot be reached on y = a + b x: the least that it reaches is a = 0.05366 at x = 0",
        "No noise floor is known here", "exp_024",
    ):  # fmt: skip
        assert part in flowing
    named = call(tmp_path, "calibrate", "--pairs", "pairs.csv", "--target", "0.01727", "--floor", "0.0005075").out
    assert "asks for x = 0.000326 on y = b sqrt(x), which lies under the noise floor" in " ".join(named.split())


@pytest.mark.real
def test_the_noise_floor_of_the_campaign_beside_is_used(real_data: Path, tmp_path: Path, call: Call):
    (tmp_path / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    (tmp_path / "c.toml").write_text(
        'problem = "catechol"\n[protocol]\nsplits = "leave-one-group-out"\n'
        '[[experiment]]\nname = "ridge"\nmodel.kind = "ridge"\n',
        encoding="utf-8",
    )
    said = call(tmp_path, "calibrate", "--pairs", "pairs.csv", "--target", "0.01727").out
    assert "under the noise floor of single (0.0005075)" in " ".join(said.split())
    values = call(tmp_path, "calibrate", "--pairs", "pairs.csv", "--json").values
    assert values["floors"] == [{"name": "single", "value": pytest.approx(0.00050754, rel=1e-4)}]
    assert not (tmp_path / "c.probatum").exists()


def test_the_champion_is_confirmed_with_fresh_seeds_where_all_rows_were_scored(contest: Path, call: Call):
    values = call(contest, "champion", "--json").values["champion"]
    assert set(values) == CHAMPION
    assert values["name"] in ("trees", "flat trees", "other trees")
    assert values["verdict"]["outcome"] == "better"
    assert values["candidates"] == 3
    assert 1 <= values["contenders"] <= 3
    assert 0 <= values["optimism"] < values["score"]
    assert values["confirmations"] == []
    assert "Not confirmed yet" in call(contest, "champion").out
    first = call(contest, "champion", "confirm", "--json").values
    assert first["confirmed_now"] is True
    assert set(first["confirmation"]) == CONFIRMATION
    assert first["confirmation"]["kind"] == "fresh seeds"
    assert first["confirmation"]["outcome"] == "better"
    assert first["confirmation"]["note"].startswith("no untouched rows")
    assert first["confirmation"]["score"] != values["score"]
    assert first["looks"] == []
    before = recorded(call, contest, "contest")
    second = call(contest, "champion", "--json", "confirm")
    assert second.values == {**first, "confirmed_now": False}
    assert "fits to train" not in second.err
    assert recorded(call, contest, "contest") == before
    text = call(contest, "champion", "confirm").out
    assert "Already confirmed; nothing was run" in text
    assert "No untouched rows" in text
    assert "Confirmation on fresh seeds" in call(contest, "champion").out
    names = [e["name"] for e in call(contest, "run", "--json").values["experiments"]]
    assert not any(name.startswith("fresh seeds") for name in names)


def test_the_champion_is_confirmed_once_on_the_held_out_set(held_contest: Path, call: Call):
    assert call(held_contest, "held-out", "mean", "--json").code == 0
    first = call(held_contest, "champion", "confirm", "-C", "contest.toml", "--json").values
    confirmation = first["confirmation"]
    assert confirmation["kind"] == "held-out set"
    assert confirmation["outcome"] == "better"
    assert (confirmation["units"], confirmation["looks_before"]) == (4, 1)
    assert confirmation["note"] == "looked at 1 time before, by mean"
    assert [look["experiment"] for look in first["looks"]] == ["mean", confirmation["experiment"], "mean"]
    assert confirmation["difference"] == pytest.approx(confirmation["score"] - confirmation["baseline_score"])
    again = call(held_contest, "champion", "confirm").out
    assert "Looks at the held-out set so far: 3. The old result:" in again
    assert len(call(held_contest, "champion", "--json").values["champion"]["looks"]) == 3


def test_another_champion_finds_the_held_out_set_spent(held_contest: Path, call: Call):
    first = call(held_contest, "champion", "confirm", "--json").values["confirmation"]["experiment"]
    path = held_contest / "contest.toml"
    better = '\n[[experiment]]\nname = "line"\nmodel.kind = "ridge"\n'
    path.write_text(path.read_text(encoding="utf-8") + better, encoding="utf-8")
    assert call(held_contest, "run", "--json").values["champion"]["name"] == "line"
    looks = len(call(held_contest, "champion", "--json").values["champion"]["looks"])
    error = call(held_contest, "champion", "confirm").error
    assert f"the held-out set has confirmed '{first}'" in error
    assert "it is spent" in error
    assert len(call(held_contest, "champion", "--json").values["champion"]["looks"]) == looks
