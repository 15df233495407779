"""The tree shows who was made from whom, and of a thousand experiments those that matter."""

from __future__ import annotations

from probatum.reporting.figures import tree_figure
from reporting.figures.drawn import campaign, experiment, texts


def test_every_experiment_stands_under_its_parent_with_score_and_verdict():
    tree = [
        experiment("base", 1.0), experiment("other root", 2.0), experiment("child", 0.5, "base"),
        experiment("grandchild", 0.25, "child"), experiment("waiting", None, "base"), experiment("trivial: mean", 9.0),
    ]  # fmt: skip
    outcomes = {"child": "better", "grandchild": "better", "other root": "worse"}
    figure = tree_figure(campaign(tree, outcomes, "grandchild"))
    said = texts(figure).splitlines()
    names = [line for line in said if line in {e["name"] for e in tree}]
    assert names == ["base", "child", "grandchild", "waiting", "other root"]
    for part in ("0.25", "better, champion", "worse", "planned", "baseline", "The tree of 5 experiments"):
        assert part in said
    (axes,) = figure.axes
    place = {t.get_text(): t.get_position() for t in axes.texts}
    assert place["base"][0] < place["child"][0] < place["grandchild"][0]
    assert place["child"][0] == place["waiting"][0]
    bold = {t.get_text() for t in axes.texts if t.get_fontweight() == "bold"}
    assert {"grandchild", "0.25", "better, champion"} <= bold
    assert "child" not in bold


def test_of_a_thousand_the_best_are_drawn_with_all_their_ancestors():
    tree = [experiment("base", 1.0)]
    tree += [experiment(f"e{i}", 2.0 - i / 1000, f"e{i - 1}" if i % 50 else "base") for i in range(1, 1000)]
    said = texts(tree_figure(campaign(tree, {}, None), most=60)).splitlines()
    drawn = {line for line in said if line == "base" or line.startswith("e")}
    assert "e999" in drawn
    assert {f"e{i}" for i in range(950, 1000)} <= drawn
    assert len(drawn) <= 60
    parents = {e["name"]: e["parent"] for e in tree}
    assert all(parents[name] in drawn for name in drawn if parents[name])
    assert any("1,000" in line for line in said)


def test_a_child_of_an_experiment_that_is_not_there_is_a_root():
    said = texts(tree_figure(campaign([experiment("base", 1.0), experiment("orphan", 0.5, "gone")], {}, None)))
    assert "orphan" in said
