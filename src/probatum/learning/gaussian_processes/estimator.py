"""The Gaussian process as a scikit-learn regressor that trains many fits at once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import (
    _check_sample_weight,  # pyright: ignore[reportPrivateUsage]  as scikit-learn's own estimators; none is public
    check_is_fitted,
    check_random_state,
    validate_data,
)

from probatum.errors import CampaignFileError, FitError
from probatum.learning.choices import among, check_number, check_numbers
from probatum.learning.learner import FitOutcome, RowSet

if TYPE_CHECKING:
    from probatum.learning.gaussian_processes.covariance import Structure

KERNELS = ("product", "sum")
SHAPES = ("matern52", "rbf")
OUTPUTS = ("independent", "coregionalised")
STARTS = ("lengthscale", "amplitude", "noise", "constant")


@dataclass(eq=False, repr=False, kw_only=True)
class GaussianProcess(RegressorMixin, BaseEstimator):
    """Exact Gaussian process regression, in float64.

    Inputs and targets are standardised by the training rows; a column that does not vary in them is ignored. Hyper-
    parameters maximise the marginal likelihood times weak priors (`covariance.weak_prior`), as densities of their
    logarithms, by L-BFGS. Training rows of equal inputs become one with less noise, which changes nothing but the time.
    The standard deviation is that of a measurement, noise included.
    """

    kernel: str = "product"
    """How the blocks' kernels become one: 'product' (separated) or 'sum'."""
    blocks: Sequence[Sequence[int]] | None = None
    """First and last column of each block, such as [[0, 4], [5, 17]]; columns in none are not used by the kernel. None
    makes one block of all columns but the mean's."""
    shape: str | Sequence[str] = "matern52"
    """Of the kernels, 'matern52' or 'rbf'; one for all blocks, or a list with one for each."""
    ard: bool = False
    """Whether every column has a lengthscale of its own, or every block."""
    outputs: str = "independent"
    """Whether quantities have a process each ('independent') or one together ('coregionalised')."""
    rank: int = 1
    """Columns of the factor that coregionalised quantities share."""
    mean_columns: Sequence[int] | None = None
    """Columns that predict the targets themselves, in their units: the process learns what they leave. One for each
    quantity, or one for all; None learns a constant only."""
    restarts: int = 2
    """Searches from random starts, beside the one from the priors' medians; without, the seed changes nothing."""
    iterations: int = 100
    """Most steps of a search; 0 takes the start as it is."""
    search_rows: int | None = None
    """Most rows that the hyper-parameters are searched on, drawn at random; the posterior is that of all rows. A step
    costs the cube of them. None searches on all."""
    start: Mapping[str, Sequence[float]] | None = None
    """Where the first search starts, of standardised data: 'lengthscale' (one a block, or a column with ard),
    'amplitude' (one, or one a block of a sum), 'noise' (the variance), 'constant'."""
    random_state: Any = 0
    """Seed of the random starts."""

    columns_apart: ClassVar[bool] = True

    def validate(self) -> None:
        """Refuses values that cannot be used.

        Raises:
            CampaignFileError: naming the parameter and the values it takes.
        """
        among("kernel", self.kernel, KERNELS)
        among("outputs", self.outputs, OUTPUTS)
        check_number("rank", self.rank, whole=True, least=1)
        check_number("restarts", self.restarts, whole=True, least=0)
        check_number("iterations", self.iterations, whole=True, least=0)
        if self.search_rows is not None:
            check_number("search_rows", self.search_rows, whole=True, least=10)
        blocks = [None] if self.blocks is None else list(self.blocks)
        for place, block in enumerate(blocks):
            if block is None:
                continue
            check_numbers(f"blocks[{place}]", block, whole=True, least=0)
            if len(block) != 2 or block[0] > block[1]:
                raise CampaignFileError(
                    f"blocks[{place}] = {list(block)} cannot be used", where="blocks", remedy="[first, last] column"
                )
        if not blocks:
            raise CampaignFileError("a kernel needs at least one block", where="blocks", remedy="[[first, last], ...]")
        shapes = [self.shape] if isinstance(self.shape, str) else list(self.shape)
        for shape in shapes:
            among("shape", shape, SHAPES)
        if not isinstance(self.shape, str) and len(shapes) != len(blocks):
            raise CampaignFileError(
                f"{len(shapes)} shapes for {len(blocks)} blocks", where="shape", remedy="give one a block, or one name"
            )
        if self.mean_columns is not None:
            check_numbers("mean_columns", self.mean_columns, whole=True, least=0)
        for name, values in (self.start or {}).items():
            among("start", name, STARTS)
            check_numbers(f"start.{name}", values)
            if name != "constant" and min(values, default=0) <= 0:
                raise CampaignFileError(f"start.{name} must be above 0", where="start")

    def program(self) -> Hashable:
        """What estimators must share to be trained in one call: all but the seed."""
        own = {name: value for name, value in self.get_params(deep=False).items() if name != "random_state"}
        return (type(self).__qualname__, repr(sorted(own.items())))

    # ------------------------------------------------------------------ what follows from the parameters

    def structure(self, columns: int, quantities: int) -> Structure:
        """The shape of a process for inputs of so many columns.

        Raises:
            CampaignFileError: a block or mean column that the inputs do not have, or mean columns that do not fit the
                quantities.
        """
        from probatum.learning.gaussian_processes.covariance import Structure

        means = [] if self.mean_columns is None else [int(column) for column in self.mean_columns]
        if self.mean_columns is not None and len(means) not in (1, quantities):
            raise CampaignFileError(
                f"{len(means)} mean columns for {quantities} quantities",
                where="mean_columns",
                remedy="give one for each quantity, or one for all",
            )
        if self.blocks is None:
            blocks = (tuple(column for column in range(columns) if column not in means),)
        else:
            blocks = tuple(tuple(range(int(first), int(last) + 1)) for first, last in self.blocks)
        for where, used in (("blocks", [c for block in blocks for c in block]), ("mean_columns", means)):
            if any(column >= columns for column in used):
                raise CampaignFileError(
                    f"there is no column {max(used)}",
                    where=where,
                    remedy=f"the features have {columns} columns, from 0 to {columns - 1}",
                )
        if not all(blocks):
            raise CampaignFileError("the mean columns leave no column to the kernel", where="mean_columns")
        shapes = (self.shape,) * len(blocks) if isinstance(self.shape, str) else tuple(self.shape)
        together = self.outputs == "coregionalised" and quantities > 1
        sizes = (quantities, int(self.rank)) if together else (1, 0)
        return Structure(self.kernel, blocks, shapes, bool(self.ard), *sizes)

    def physical(self, inputs: np.ndarray, quantities: int) -> np.ndarray:
        """What the mean columns predict, [row, quantity] float64; 0 where there are none."""
        if self.mean_columns is None:
            return np.zeros((len(inputs), quantities))
        return np.broadcast_to(inputs[:, list(self.mean_columns)], (len(inputs), quantities))

    def starts(self, structure: Structure) -> dict[str, np.ndarray]:
        """The hyper-parameters that `start` gives, as `covariance.Parameters`.

        Raises:
            CampaignFileError: too many or too few numbers.
        """
        from probatum.learning.gaussian_processes.covariance import weak_prior

        usual, given = weak_prior(structure).mean, {}
        for name, values in (self.start or {}).items():
            numbers = np.asarray(list(values), dtype=np.float64)
            if numbers.shape != usual[name].shape:
                raise CampaignFileError(
                    f"start.{name} has {len(numbers)} numbers", where="start", remedy=f"give {usual[name].size}"
                )
            given[name] = numbers if name == "constant" else np.log(numbers)
        return given

    # ------------------------------------------------------------------ fitting and predicting

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[GaussianProcess],
        inputs: np.ndarray,
        targets: np.ndarray,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        """Trains one estimator for each row set, seeded by the row set; see `probatum.learning.learner.fit_many`.

        Returns:
            One outcome a row set; with an `error` where inputs or targets it uses cannot be trained on.

        Raises:
            CampaignFileError: a parameter that cannot be used.
        """
        from probatum.learning.gaussian_processes.fitting import fit_together

        for estimator in estimators:
            estimator.validate()
        return fit_together(estimators, inputs, targets, row_sets, cores)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Trains on inputs [row, column] and targets [row] or [row, quantity].

        Args:
            X: inputs.
            y: targets.
            sample_weight: [row], not negative: how many measurements each row counts as.

        Raises:
            FitError: no positive definite covariance was found.
        """
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        y = np.asarray(y, dtype=np.float64)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31)
        rows = RowSet(np.arange(len(X)), np.arange(0), int(seed), weights=weights)
        outcome = self.fit_many([self], X, y.reshape(len(y), -1), [rows])[0]
        if outcome.error is not None:
            raise FitError(outcome.error)
        self.one_target_ = y.ndim == 1
        return self.restore(outcome.weights)

    def restore(self, weights: Mapping[str, np.ndarray]) -> Self:
        """Becomes the fitted estimator whose `FitOutcome.weights` these are.

        It has `log_marginal_likelihood_` [process], of the targets in their units, and `hyper_parameters_`, name to
        [process, ...], of standardised data: lengthscales, amplitudes and noise variances, logarithms undone. With
        `search_rows` the likelihood is that of the rows searched.
        """
        from probatum.learning.gaussian_processes.fitting import HYPER

        self.weights_ = dict(weights)
        self.n_features_in_ = weights["inputs"].shape[1]
        self.one_target_ = getattr(self, "one_target_", weights["targets"].shape[1] == 1)
        self.log_marginal_likelihood_ = weights["likelihood"]
        hyper = {name.removeprefix(HYPER): array for name, array in weights.items() if name.startswith(HYPER)}
        as_they_are = ("constant", "loading")
        self.hyper_parameters_ = {name: a if name in as_they_are else np.exp(a) for name, a in hyper.items()}
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Targets [row] or [row, quantity] float64 for inputs [row, column].

        Args:
            X: inputs.
            return_std: whether the standard deviations of a measurement are returned too.
        """
        check_is_fitted(self, "weights_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        from probatum.learning.gaussian_processes.fitting import Trained, predicted

        trained = Trained.from_arrays(self.weights_)
        structure = self.structure(X.shape[1], trained.targets.subtract.size)
        mean, deviation = predicted(self, structure, trained, X)
        if self.one_target_:
            mean, deviation = mean[:, 0], deviation[:, 0]
        return (mean, deviation) if return_std else mean

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
