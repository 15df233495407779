"""What a chemist is told: yields with intervals, and everything that makes them weaker than they look."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.errors import DataError, UnknownNameError, UsageError
from probatum.problems.catechol.calibration import GUESSED, Situation
from probatum.problems.catechol.chemist import Prediction, predict, rank
from probatum.problems.catechol.data import YIELDS
from probatum.problems.catechol.queries import measured_rows, own_rows, product_called, understood
from probatum.problems.catechol.remarks import measured_range

from .conftest import SmallLaboratory

pytestmark = pytest.mark.real


def ask(small: SmallLaboratory, celsius: float, minutes: float, *solvents: object, smiles: bool = False) -> Prediction:
    asked = understood(small.data, *solvents, smiles=smiles)  # type: ignore[arg-type]
    return predict(small.model, small.data, asked, celsius, minutes)


def codes(answer: Prediction) -> list[str]:
    return [remark.code for remark in answer.remarks]


@pytest.mark.parametrize(
    ("solvents", "celsius", "situation"),
    [
        (("MeOH",), 200, Situation.MEASURED),
        (("MEK",), 205, Situation.MEASURED),
        (("MEK",), 215, Situation.OTHER_TEMPERATURE),
        (("EG", "Methanol", 40.0), 200, Situation.MEASURED_MIXTURE),
        (("Methanol", "MEK", 40.0), 200, Situation.NEW_PAIR),
        (("Ethanol",), 200, Situation.NEW_SOLVENT),
        (("Methanol", "Ethanol", 10.0), 200, Situation.NEW_IN_MIXTURE),
        (("THF", "Ethanol", 10.0), 200, Situation.TWO_NEW),
        (("CCCO",), 200, Situation.NEW_SOLVENT_GUESSED),
        (("Methanol", "CCCO", 10.0), 200, Situation.NEW_IN_MIXTURE_GUESSED),
        (("CCCCO", "CCCO", 10.0), 200, Situation.TWO_NEW_GUESSED),
        (("Methanol", "Ethanol", 0.0), 200, Situation.MEASURED),
        (("Ethanol", "Methanol", 100.0), 200, Situation.MEASURED),
        (("Methanol", "MeOH", 50.0), 200, Situation.MEASURED),
        (("CO",), 200, Situation.MEASURED),
    ],
)
def test_what_is_known_of_a_solvent_decides_how_its_interval_is_calibrated(
    small: SmallLaboratory, solvents: tuple[object, ...], celsius: float, situation: Situation
):
    answer = ask(small, celsius, 8.0, *solvents)
    assert answer.situation is situation
    for one, name in zip(answer.yields, YIELDS, strict=True):
        assert one.name == name
        assert 0 <= one.low <= one.value <= one.high <= 1
    assert answer.standing


def test_a_measured_solvent_is_predicted_near_its_measurements(small: SmallLaboratory):
    asked = understood(small.data, "Methanol")
    rows = np.flatnonzero(own_rows(small.data, asked))
    held, errors = [], []
    for row in rows:
        answer = predict(
            small.model, small.data, asked, small.data.rows.temperature[row], small.data.rows.residence_time[row]
        )
        assert answer.nearby is not None
        for one, truth in zip(answer.yields, small.data.rows.yields[row], strict=True):
            held.append(one.low <= truth <= one.high)
            errors.append(one.value - truth)
    assert np.mean(held) > 0.85
    assert np.sqrt(np.mean(np.square(errors))) < 0.08


def test_rows_nearby_are_averaged(small: SmallLaboratory):
    rows = small.data.rows
    answer = ask(small, 225.0, 15.0, "Methanol")
    own = np.array(
        [
            ((a == "Methanol" and b <= 0.01) or (o == "Methanol" and b >= 0.99))
            and abs(t - 225) <= 3
            and abs(m - 15) <= 0.6
            for a, o, b, t, m in zip(
                rows.solvent_a, rows.solvent_b, rows.fraction_b, rows.temperature, rows.residence_time, strict=True
            )
        ]
    )
    assert answer.nearby is not None
    assert answer.nearby.rows == own.sum() > 0
    np.testing.assert_allclose(answer.nearby.yields, rows.yields[own].mean(axis=0))
    assert ask(small, 200.0, 4.0, "Methanol").nearby is None


def test_mixtures_nearby_have_a_share_nearby(small: SmallLaboratory):
    asked = understood(small.data, "EG", "MeOH", 50.0)
    rows = measured_rows(small.data, asked)
    share = np.where(
        small.data.rows.solvent_b[rows] == "Methanol",
        small.data.rows.fraction_b[rows],
        1 - small.data.rows.fraction_b[rows],
    )
    assert len(share)
    assert (np.abs(share - 0.5) <= 0.05).all()
    assert rows.sum() < own_rows(small.data, asked).sum()


@pytest.mark.parametrize(
    ("celsius", "minutes", "said"),
    [
        (240.0, 8.0, "240 deg C is outside the measured 175 to 225"),
        (200.0, 1.0, "1 min is outside the measured 2 to 15"),
    ],
)
def test_conditions_outside_the_measured_range_are_extrapolations(
    small: SmallLaboratory, celsius: float, minutes: float, said: str
):
    remarks = [r for r in ask(small, celsius, minutes, "Methanol").remarks if r.code == "PB604"]
    assert len(remarks) == 1
    assert said in remarks[0].text


def test_conditions_within_the_measured_range_are_not(small: SmallLaboratory):
    (cold, hot), (short, long) = measured_range(small.data)
    for celsius in (cold, hot):
        for minutes in (short, long):
            assert "PB604" not in codes(ask(small, celsius, minutes, "Methanol"))


@pytest.mark.parametrize(
    ("celsius", "minutes", "said"),
    [(463.0, 8.0, "463 K is 190 deg C"), (190.0, 480.0, "480 s is 8.0 min")],
)
def test_kelvin_and_seconds_are_noticed(small: SmallLaboratory, celsius: float, minutes: float, said: str):
    units = [remark.text for remark in ask(small, celsius, minutes, "Methanol").remarks if remark.code == "unit"]
    assert len(units) == 1
    assert said in units[0]


def test_a_percent_that_looks_like_a_fraction_is_noticed(small: SmallLaboratory):
    assert "give 30" in ask(small, 200.0, 8.0, "Methanol", "EG", 0.3).remarks[0].text


@pytest.mark.parametrize(
    ("smiles", "said"),
    [("ClCCl", "it contains Cl"), ("Cc1ccccc1", "it is aromatic"), ("CCN(CC)CC", "it is an amine")],
)
def test_a_molecule_unlike_all_measured_ones_is_an_extrapolation(small: SmallLaboratory, smiles: str, said: str):
    texts = [r.text for r in ask(small, 200.0, 8.0, smiles, smiles=True).remarks if r.code == "PB604"]
    assert len(texts) == 1
    assert said in texts[0]


def test_an_alcohol_more_is_no_extrapolation(small: SmallLaboratory):
    assert "PB604" not in codes(ask(small, 200.0, 8.0, "CCCCO", smiles=True))


def test_a_tabulated_solvent_far_from_the_measured_ones_says_in_what(small: SmallLaboratory):
    texts = [r.text for r in ask(small, 200.0, 8.0, "Decanol").remarks if r.code == "PB604"]
    assert len(texts) == 1
    assert "Decanol is unlike all measured solvents" in texts[0]
    assert "SB 0.912" in texts[0]


def test_water_in_acetonitrile_is_a_share_of_the_mixture_that_was_measured(small: SmallLaboratory):
    """30 % water, the mixture having 60 %, is half of it."""
    asked = understood(small.data, "MeCN", "Water", 30.0)
    assert {asked.a.name, asked.b.name} == {"Acetonitrile", "Water.Acetonitrile"}
    assert asked.fraction_b == pytest.approx(0.5)
    assert [r.code for r in asked.remarks] == ["mixture"]
    turned = understood(small.data, "Water", "MeCN", 70.0)
    assert (turned.a.name, turned.b.name) == (asked.a.name, asked.b.name)
    assert turned.fraction_b == pytest.approx(0.5)
    whole = understood(small.data, "MeCN", "Water", 60.0)
    assert (whole.a.name, whole.b.name, whole.fraction_b) == ("Water.Acetonitrile", "Water.Acetonitrile", 0.0)
    more = understood(small.data, "MeCN", "Water", 80.0)  # more water than was ever measured
    assert (more.a.name, more.b.name, more.fraction_b) == ("Acetonitrile", "Water", 0.8)


@pytest.mark.parametrize(
    ("solvents", "error", "said"),
    [
        (("Metanol",), UnknownNameError, "unknown solvent 'Metanol'; did you mean 'methanol'"),
        (("toluene",), UnknownNameError, "its SMILES"),
        (("Methanol", "Ethanol", 130.0), UsageError, "130 % of the second solvent is impossible"),
        (("Methanol", "Ethanol", float("nan")), UsageError, "impossible"),
        (("Methanol", "Ethanol"), UsageError, "needs --percent-b"),
        (("Methanol", None, 20.0), UsageError, "needs --solvent-b"),
        (("CCO.O",), DataError, "more than one molecule"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    small: SmallLaboratory, solvents: tuple[object, ...], error: type[Exception], said: str
):
    with pytest.raises(error, match=said):
        understood(small.data, *solvents)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("celsius", "minutes"), [(-300.0, 8.0), (float("inf"), 8.0), (200.0, 0.0), (200.0, -3.0), (200.0, float("nan"))]
)
def test_impossible_conditions_are_refused(small: SmallLaboratory, celsius: float, minutes: float):
    with pytest.raises(UsageError, match="impossible"):
        ask(small, celsius, minutes, "Methanol")


@pytest.mark.parametrize("name", ["Product 2", "product2", "P2", "p2", "PRODUCT 2"])
def test_products_are_known_by_short_names(name: str):
    assert product_called(name) == "Product 2"


def test_an_unknown_product_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="Product 2, Product 3, SM"):
        product_called("yield")


@pytest.mark.parametrize("least", [False, True])
def test_a_ranking_is_in_the_order_of_single_predictions(small: SmallLaboratory, least: bool):
    ranked, _ = rank(small.model, small.data, "P3", celsius=205.0, minutes=10.0, least=least)
    single = {name: ask(small, 205.0, 10.0, name).yields[2] for name in small.model.known.solvents}
    values = {name: one.value for name, one in single.items()}
    assert [one.solvent for one in ranked] == sorted(values, key=values.__getitem__, reverse=not least)
    first = single[ranked[0].solvent]
    for one in ranked:
        assert one.wanted.value == pytest.approx(values[one.solvent])
        other = single[one.solvent]
        overlaps = other.low <= first.high if least else other.high >= first.low
        assert one.level_with_first is overlaps


def test_a_ranking_notices_units_and_ranges(small: SmallLaboratory):
    assert [r.code for r in rank(small.model, small.data, "P2", celsius=205.0, minutes=10.0)[1]] == []
    assert {r.code for r in rank(small.model, small.data, "P2", minutes=480.0)[1]} >= {"unit", "PB604"}
    assert {r.code for r in rank(small.model, small.data, "P2", celsius=463.0)[1]} >= {"unit", "PB604"}


def test_a_guessed_descriptor_knows_no_more_than_a_tabulated_one(small: SmallLaboratory):
    for tabulated, guessed in GUESSED.items():
        assert (small.model.factors(guessed) >= small.model.factors(tabulated)).all()


def test_best_conditions_are_at_least_as_good_as_any_others(small: SmallLaboratory):
    at_best, remarks = rank(small.model, small.data, "Product 2", minutes=15.0)
    assert "conditions" in [remark.code for remark in remarks]
    best = {one.solvent: one for one in at_best}
    for celsius in (175.0, 200.0, 225.0):
        for one in rank(small.model, small.data, "Product 2", celsius=celsius, minutes=15.0)[0]:
            assert best[one.solvent].wanted.value >= one.wanted.value - 1e-9
    assert all(175 <= one.celsius <= 225 and one.minutes == 15.0 for one in at_best)
