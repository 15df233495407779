"""Rate constants, rate law and homeostasis together, none of them known: variable projection on integrated rates.

    dc_i/dt = sum_j S_ij k_j prod_a f(c_a)^n_aj + h_g(i)(c_i),   f(c) = c exp(s(log(1 + c))),   f(1) = 1.

s and h are natural splines, g(i) the group of metabolite i. f is positive, and 0 only where nothing is there; f(1) = 1
takes away the freedom f -> a f, k -> k / a^n. Given s, all else is linear: k and h are solved for exactly, and a
Gauss-Newton step in the few numbers of s sees what is left (L. Kaufman, BIT 15 (1975) 49; Levenberg's damping). Rates
are summed over windows with a free start (`integral_form`), so that nothing is differentiated.

Groups are not known either: first each metabolite has a straight line of its own as h; those are parted into groups by
their values over the visited range, in units of their standard errors; then each group has one spline. It stays a
straight line unless curves pay for their weights by the Bayesian information criterion (G. Schwarz, Ann. Stat. 6
(1978) 461): with noise, weights that are not needed make errors at the ends of the range three times larger.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy import linalg, sparse

from probatum.errors import DataError, FitError
from probatum.problems.metabolism.grouping import grouped
from probatum.problems.metabolism.identifiability import Identifiability, identifiability
from probatum.problems.metabolism.integral_form import integral_form
from probatum.problems.metabolism.natural_splines import knots_over, natural_spline
from probatum.problems.metabolism.rate_law import Homeostasis, RateLaw, law_basis
from probatum.problems.metabolism.structure import Network
from probatum.problems.metabolism.trajectory import Trajectory

WINDOW = 60
"""Steps that rates are summed over."""
TAIL = 1e-3
"""Share of the concentrations beyond the outer knots on either side."""
MOST_STEPS = 60
SETTLED, EXACT = 1e-8, 1e-18
"""A search ends when a step lowers the sum of squares by less than this share, or to this share of the targets' own."""
LARGEST_DAMPING = 1e6
RIDGE = 1e-13
"""Of a matrix scaled to a unit diagonal: keeps what hardly enters the equations from failing them."""
NOTHING = 1e-100
"""Concentration that stands for 0 under a logarithm: 0 beside everything else, and no subnormal number."""


@dataclass(frozen=True, eq=False)
class Found:
    """What variable projection found.

    Attributes:
        identifiability: of the network: which constants mean anything.
        constants: k, [reaction] float64.
        law, homeostasis: the functions.
        losses: mean squared residual after each step.
        converged: whether it ended by itself.
    """

    identifiability: Identifiability
    constants: Float[np.ndarray, " reaction"]
    law: RateLaw
    homeostasis: Homeostasis
    losses: tuple[float, ...]
    converged: bool


@dataclass(frozen=True)
class Settings:
    """How flexible the functions are, and where the search starts.

    Attributes:
        law_knots: of the rate law's spline.
        homeostasis_knots: of the homeostasis at most; 2 are a straight line.
        groups: of metabolites with one homeostasis each.
        start: exponent a of the first rate law, f(c) = c ((1 + c) / 2)^(a - 1): the true one has a = 1.
    """

    law_knots: int = 10
    homeostasis_knots: int = 4
    groups: int = 2
    start: float = 0.5


def variable_projection(network: Network, trajectory: Trajectory, settings: Settings = Settings()) -> Found:
    """Everything but the network, from a trajectory.

    Args:
        network: stoichiometry and orders.
        trajectory: measured.
        settings: see there.

    Raises:
        DataError: fewer frames than a window, or fewer metabolites than groups.
        FitError: the concentrations vary too little to tell the functions apart.
    """
    c = trajectory.concentrations
    metabolites = c.shape[1]
    if len(c) <= WINDOW:
        raise DataError(
            f"{len(c)} frames for windows of {WINDOW + 1}", where="the trajectory", remedy="give a longer one"
        )
    if not 1 <= settings.groups <= metabolites:
        raise DataError(
            f"{settings.groups} groups of {metabolites} metabolites", where="groups", remedy="choose 1 to all of them"
        )
    knots = knots_over(np.log1p(np.abs(c)), settings.law_knots, TAIL)
    law = RateLaw(knots, np.append(settings.start - 1, np.zeros(len(knots) - 2)))
    known = identifiability(network)
    lines = _Equations.of(known, trajectory, knots, np.quantile(c, [TAIL, 1 - TAIL]), np.arange(metabolites))
    first = _searched(lines, law)
    lines = lines.weighed(first)
    first = _searched(lines, first.law)
    groups = grouped(first.solution.homeostasis, first.solution.precision, settings.groups)
    fits = []
    for count in sorted({2, settings.homeostasis_knots}):
        of_groups = _Equations.of(known, trajectory, knots, knots_over(c, count, TAIL), groups)
        of_groups = replace(of_groups, weights=lines.weights)
        fits.append((of_groups, _searched(of_groups, first.law)))
    pooled, last = min(fits, key=lambda fit: _schwarz(*fit))
    return Found(
        known,
        known.expanded(last.solution.lumps),
        last.law,
        Homeostasis(pooled.knots, groups, last.solution.homeostasis),
        tuple(squares / pooled.count for squares in (*first.squares, *last.squares)),
        first.converged and last.converged,
    )


def _schwarz(equations: _Equations, found: _Searched) -> float:
    """The Bayesian information criterion, up to what all fits of one trajectory share; exact fits are alike.

    A window counts as one measurement: its equations share the errors that noise leaves in its rates, and as many
    measurements as equations would take that error for a curve.
    """
    squares = max(found.solution.squares, EXACT * equations.squares)
    windows = equations.count // WINDOW
    return windows * math.log(squares) + found.solution.homeostasis.size * math.log(windows)


@dataclass(frozen=True, eq=False)
class _Solution:
    """The best linear unknowns for one rate law: lumps of k, then weights of the homeostasis group by group.

    Attributes:
        lumps: [lump].
        homeostasis: [group, knot].
        factor, scale: Cholesky factor of their normal equations, scaled to a unit diagonal, and the scale.
        squares: sum of squared residuals.
        mixed: [law weight, unknown], X^T W D of the regressors X and of D, the residual's slopes by the law's weights.
        curvature, downhill: [law weight, law weight] and [law weight], D^T W D and D^T W residual.
    """

    lumps: Float[np.ndarray, " lump"]
    homeostasis: Float[np.ndarray, "group knot"]
    factor: tuple[Float[np.ndarray, "unknown unknown"], bool]
    scale: Float[np.ndarray, " unknown"]
    squares: float
    mixed: Float[np.ndarray, "weight unknown"]
    curvature: Float[np.ndarray, "weight weight"]
    downhill: Float[np.ndarray, " weight"]

    @property
    def precision(self) -> Float[np.ndarray, "group knot knot"]:
        """[group, knot, knot]: of each group's homeostasis, all else unknown; in units of the residual's variance."""
        inverse = linalg.cho_solve(self.factor, np.eye(len(self.scale))) / np.outer(self.scale, self.scale)
        groups, knots = self.homeostasis.shape
        places = len(self.lumps) + np.arange(groups * knots).reshape(groups, knots)
        return np.linalg.inv(inverse[places[:, :, None], places[:, None, :]])

    def step(self, damping: float) -> Float[np.ndarray, " weight"]:
        """[law weight]: by Gauss-Newton in what the linear unknowns leave."""
        left = self.curvature - self.mixed @ linalg.cho_solve(self.factor, self.mixed.T)
        return np.linalg.solve(left + damping * np.diag(np.diag(self.curvature)), self.downhill)


@dataclass(frozen=True, eq=False)
class _Searched:
    law: RateLaw
    solution: _Solution
    squares: tuple[float, ...]
    converged: bool


def _searched(equations: _Equations, law: RateLaw) -> _Searched:
    """Damped Gauss-Newton from a rate law; its steps only ever lower the sum of squares."""
    solution, damping = equations.solved(law), 1e-3
    squares, exact = [solution.squares], EXACT * equations.squares
    for _ in range(MOST_STEPS):
        if squares[-1] < exact:
            return _Searched(law, solution, tuple(squares), True)
        tried = replace(law, weights=law.weights + solution.step(damping))
        next_one = equations.solved(tried)
        if not next_one.squares < solution.squares:
            if damping > LARGEST_DAMPING:
                return _Searched(law, solution, tuple(squares), True)
            damping *= 10
            continue
        law, solution, damping = tried, next_one, damping / 10
        squares.append(solution.squares)
        if squares[-2] - squares[-1] < SETTLED * squares[-2]:
            return _Searched(law, solution, tuple(squares), True)
    return _Searched(law, solution, tuple(squares), False)


@dataclass(frozen=True, eq=False)
class _Equations:
    """Integrated rates of one trajectory, everything in them that the weights of the rate law do not change.

    Attributes:
        known: of the network.
        network: its reactions that stand for what is identifiable.
        logs: [metabolite, frame] log |c|, a low number where nothing is there; frames of whole windows.
        signs: [reaction, frame] of the rates: noise makes some concentrations negative, and f odd keeps its mean 0.
        law_basis: [law weight, metabolite, frame].
        weights: [metabolite, window], 0 where a concentration was lifted to 0, which creates mass.
        targets: [metabolite, window x equation].
        knots, groups: of the homeostasis.
        basis: [metabolite, knot, window x equation], its integrated basis.
        form: Phi, [equation, frame of a window].
        step: time of a frame.
    """

    known: Identifiability
    network: Network
    logs: Float[np.ndarray, "metabolite frame"]
    signs: Float[np.ndarray, "reaction frame"]
    law_basis: Float[np.ndarray, "weight metabolite frame"]
    weights: Float[np.ndarray, "metabolite window"]
    targets: Float[np.ndarray, "metabolite entry"]
    knots: Float[np.ndarray, " knot"]
    groups: Int[np.ndarray, " metabolite"]
    basis: Float[np.ndarray, "metabolite knot entry"]
    form: Float[np.ndarray, "equation step"]
    step: float

    @classmethod
    def of(
        cls,
        known: Identifiability,
        trajectory: Trajectory,
        law_knots: Float[np.ndarray, " law_knot"],
        knots: Float[np.ndarray, " knot"],
        groups: Int[np.ndarray, " metabolite"],
    ) -> _Equations:
        form = integral_form(trajectory.step, WINDOW).weights
        windows = (len(trajectory) - 1) // WINDOW
        c = trajectory.concentrations[: windows * WINDOW + 1].T
        lifted = ((c[:, 1:] == 0) & (c[:, :-1] > 0)).reshape(len(c), windows, WINDOW).any(axis=2)
        network = known.network.take(known.kept)
        n = network.orders
        whole = sparse.csc_array((np.rint(n.data), n.indices, n.indptr), shape=n.shape)
        return cls(
            known,
            network,
            np.log(np.maximum(np.abs(c[:, :-1]), NOTHING)),
            1.0 - 2.0 * ((whole.T @ (c[:, :-1] < 0)) % 2),
            law_basis(c[:, :-1], law_knots),
            np.where(lifted, 0.0, 1.0),
            _integrated(np.diff(c, axis=1) / trajectory.step, form),
            knots,
            groups,
            _integrated(np.moveaxis(natural_spline(c[:, :-1], knots), 0, 1), form),
            form,
            trajectory.step,
        )

    @property
    def count(self) -> int:
        """Equations that count."""
        return int((self.weights > 0).sum()) * WINDOW

    @property
    def squares(self) -> float:
        """Sum of squared targets, weighed."""
        return float((np.repeat(self.weights, len(self.form), axis=1) * self.targets**2).sum())

    def propensities(self, law: RateLaw) -> Float[np.ndarray, "reaction frame"]:
        """prod_a f(c_a)^n_aj: [reaction, frame] float64."""
        return self.signs * np.exp(self.network.orders.T @ (self.logs + np.tensordot(law.weights, self.law_basis, 1)))

    def solved(self, law: RateLaw) -> _Solution:
        """The best k and h for a rate law, and how the residual answers to the law.

        Raises:
            FitError: the equations are singular: the concentrations vary too little.
        """
        S = self.network.stoichiometry.tocsr()
        lumps, knots = len(self.network.reactions), len(self.knots)
        unknowns = lumps + knots * (int(self.groups.max()) + 1)
        p = self.propensities(law)
        regressors = _integrated(p, self.form)
        weights = np.repeat(self.weights, len(self.form), axis=1)
        places, X = [], []
        G, b = np.zeros((unknowns, unknowns)), np.zeros(unknowns)
        for i, group in enumerate(self.groups):
            entries = slice(S.indptr[i], S.indptr[i + 1])
            reactions = S.indices[entries]
            place = np.concatenate([reactions, lumps + knots * group + np.arange(knots)])
            of_one = np.concatenate([S.data[entries, None] * regressors[reactions], self.basis[i]])
            weighed = of_one * weights[i]
            G[np.ix_(place, place)] += weighed @ of_one.T
            b[place] += weighed @ self.targets[i]
            places.append(place)
            X.append(of_one)
        factor, scale = _factor(G)
        x = linalg.cho_solve(factor, b / scale) / scale
        D = self._slopes(x[:lumps, None] * p)
        mixed, squares = np.zeros((len(D), unknowns)), 0.0
        curvature, downhill = np.zeros((len(D), len(D))), np.zeros(len(D))
        for i, (place, of_one) in enumerate(zip(places, X, strict=True)):
            residual = self.targets[i] - x[place] @ of_one
            weighed = D[:, i] * weights[i]
            mixed[:, place] += weighed @ of_one.T
            curvature += weighed @ D[:, i].T
            downhill += weighed @ residual
            squares += float(weights[i] @ residual**2)
        return _Solution(
            x[:lumps], x[lumps:].reshape(-1, knots), factor, scale, squares, mixed / scale, curvature, downhill
        )

    def weighed(self, found: _Searched) -> _Equations:
        """With windows weighed by the errors that noise in the concentrations leaves in their sums of rates.

        As `smoothing.weighted` has it, for the rate law that was found: a sum over n steps has the variance 1 of its
        concentration, and of the rates a random walk's, whose variance about its mean is n / 6 of a step's.
        """
        c = np.exp(self.logs)
        flux = found.solution.lumps[:, None] * self.propensities(found.law)
        S, n = self.network.stoichiometry, self.network.orders
        variances = S.power(2) @ (flux**2 * (n.power(2).T @ (found.law.elasticity(c) / c) ** 2))
        walks = self.step**2 * variances.reshape(*self.weights.shape, -1).sum(axis=2) / 6
        return replace(self, weights=self.weights / (1 + walks))

    def _slopes(self, flux: Float[np.ndarray, "reaction frame"]) -> Float[np.ndarray, "weight metabolite entry"]:
        """Integrated d(S v)/d(law weight), [law weight, metabolite, window x equation], from v [reaction, frame]."""
        S, orders = self.network.stoichiometry, self.network.orders.T.tocsr()
        return np.stack([_integrated(S @ (flux * (orders @ of_one)), self.form) for of_one in self.law_basis])


def _factor(
    G: Float[np.ndarray, "unknown unknown"],
) -> tuple[tuple[Float[np.ndarray, "unknown unknown"], bool], Float[np.ndarray, " unknown"]]:
    """Cholesky factor of a matrix scaled to a unit diagonal, and the scale."""
    scale = np.sqrt(np.diag(G))
    scale[scale == 0] = 1.0
    try:
        return linalg.cho_factor(G / np.outer(scale, scale) + RIDGE * np.eye(len(G))), scale
    except linalg.LinAlgError:
        raise FitError(
            "the concentrations do not tell rate constants and homeostasis apart",
            where="variable projection",
            remedy="give a longer trajectory, or fewer knots",
        ) from None


def _integrated(
    values: Float[np.ndarray, "*batch frame"], form: Float[np.ndarray, "equation step"]
) -> Float[np.ndarray, "*batch entry"]:
    """Phi applied to each window: [..., window x equation] from [..., frame]."""
    windowed = values.reshape(*values.shape[:-1], -1, form.shape[1])
    return (windowed @ form.T).reshape(*values.shape[:-1], -1)
