"""What the planner offers for yields in solvents never seen, on the published data."""

from __future__ import annotations

from pathlib import Path

from probatum.campaigns.campaign_file import read_campaign_file
from probatum.planning.candidates import checked
from probatum.planning.prescriptions import prescribed
from probatum.planning.proposal import History
from probatum.planning.standing import Standing

KINETIC = "probatum.problems.catechol.learners:KineticRegressor"
CAMPAIGN = """
problem = "catechol"
task = ["single", "full"]
[protocol]
splits = "leave-one-group-out"
[[experiment]]
name = "net"
features = ["spange", "kinetics"]
model = { kind = "mlp", hidden = [32] }
"""


def test_a_network_of_yields_is_offered_the_model_of_rates_as_one_change(real_data: Path, tmp_path: Path):
    (tmp_path / "campaign.toml").write_text(CAMPAIGN, encoding="utf-8")
    file = read_campaign_file(tmp_path / "campaign.toml")
    standing = {"net": Standing("net", 0.01, 0.001, 0.01, 0.0)}
    history = History(file.problem, file.experiments, standing, "lower", "net", "net")
    offered = prescribed(history, history.by_name["net"])
    (kinetic,) = [p for p in offered if p.mutation == {"recipe": "kinetic"}]  # a name, which agents may say too
    candidate = checked(kinetic, history)
    assert candidate.family == f"model.kind -> {KINETIC}"
    assert candidate.experiment.recipe.features == ("solvents_apart",)
