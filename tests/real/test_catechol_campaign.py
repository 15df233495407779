"""A campaign on the real yields gives the figures that are known of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import probatum

CAMPAIGN = """
problem = "catechol"
task = ["single", "full"]
[protocol]
splits = "leave-one-group-out"
scoring = "pooled"
margin = 0.0002
baseline = "ridge"
[[experiment]]
name = "ridge"
features = ["spange", "kinetics"]
model.kind = "ridge"
[[experiment]]
name = "forest"
features = ["spange", "acs", "kinetics"]
model = { kind = "extra_trees", n_estimators = 30, min_samples_leaf = 2 }
"""


@pytest.mark.real
def test_pooled_scores_verdicts_and_floors_of_the_real_yields(real_data: Path, tmp_path: Path):
    (tmp_path / "catechol.toml").write_text(CAMPAIGN, encoding="utf-8")
    laboratory = probatum.open(str(tmp_path / "catechol.toml"))
    results = laboratory.run()
    forest, mean = results.arm("forest"), results.arm("trivial: mean")
    assert len(forest.units) == 24 + 13
    assert sum(u.rows for u in forest.units) == 656 + 1227
    assert mean.by_task["single"] == pytest.approx(0.0571, abs=0.0001)
    assert forest.score < 0.0115  # problems/catechol/README: ExtraTrees near .0095
    verdict = results.verdicts[0]
    assert (verdict.arm, verdict.units) == ("forest", 11)  # 37 folds share measurements in 11 clusters
    floors = {f.task: f.variance for f in results.floors}
    assert floors["single"] == pytest.approx(0.00051, abs=0.00001)
    assert floors["full"] == pytest.approx(0.00041, abs=0.00001)
    assert len(laboratory.by_group("forest")) == 37
