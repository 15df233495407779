# %% [markdown]
# # A first campaign from Python
#
# Which model predicts the height of an error-correcting code best? The data is generated, so there is nothing to
# download. Open this file in Jupyter (with jupytext), in VS Code, or run it as it stands: `python first_campaign.py`.

# %%
# ruff: noqa: B018 (a notebook shows the last line of a cell)
from pathlib import Path
from tempfile import mkdtemp

import probatum

folder = Path(mkdtemp())
(folder / "codes.toml").write_text(
    """
problem = { kind = "analog_codes", codes = 80 }
task = "k=4"

[protocol]
splits = "repeated-k-fold"      # all heights of one code stay on one side
folds = 5
repeats = 2
margin = 0.01                   # log2 units squared; smaller differences do not matter
baseline = "ridge"

[[experiment]]
name = "ridge"
model.kind = "ridge"

[[experiment]]
name = "ridge+by_m"
parent = "ridge"
features.add = ["by_m"]
hypothesis = "what a statistic of the matrix means for the height depends on m"

[[experiment]]
name = "lightgbm"
parent = "ridge"
hypothesis = "trees find the dependence on m by themselves"
model = { kind = "lightgbm", n_estimators = 40, num_leaves = 7 }
"""
)

# %% [markdown]
# A campaign shows what it asks and by which protocol it will judge.

# %%
laboratory = probatum.open(str(folder / "codes.toml"))
laboratory

# %% [markdown]
# `run` trains whatever has not been trained yet. Stop it at any time and call it again: it goes on where it was.

# %%
results = laboratory.run()
results

# %% [markdown]
# Every number stands in the results as well.

# %%
best = results.best
assert best is not None
print(f"best: {best.name}, mean squared error {best.score:.3f} log2 units squared, {len(best.units)} folds")
for verdict in results.verdicts:
    low, high = verdict.interval or (float("nan"), float("nan"))
    print(f"{verdict.arm} against {verdict.baseline}: {verdict.outcome}, difference {low:+.3f} to {high:+.3f}")

# %% [markdown]
# The predictions are there too, fit by fit: each row was predicted by a model that did not see its code.

# %%
predictions = laboratory.campaign.predictions(best.name)
print(f"{len(predictions)} fits; the first predicted {len(predictions[0].rows)} rows of split {predictions[0].split!r}")
