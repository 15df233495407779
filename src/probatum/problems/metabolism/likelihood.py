"""The likelihood of a PEtab problem, with its gradient and Fisher information, through a stiff adaptive solver.

With m a measurement, h its simulation, T its transformation (identity, log, log10) and s its noise, the standard's
normal distribution gives

    -log L = sum 1/2 log(2 pi s^2) + log |1 / T'(m)| + 1/2 ((T(m) - T(h)) / s)^2,

and Laplace's sum log(2 s) + log |1 / T'(m)| + |T(m) - T(h)| / s. Derivatives of the states come from the solver in
forward mode; the expected information of T(h) and log s stands for the matrix of second derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Real

from probatum.errors import FitError, UsageError
from probatum.problems.metabolism.expressions import evaluated, names
from probatum.problems.metabolism.likelihood_plan import Plan, plan
from probatum.problems.metabolism.petab_problem import PetabProblem
from probatum.problems.metabolism.sbml import EXTRA

TOLERANCE = 1e-8
"""Of a step's error, relative to each state and absolute."""
MOST_STEPS = 4000


class Point(NamedTuple):
    """The likelihood at several points, one a lane; not finite where the model cannot be simulated.

    Attributes:
        parameters: [lane, parameter] float64, scaled; noise parameters that have a closed form are at their best.
        loss: -log L, [lane] float64.
        gradient: [lane, parameter] float64.
        information: [lane, parameter, parameter] float64.
    """

    parameters: Float[np.ndarray, "lane parameter"]
    loss: Float[np.ndarray, " lane"]
    gradient: Float[np.ndarray, "lane parameter"]
    information: Float[np.ndarray, "lane parameter parameter"]


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Of a problem; compiled when it is first evaluated.

    Attributes:
        problem: whose.
        width: lanes that are evaluated at once; fewer are filled up.
        tolerance: of the solver's steps.
    """

    problem: PetabProblem
    width: int = 8
    tolerance: float = TOLERANCE

    def __call__(
        self,
        parameters: Float[np.ndarray, "lane parameter"],
        lower: Float[np.ndarray, "lane parameter"],
        upper: Float[np.ndarray, "lane parameter"],
    ) -> Point:
        """The likelihood at points.

        Args:
            parameters, lower, upper: [lane, parameter], scaled; at most `width` lanes. A noise parameter that alone
                is the noise of its measurements is set to its best between its bounds.
        """
        import jax

        count = len(parameters)
        filled = np.minimum(np.arange(self.width), count - 1)
        with jax.enable_x64(True):
            found = self._compiled(*(np.asarray(x, dtype=np.float64)[filled] for x in (parameters, lower, upper)))
            return Point(*(np.asarray(x)[:count] for x in found))

    def log_likelihood(self, parameters: Real[np.ndarray, " parameter"]) -> float:
        """At one point, [parameter], nothing set to its best.

        Raises:
            FitError: the model cannot be simulated there.
        """
        one = np.asarray(parameters, dtype=np.float64)[None]
        loss = float(self(one, one, one).loss[0])
        if not math.isfinite(loss):
            raise FitError(
                "the model cannot be simulated at these parameters",
                where=self.problem.name,
                remedy="check initial values and signs of the rate laws",
            )
        return -loss

    def simulated(
        self, parameters: Real[np.ndarray, " parameter"]
    ) -> tuple[Float[np.ndarray, " measurement"], Float[np.ndarray, " measurement"]]:
        """Simulation and noise of each measurement, both [measurement] float64.

        Args:
            parameters: [parameter], scaled. Simulations are on the linear scale, noise on the transformed one.
        """
        import jax

        with jax.enable_x64(True):
            compared, log_noise = (np.asarray(x) for x in self._simulated(np.asarray(parameters, dtype=np.float64)))
        found = compared.copy()
        for scale, back in (("log", np.exp), ("log10", lambda x: 10.0**x)):
            rows = self._plan.transformations == scale
            found[rows] = back(found[rows])
        return found, np.exp(log_noise)

    @cached_property
    def _plan(self) -> Plan:
        return plan(self.problem)

    @cached_property
    def _compiled(self) -> Any:
        import jax

        return jax.jit(jax.vmap(self._point))

    @cached_property
    def _simulated(self) -> Any:
        import jax

        return jax.jit(lambda parameters: self._outputs(parameters, self._states(parameters)))

    def _point(self, parameters: Any, lower: Any, upper: Any) -> tuple[Any, Any, Any, Any]:
        """One lane, traced."""
        import jax
        import jax.numpy as jnp

        plan, count = self._plan, len(parameters)
        directions = jnp.eye(count)

        def along(direction: Any) -> tuple[Any, Any]:
            return jax.jvp(self._states, (parameters,), (direction,))

        states, slopes = jax.vmap(along, out_axes=(None, 0))(directions[plan.dynamic])
        # Only some parameters move the states; the others' part of the solver's work is not done.
        all_slopes = jnp.zeros((count, *states.shape)).at[plan.dynamic].set(slopes)
        parameters = self._with_best_noise(parameters, self._outputs(parameters, states)[0], lower, upper)

        def outputs_along(direction: Any, slope: Any) -> tuple[Any, Any]:
            return jax.jvp(self._outputs, (parameters, states), (direction, slope))

        (h, log_noise), (h_slopes, noise_slopes) = jax.vmap(outputs_along, out_axes=(None, 0))(directions, all_slopes)
        noise = jnp.exp(log_noise)
        r = (plan.compared - h) / noise
        h_slopes = h_slopes / noise
        loss = jnp.sum(plan.offsets + log_noise + jnp.where(plan.laplace, jnp.abs(r), r**2 / 2))
        pull, excess = jnp.where(plan.laplace, jnp.sign(r), r), jnp.where(plan.laplace, jnp.abs(r), r**2)
        gradient = -h_slopes @ pull + noise_slopes @ (1 - excess)
        weights = jnp.where(plan.laplace, 1.0, 2.0)
        information = h_slopes @ h_slopes.T + (noise_slopes * weights) @ noise_slopes.T
        return parameters, loss, gradient, information

    def _with_best_noise(self, parameters: Any, h: Any, lower: Any, upper: Any) -> Any:
        """Noise parameters that stand alone, set to the root of mean squares, or Laplace's mean, of the residuals."""
        import jax.numpy as jnp

        plan = self._plan
        for position, rows in plan.alone.items():
            apart = jnp.abs(plan.compared[rows] - h[rows])
            best = jnp.mean(apart) if plan.laplace[rows[0]] else jnp.sqrt(jnp.mean(apart**2))
            best = _SCALED[plan.scales[position]](best)
            parameters = parameters.at[position].set(jnp.clip(best, lower[position], upper[position]))
        return parameters

    def _values(self, parameters: Any) -> dict[str, Any]:
        """Identifier to linear value, of all parameters of the table."""
        plan = self._plan
        free = {name: _LINEAR[plan.scales[i]](parameters[i]) for i, name in enumerate(plan.free)}
        return {**plan.fixed, **free}

    def _starts(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """Constants, each [condition], and states at time 0, [condition, state]."""
        import jax.numpy as jnp

        model = self.problem.model
        own = {name: value for name, value in values.items() if name in model.identifiers}
        known = {**{name: evaluated(d, {}) for name, d in model.definitions.items() if not names(d)}, **values}
        starts = [
            model.start({**own, **{name: evaluated(given, known) for name, given in condition.overrides.items()}})
            for condition in self._plan.conditions
        ]
        constants = {
            name: jnp.stack([jnp.asarray(c[name], dtype=jnp.float64) for c, _ in starts]) for name in starts[0][0]
        }
        return constants, jnp.stack([jnp.stack([jnp.asarray(x, dtype=jnp.float64) for x in y]) for _, y in starts])

    def _states(self, parameters: Any) -> Any:
        """[condition, time, state] at the measured times."""
        import diffrax
        import jax
        import jax.numpy as jnp
        import optimistix

        model, times = self.problem.model, self._plan.times

        def slope(time: Any, state: Any, constants: Any) -> Any:
            return jnp.stack([jnp.asarray(x, dtype=jnp.float64) for x in model.slope(time, list(state), constants)])

        def solved(constants: Any, start: Any) -> Any:
            size = jax.lax.stop_gradient(jnp.max(jnp.abs(start)))
            absolute = self.tolerance * jnp.where(size > 0, jnp.minimum(size, 1.0), 1.0)
            return diffrax.diffeqsolve(
                diffrax.ODETerm(slope),
                # Newton's method takes a fifth of the steps that diffrax's chord takes on stiff networks.
                diffrax.Kvaerno5(root_finder=diffrax.with_stepsize_controller_tols(optimistix.Newton)()),
                0.0,
                float(times[-1]),
                None,
                start,
                args=constants,
                saveat=diffrax.SaveAt(ts=jnp.asarray(times)),
                stepsize_controller=diffrax.PIDController(rtol=self.tolerance, atol=absolute),
                adjoint=diffrax.ForwardMode(),
                max_steps=MOST_STEPS,
                throw=False,
            ).ys

        constants, starts = self._starts(self._values(parameters))
        if times[-1] == 0:
            return jnp.repeat(starts[:, None], len(times), axis=1)
        return jax.vmap(solved)(constants, starts)

    def _outputs(self, parameters: Any, states: Any) -> tuple[Any, Any]:
        """T(h) and log s of each measurement, in the order of the table."""
        import jax.numpy as jnp

        plan, values = self._plan, self._values(parameters)
        constants, _ = self._starts(values)
        found, noises = [], []
        for group in plan.groups:
            own = {name: value[group.condition] for name, value in constants.items()}
            at = states[group.condition, group.times]
            time = jnp.asarray(plan.times[group.times])
            # The model's value of an identifier stands before the table's: a condition may have set it.
            here = {**values, **self.problem.model.everything(time, list(at.T), own)}
            h = evaluated(group.formula, here)
            noise = evaluated(group.noise, {**here, group.observable: h})
            whole = len(group.rows)
            found.append(jnp.broadcast_to(_TRANSFORMED[group.transformation](h), whole))
            noises.append(jnp.broadcast_to(jnp.log(jnp.asarray(noise, dtype=jnp.float64)), whole))
        return jnp.concatenate(found)[plan.order], jnp.concatenate(noises)[plan.order]


def likelihood(problem: PetabProblem, width: int = 8, tolerance: float = TOLERANCE) -> Likelihood:
    """The likelihood of a problem.

    Args:
        problem: whose.
        width: lanes that are evaluated at once.
        tolerance: of the solver's steps.

    Raises:
        UsageError: diffrax is not installed.
    """
    try:
        import diffrax  # noqa: F401  # pyright: ignore[reportUnusedImport]  to know early that it is there
    except ImportError:
        raise UsageError("simulating rate laws needs diffrax, which is not installed", remedy=EXTRA) from None
    return Likelihood(problem, width, tolerance)


def _of_jax(name: str) -> Any:
    def of(x: Any) -> Any:
        import jax.numpy as jnp

        return getattr(jnp, name)(x)

    return of


_TRANSFORMED = {"lin": lambda x: x, "log": _of_jax("log"), "log10": _of_jax("log10")}
_SCALED = _TRANSFORMED
_LINEAR = {"lin": lambda x: x, "log": _of_jax("exp"), "log10": lambda x: 10.0**x}
