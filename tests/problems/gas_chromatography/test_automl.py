"""A search over models gives probabilities, the same again where trials end it and not the clock."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.errors import CampaignFileError
from probatum.problems.gas_chromatography.automl import FamilyAutoML

pytest.importorskip("flaml")
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(80, 4))
Y = np.column_stack([X[:, 0] > 0, GENERATOR.random(80) < 0.02]).astype(float)


def test_it_finds_a_label_that_a_column_tells_and_gives_rare_ones_their_share():
    found = FamilyAutoML(seconds=30.0, trials=2).fit(X[:60], Y[:60]).predict(X[60:])
    assert ((found[:, 0] > 0.5) == Y[60:, 0]).mean() > 0.8
    np.testing.assert_allclose(found[:, 1], (Y[:60, 1].sum() + 0.5) / 61)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("given", [{"seconds": 0.0}, {"trials": 0}])
def test_parameters_that_cannot_be_are_refused(given: dict):
    with pytest.raises(CampaignFileError, match=next(iter(given))):
        FamilyAutoML(**given).validate()
