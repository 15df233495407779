"""The write-up on compound families from gas chromatography, in small: real spectra, elements of their compounds."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

from faults.conftest import Place
from faults.small_logs.conftest import Found
from faults.small_logs.write_up import written
from probatum.audit import inspect
from probatum.laboratory import Laboratory

pytestmark = pytest.mark.real

SPECTRA = "gas_chromatography/massbank_2025.05.1_EI_ccby_ccbysa.jsonl.gz"
WINDOWS = np.arange(40, 320, 20)
LABORATORIES = ("MSSJ", "Kazusa", "RIKEN", "GL_Sciences_Inc")
FAMILIES = {"nitrogen": "N", "oxygen": "O"}
CAMPAIGN = """
problem = { kind = "table", path = "TABLE", target = ["nitrogen", "oxygen"], ROLES }
[protocol]
splits = "SPLITS"
folds = 4
repeats = 1
metric = "log_loss"
baseline = "network"
margin = 1.0
[run]
cores = 2
keep_weights = true
[[experiment]]
name = "network"
model = { kind = "mlp", hidden = [16], norm = "none", activation = "tanh" }
training = { epochs = 40, batch = 32, rate = 1e-2, loss = "bce" }
[[experiment]]
name = "soup"
parent = "network"
SOUP
"""
FLAWED = {
    "ROLES": 'group = "laboratory", replicate = "compound", ignore = ["alike"]',
    "SPLITS": "leave-one-group-out",
    "SOUP": 'model = { kind = "faults.small_logs.learners:ReportedSoup", hidden = [16], norm = "none", '
    'activation = "tanh" }\ntraining = { epochs = 40, batch = 32, rate = 1e-2, loss = "bce" }',
}
REPAIRED = {
    "ROLES": 'group = "alike", ignore = ["laboratory", "compound"]',
    "SPLITS": "grouped-k-fold",
    "SOUP": 'training.soup = { kind = "uniform", members = 3 }',
}


def spectra(data: Path) -> pd.DataFrame:
    """Spectra, one of each compound and laboratory: logarithms of shares of intensity in windows of m/z.

    The share of even masses tells nitrogen: fragments with one nitrogen atom have even masses (McLafferty & Turecek,
    Interpretation of Mass Spectra (1993), section 3.4).
    """
    with gzip.open(data / SPECTRA, "rt", encoding="utf-8") as lines:
        records = [record for record in map(json.loads, lines) if record["inchikey"]]
    rows = []
    for record in records:
        mass, intensity = np.array(record["peaks"]).T
        shares = np.histogram(mass, WINDOWS, weights=intensity / intensity.sum())[0]
        even = intensity[np.round(mass).astype(int) % 2 == 0].sum() / intensity.sum()
        elements = set(re.findall(r"[A-Z][a-z]?", record["formula"]))
        rows.append(
            {
                **{f"window {i}": float(np.log10(0.001 + share)) for i, share in enumerate(shares)},
                "even": float(even),
                **{family: int(element in elements) for family, element in FAMILIES.items()},
                "compound": record["inchikey"][:14],
                "formula": record["formula"],
                "laboratory": record["path"].split("/")[0],
            }
        )
    frame = pd.DataFrame(rows).drop_duplicates(["compound", "laboratory"])
    frame = frame[frame["laboratory"].isin(LABORATORIES)].reset_index(drop=True)
    return frame.assign(alike=alike(frame)).drop(columns="formula")


def alike(frame: pd.DataFrame) -> np.ndarray:
    """[row] label, equal for isomers and for spectra that nobody can tell apart.

    Two pairs of these records share one spectrum among two compounds: p,p'-DDD has that of ametryn (its largest mass,
    227, is ametryn's), and two products of one synthesis have one of them.
    """
    windows = frame.filter(like="window").to_numpy()
    near = NearestNeighbors(radius=0.3).fit(windows).radius_neighbors_graph(windows)
    formula = np.unique(frame["formula"], return_inverse=True)[1]
    isomers = csr_array((np.ones(len(frame)), (np.arange(len(frame)), formula)))
    return connected_components(near + isomers @ isomers.T)[1]


SOUP_SAYS = {"chosen": True, "scored_on": {"rows": "validation", "selected_on": "validation"}}


def write_up(place: Place, data: Path, words: dict[str, str]) -> Laboratory:
    text = CAMPAIGN
    for word, meant in words.items():
        text = text.replace(word, meant)
    return place.laboratory(text, spectra(data), "")


@pytest.fixture(scope="module")
def flawed(place, data) -> Laboratory:
    return write_up(place, data, FLAWED)


@pytest.fixture(scope="module")
def repaired(place, data) -> Laboratory:
    return write_up(place, data, REPAIRED)


def test_a_soup_that_is_chosen_on_the_reported_rows_knows_their_targets(flawed, found):
    again = found(flawed.audit(flawed.results(), only=["soup"], retrain=True))
    assert again["PB501", "soup"].figures["difference"] > 0.01


def test_the_saved_weights_are_not_those_of_the_scored_soup(flawed, found):
    alarms = found(flawed.audit(flawed.results()))
    assert alarms.keys() == {("PB405", "soup"), alarms_of_compounds(alarms)}
    assert alarms["PB405", "soup"].figures["worst"] > 0.01


def test_spectra_of_one_compound_from_two_laboratories_are_counted(flawed, found, data):
    alarms = found(flawed.audit(flawed.results()))
    warning = alarms[alarms_of_compounds(alarms)]
    table = spectra(data)
    here = table["laboratory"] == str(warning.subject).removeprefix("table / ")
    torn = set(table["compound"][here]) & set(table["compound"][~here])
    assert warning.figures["groups"] == len(torn)
    assert warning.figures["rows"] == table["compound"][here].isin(torn).sum()


def alarms_of_compounds(alarms: Found) -> tuple[str, str | None]:
    (key,) = (key for key in alarms if key[0] == "PB103")
    return key


def test_the_repaired_campaign_is_silent(repaired, found):
    assert found(repaired.audit(repaired.results(), only=["soup"], retrain=True)) == {}
    assert found(repaired.audit(repaired.results())) == {}


def test_the_write_up_chose_on_the_rows_that_it_reports(flawed, found):
    """As the write-up says it: one validation set for the choice and for the score, and none for its confirmation."""
    said = [
        {"name": arm.name, "score": arm.score, "metric": "log loss", "scored_on": {"rows": "validation"}}
        for arm in flawed.results().arms
        if not arm.name.startswith("trivial:")
    ]
    alarms = found(inspect(written(flawed, [line | SOUP_SAYS if line["name"] == "soup" else line for line in said])))
    assert alarms.keys() == {("PB501", "soup"), ("PB502", "soup")}
