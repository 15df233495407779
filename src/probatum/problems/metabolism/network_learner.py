"""The exploration's learner, with its coefficients by their names and its faults as switches, for campaigns.

features = ["trajectory"]
model = { kind = "probatum.problems.metabolism.network_learner:NetworkLearner" }
training = { lr_k = 0.005, lr_node = 0.001, lr_sub = 0.0005, coeff_MLP_node_L1 = 1.0 }

By default it is as it was, faults included; `recipes.toml` names it without them. Importing this module is cheap; what
needs JAX is imported when it trains.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import linalg
from scipy.optimize import lsq_linear

from probatum.errors import FitError
from probatum.learning.choices import check_number
from probatum.problems.metabolism.cases import Measured, ends_of
from probatum.problems.metabolism.identifiability import identifiability
from probatum.problems.metabolism.integral_form import integral_form
from probatum.problems.metabolism.inverse_learner import InverseLearner
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.learned import (
    HOMEOSTASIS_POINTS,
    LAW_POINTS,
    LOWEST,
    Learned,
    reach_of,
    table_points,
)
from probatum.problems.metabolism.regression import Regression

if TYPE_CHECKING:
    from probatum.problems.metabolism.networks import Form, MetabolismNetwork
    from probatum.problems.metabolism.training import Trained, Training

SHARE = 0.2
"""Of frames x data_augmentation_loop / batch_size: the steps of an epoch, as the exploration counts them."""
TAU = -3.0
"""log10 k below which coeff_k_floor pulls it up."""
WINDOW = 60
"""Frames that rates are summed over where constants are solved for."""
RIDGE = 1e-6
"""Share added to the diagonal there."""
RATES = ("lr_k", "lr_node", "lr_sub")
COEFFICIENTS = ("coeff_MLP_sub_diff", "coeff_MLP_node_L1", "coeff_MLP_sub_norm", "coeff_k_floor")
COUNTS = ("batch_size", "n_epochs", "data_augmentation_loop", "hidden_dim", "n_layers")


class NetworkLearner(InverseLearner):
    """Rate constants, MLP_sub and MLP_node by gradient descent on dc/dt; rate law and homeostasis are not known.

    Args:
        lr_k, lr_node, lr_sub: Adam's rates for log10 k, for MLP_node and the embeddings, and for MLP_sub.
        batch_size: frames in a mini-batch.
        n_epochs: how often the steps of an epoch are made.
        data_augmentation_loop: as the exploration counts steps: an epoch has frames x this / batch_size x .2 of them.
        coeff_MLP_sub_diff: of a rate law that falls.
        coeff_MLP_node_L1: of the size of MLP_node.
        coeff_MLP_sub_norm: of a scale f(1) that is not 1.
        coeff_k_floor: of log10 k below -3.
        hidden_dim, n_layers: hidden units and layers of both networks.
        seed: the exploration's own, see `seed_never_read`.
        seed_never_read: fault: `seed` changes nothing; what is random follows from `random_state` alone.
        zero_start: fault: MLP_node starts with all weights 0, so that only its output bias ever moves.
        softplus_floor: fault: rates are softplus(.) of the law's product, .693 where nothing is there.
        test_from_training: fault: the 'test' rollout starts from the training trajectory.
        fixed_scale: f(1) = 1 by construction, in the place of a penalty.
        solved_constants: log10 k is solved for, given the networks, before the first twentieth of the training and
            after each.
        random_state: of the campaign's fit.
    """

    code_modules: ClassVar[tuple[str, ...]] = tuple(
        f"probatum.problems.metabolism.{name}"
        for name in ("cases", "learned", "inverse_learner", "networks", "losses", "training", "regression")
    )

    def __init__(
        self,
        lr_k: float = 0.005,
        lr_node: float = 0.001,
        lr_sub: float = 0.0005,
        batch_size: int = 8,
        n_epochs: int = 1,
        data_augmentation_loop: int = 1000,
        coeff_MLP_sub_diff: float = 0.0,
        coeff_MLP_node_L1: float = 1.0,
        coeff_MLP_sub_norm: float = 0.0,
        coeff_k_floor: float = 0.0,
        hidden_dim: int = 32,
        n_layers: int = 2,
        seed: int = 42,
        seed_never_read: bool = True,
        zero_start: bool = True,
        softplus_floor: bool = True,
        test_from_training: bool = True,
        fixed_scale: bool = False,
        solved_constants: bool = False,
        random_state: int = 0,
    ):
        self.lr_k = lr_k
        self.lr_node = lr_node
        self.lr_sub = lr_sub
        self.batch_size = batch_size
        self.n_epochs = n_epochs
        self.data_augmentation_loop = data_augmentation_loop
        self.coeff_MLP_sub_diff = coeff_MLP_sub_diff
        self.coeff_MLP_node_L1 = coeff_MLP_node_L1
        self.coeff_MLP_sub_norm = coeff_MLP_sub_norm
        self.coeff_k_floor = coeff_k_floor
        self.hidden_dim = hidden_dim
        self.n_layers = n_layers
        self.seed = seed
        self.seed_never_read = seed_never_read
        self.zero_start = zero_start
        self.softplus_floor = softplus_floor
        self.test_from_training = test_from_training
        self.fixed_scale = fixed_scale
        self.solved_constants = solved_constants
        self.random_state = random_state

    def validate(self) -> None:
        """Refuses numbers that cannot be.

        Raises:
            CampaignFileError: naming the parameter.
        """
        for name in COUNTS:
            check_number(name, getattr(self, name), whole=True, least=1)
        for name in (*RATES, *COEFFICIENTS):
            check_number(name, getattr(self, name), least=0)
        check_number("seed", self.seed, whole=True, least=0)

    def unread(self) -> tuple[str, ...]:
        return ("seed",) if self.seed_never_read else ()

    def steps(self, frames: int) -> int:
        """Of Adam, for a trajectory of this many frames; at least one."""
        an_epoch = int(frames * int(self.data_augmentation_loop) // int(self.batch_size) * SHARE)
        return max(1, int(self.n_epochs) * an_epoch)

    def program(self) -> Hashable:
        sizes = tuple(int(getattr(self, name)) for name in COUNTS)
        return (type(self).__qualname__, *sizes, bool(self.softplus_floor), bool(self.fixed_scale))

    @classmethod
    def learned(cls, estimators: Sequence[Any], seen: Sequence[Measured], cores: int) -> list[Learned | Exception]:
        from probatum.problems.metabolism.training import train

        one, form = estimators[0], _form(estimators[0])
        found: dict[int, Learned | Exception] = {}
        for place in range(len(seen)):
            if place in found:
                continue
            together = [i for i, other in enumerate(seen) if other is seen[place]]
            c, step = seen[place].trajectory.concentrations, seen[place].trajectory.step
            trainings = [_training(estimators[i], seen[i], form) for i in together]
            trained = train(
                trainings,
                c[:-1],
                np.diff(c, axis=0) / step,
                _padded_ends(seen[place]),
                form,
                one.steps(len(c)),
                int(one.batch_size),
                cores,
            )
            for i, result in zip(together, trained, strict=True):
                found[i] = _as_tables(result, seen[place], estimators[i], form)
        return [found[i] for i in range(len(seen))]


def _form(estimator: NetworkLearner) -> Form:
    from probatum.problems.metabolism.networks import Form

    return Form(bool(estimator.softplus_floor), bool(estimator.fixed_scale))


def _training(estimator: NetworkLearner, seen: Measured, form: Form) -> Training:
    from probatum.problems.metabolism.losses import Coefficients
    from probatum.problems.metabolism.networks import initial_network
    from probatum.problems.metabolism.training import Rates, Training

    seeds = (
        [int(estimator.random_state)]
        if estimator.seed_never_read
        else [int(estimator.seed), int(estimator.random_state)]
    )
    generator = np.random.default_rng(seeds)
    network = initial_network(
        len(seen.network.metabolites),
        len(seen.network.reactions),
        int(estimator.hidden_dim),
        int(estimator.n_layers),
        generator,
        bool(estimator.zero_start),
    )
    rates = Rates(*(float(getattr(estimator, name)) for name in RATES))
    coefficients = Coefficients(*[*(float(getattr(estimator, name)) for name in COEFFICIENTS), TAU])
    solved = (lambda model: solved_constants(model, seen, form)) if estimator.solved_constants else None
    return Training(network, rates, coefficients, generator, solved)


def solved_constants(network: MetabolismNetwork, seen: Measured, form: Form) -> np.ndarray:
    """log10 k [reaction] that fits best given MLP_sub and MLP_node, by bounded least squares on sums of rates.

    No numbers where the networks give none.
    """
    from probatum.problems.metabolism.networks import homeostasis, law

    known = identifiability(seen.network)
    c, step = seen.trajectory.concentrations, seen.trajectory.step
    f = np.asarray(law(network, c[:-1], form), dtype=np.float64).T
    used, made = ends_of(seen.network)[:, known.kept]
    p = f[used] * f[made]
    p = np.logaddexp(0.0, p) if form.softplus else p
    y = (np.diff(c, axis=0) / step - np.asarray(homeostasis(network, c[:-1]), dtype=np.float64)).T
    if not (np.isfinite(p).all() and np.isfinite(y).all()):  # the training diverged, and its losses say so
        return np.full(len(seen.network.reactions), np.nan)
    sums = integral_form(step, min(WINDOW, len(c) - 1))
    zeros = np.zeros(len(y))
    metabolism = Metabolism(seen.network.take(known.kept), zeros, zeros)
    windows = len(y[0]) // sums.shift
    parts = [slice(w * sums.shift, (w + 1) * sums.shift) for w in range(windows)]
    equations = Regression(
        metabolism,
        sums,
        np.stack([p[:, part] @ sums.weights.T for part in parts]),
        np.stack([y[:, part] @ sums.weights.T for part in parts]),
        np.ones((windows, len(y))),
    )
    normal = equations.normal_equations
    # An untrained law may hardly vary, and then reactions of one metabolite are nearly the same.
    gram = normal.gram.toarray()
    factor = linalg.cholesky(gram + RIDGE * np.diag(np.diag(gram)), lower=True)
    right = linalg.solve_triangular(factor, normal.right, lower=True)
    lumps = lsq_linear(factor.T, right, (np.where(known.not_negative, 0.0, -np.inf), np.inf)).x
    return np.log10(np.maximum(known.expanded(lumps), LOWEST))


def _padded_ends(seen: Measured) -> np.ndarray:
    """[2, reaction] int, one past the last metabolite where a reaction is empty."""
    ends = ends_of(seen.network)
    return np.where(ends < 0, len(seen.network.metabolites), ends)


def _as_tables(trained: Trained, seen: Measured, estimator: NetworkLearner, form: Form) -> Learned | Exception:
    from probatum.problems.metabolism.networks import alpha, homeostasis, law

    network = trained.network
    if not np.isfinite(trained.losses).all():
        return FitError("the training diverged", remedy="lower lr_k, lr_node and lr_sub")
    largest = reach_of(seen.trajectory.concentrations)
    points = table_points(largest, HOMEOSTASIS_POINTS)
    everywhere = np.broadcast_to(points[:, None], (len(points), len(seen.network.metabolites)))
    return Learned(
        np.asarray(network.log_k, dtype=np.float64),
        largest,
        np.asarray(law(network, table_points(largest, LAW_POINTS), form), dtype=np.float64),
        np.asarray(homeostasis(network, everywhere), dtype=np.float64).T,
        alpha=1.0 if form.fixed_scale else float(alpha(network)),
        softplus=form.softplus,
        from_training=bool(estimator.test_from_training),
        losses=trained.losses,
        changes=trained.changes,
    )
