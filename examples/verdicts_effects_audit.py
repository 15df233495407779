# %% [markdown]
# # Reading verdicts, effects and the audit
#
# Four experiments on one table, in which somebody has entered half of the patients twice. Splits that know nothing of
# it put a patient on both sides, and a model that remembers looks good. The verdict alone would fall for that; the
# audit does not.

# %%
# ruff: noqa: B018 (a notebook shows the last line of a cell)
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

import probatum

folder = Path(mkdtemp())
random = np.random.default_rng(1)
rows = ["dose,age,response"]
for row in range(80):
    dose, age = random.uniform(0, 5), random.uniform(20, 60)
    line = f"{dose:.3f},{age:.1f},{2 * dose + 0.05 * age + random.normal(0, 1.5):.4f}"
    rows += [line] if row % 2 else [line, line]
(folder / "trial.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
(folder / "trial.toml").write_text(
    f"""
problem = {{ kind = "table", path = "{(folder / "trial.csv").as_posix()}", target = "response" }}

[protocol]
splits = "repeated-k-fold"
folds = 5
repeats = 2
margin = 0.005
baseline = "dose"

[[experiment]]
name = "dose"
features = ["dose"]
model.kind = "ridge"

[[experiment]]
name = "dose+age"
parent = "dose"
features.add = ["age"]
hypothesis = "older patients respond more"

[[experiment]]
name = "stiffer"
parent = "dose+age"
model.alpha = 3.0
hypothesis = "a little more shrinkage changes nothing"

[[experiment]]
name = "trees"
parent = "dose+age"
hypothesis = "the response is no line"
model = {{ kind = "extra_trees", n_estimators = 60 }}
""",
    encoding="utf-8",
)
laboratory = probatum.open(str(folder / "trial.toml"))
results = laboratory.run()
results

# %% [markdown]
# One verdict: what was found, on how many independent units it rests, and which test was made. `undecided` comes with
# what would decide it.

# %%
next(verdict for verdict in results.verdicts if verdict.arm == "trees")

# %% [markdown]
# Effects: what each change did, over all pairs of experiments that differ by it alone.

# %%
for effect in laboratory.effects(results):
    print(f"{effect.mutation}: {effect.mean:+.4f} on the mean squared error, {effect.outcome}")

# %% [markdown]
# The audit looks for what is wrong with the data, the splits, the training and the scores.

# %%
audit = laboratory.audit(results)
audit

# %%
worst = audit.findings[0]
worst

# %% [markdown]
# The champion is the best experiment that no error stands against: here there is none before the table is mended, by a
# column that says which rows belong together (`replicate` or `group` of the problem).

# %%
champion = laboratory.champion(results)
print("champion:", champion.name if champion else "none", "| blocked:", sorted(laboratory.blocked(results)))
