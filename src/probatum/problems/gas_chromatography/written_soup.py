"""The soup of fixed size as an entry of the challenge wrote it, to show what an audit finds in it.

    train 5 networks; then 40 times: train one more; if it scores better than the worst of the five, put it in its
    place, average the five, train on from the average, and if that scores better than ever, keep the average

Two things are wrong. Every choice is made by the rows whose score is reported. And what is kept is the average from
before the last training, while the score is that from after it. Recipes' `soup` with kind 'swap' does neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int, Real

from probatum.errors import FitError
from probatum.learning.learner import FitOutcome, RowSet
from probatum.learning.metrics import metric
from probatum.learning.parameters import paths
from probatum.problems.gas_chromatography.family_network import FamilyNetwork
from probatum.problems.gas_chromatography.family_network_regressor import FamilyNetworkRegressor

Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class WrittenSoup:
    """What the procedure gives.

    Attributes:
        reported: the score that it reports, on the rows that chose everything.
        saved: the score of the weights that it keeps, on the same rows.
        members: scores of the networks trained from the beginning, in their order.
        soups: scores of the averages that were trained on, in their order.
        swaps: how many networks took the place of a worse one.
        weights: kept.
    """

    reported: float
    saved: float
    members: tuple[float, ...]
    soups: tuple[float, ...]
    swaps: int
    weights: Weights

    def as_line(self, name: str, rows: str) -> dict[str, Any]:
        """A line of a table of runs, which `probatum audit` reads.

        Args:
            name: of the run.
            rows: what the rows are called that chose and are reported.
        """
        scored_on = {"loss": "log loss", "rows": rows, "selected_on": rows}
        return {"name": name, "score": self.reported, "scored_on": scored_on, "metrics": {"rescored": self.saved}}


def written_soup(
    parameters: Mapping[str, Any],
    inputs: Float[np.ndarray, "row column"],
    labels: Real[np.ndarray, "row label"],
    train: Int[np.ndarray, " trained"],
    scored: Int[np.ndarray, " scored"],
    *,
    members: int = 5,
    rounds: int = 40,
    seed: int = 0,
    cores: int = 1,
) -> WrittenSoup:
    """The procedure, on one fold.

    Args:
        parameters: of `FamilyNetworkRegressor`, without validation rows.
        inputs: [row, column] float64.
        labels: [row, label] of 0 and 1.
        train, scored: [row] int, those that train and those that choose and are reported.
        members, rounds: 5 and 40 as written.
        seed: of all trainings.
        cores: threads to use.

    Raises:
        FitError: a training failed.
    """
    truth, log_loss = labels[scored], metric("log_loss")

    def trainings(starts: Sequence[Weights | None], first: int) -> list[FitOutcome]:
        estimators = [Continued(**parameters).starting_from(start) for start in starts]
        rows = [RowSet(train, scored, first + place) for place in range(len(starts))]
        outcomes = Continued.fit_many(estimators, inputs, labels, rows, cores)
        failed = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
        if failed is not None:
            raise FitError(failed)
        return outcomes

    # Trained from the beginning they do not depend on the soup, so all are trained at once.
    fresh = trainings([None] * (members + rounds), seed * 10_000)
    scores = [log_loss.score(truth, one.prediction) for one in fresh]
    soup, of_soup = [dict(one.weights) for one in fresh[:members]], scores[:members]
    best, kept, soups, swaps = 1.0, mean_weights(soup), [], 0
    for number in range(members, members + rounds):
        if scores[number] >= max(of_soup):
            continue
        worst = int(np.argmax(of_soup))
        soup[worst], of_soup[worst], swaps = dict(fresh[number].weights), scores[number], swaps + 1
        average = mean_weights(soup)
        (further,) = trainings([average], seed * 10_000 + 5_000 + number)
        soups.append(log_loss.score(truth, further.prediction))
        if soups[-1] < best:
            best, kept = soups[-1], average
    predicted = FamilyNetworkRegressor(**parameters).restore(kept).predict(inputs[scored])
    return WrittenSoup(best, log_loss.score(truth, predicted), tuple(scores), tuple(soups), swaps, kept)


def mean_weights(members: Sequence[Weights]) -> dict[str, np.ndarray]:
    """The mean of everything that networks keep, batch statistics as well, as the entry averaged it."""
    return {name: np.mean([one[name] for one in members], axis=0).astype(members[0][name].dtype) for name in members[0]}


class Continued(FamilyNetworkRegressor):
    """The perceptron, trained on from weights that are given."""

    _start: Weights | None = None

    def starting_from(self, weights: Weights | None) -> Continued:
        """Itself; from fresh weights where there are none."""
        self._start = weights
        return self

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> FamilyNetwork:
        empty = super().initial_network(columns, outputs, generator)
        if self._start is None:
            return empty
        leaves = [np.asarray(self._start[f"network.{path}"], dtype=np.float32) for path in paths(empty)]
        return jax.tree.unflatten(jax.tree.structure(empty), leaves)
