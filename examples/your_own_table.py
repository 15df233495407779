# %% [markdown]
# # Your own table
#
# A table of measurements in a CSV file becomes a problem when you say which column is to be predicted, and which labels
# must not stand on both sides of a split. Here the table is made up: a yield that bends with temperature, in eight
# batches.

# %%
# ruff: noqa: B018 (a notebook shows the last line of a cell)
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

import probatum

folder = Path(mkdtemp())
random = np.random.default_rng(0)
rows = ["temperature [°C],solvent,batch,yield [%]"]
for row in range(120):
    batch, temperature = row % 8, random.uniform(20, 90)
    solvent = ("water", "ethanol")[row % 2]
    bend = 30 + 1.2 * temperature - 0.01 * (temperature - 40) ** 2 * (solvent == "water")
    rows.append(f"{temperature:.1f},{solvent},b{batch},{bend + random.normal(0, 2) + random.normal(0, 1):.2f}")
(folder / "yields.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")

# %%
(folder / "yields.toml").write_text(
    f"""
problem = {{ kind = "table", path = "{(folder / "yields.csv").as_posix()}", target = "yield [%]", group = "batch" }}

[protocol]
splits = "leave-one-group-out"      # how good on a batch that nobody has seen?
metric = "rmse"
scoring = "macro"
margin = 0.2                        # %; smaller differences do not matter
baseline = "line"

[[experiment]]
name = "line"
model.kind = "ridge"

[[experiment]]
name = "trees"
parent = "line"
hypothesis = "the yield bends, and only in water"
model = {{ kind = "extra_trees", n_estimators = 60 }}
""",
    encoding="utf-8",
)
laboratory = probatum.open(str(folder / "yields.toml"))
results = laboratory.run()
results

# %% [markdown]
# The problem draws its own pictures from the predictions: here predicted against measured, the worst batch in orange.

# %%
dataset = laboratory.campaign.datasets["table"]
fits = laboratory.campaign.predictions("trees")
order = np.concatenate([fit.rows for fit in fits])
predicted = np.concatenate([fit.prediction for fit in fits])
(picture,) = laboratory.campaign.file.problem.pictures(dataset, order, predicted)
print(picture.caption)
picture
