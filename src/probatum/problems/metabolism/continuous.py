"""The same metabolism in continuous time, by diffrax's solvers: what Euler's steps approximate.

Estimators by Euler's sums are exact for data of Euler's method; on data from here they have its discretisation error,
of the order of the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int, Real

from probatum.errors import DataError, UnknownNameError, UsageError
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.simulator import Course
from probatum.problems.metabolism.structure import Network

if TYPE_CHECKING:
    import jax

EXTRA = "pip install 'probatum[metabolism]'"
SOLVERS = ("Dopri5", "Tsit5", "Dopri8", "Kvaerno5")
"""Of diffrax: explicit ones of orders 5, 5 and 8, and an implicit one for stiff networks."""
MOST_STEPS = 1_000_000


def simulate_continuous(
    metabolism: Metabolism,
    start: Real[np.ndarray, " metabolite"],
    constants: Real[np.ndarray, " reaction"],
    frames: int,
    step: float,
    solver: str = "Tsit5",
    tolerance: float = 1e-9,
) -> Course:
    """A course in continuous time; nothing is clamped, as exact concentrations stay positive.

    Args:
        metabolism: what runs; its orders whole or not, concentrations positive.
        start: [metabolite] concentrations of the first frame.
        constants: k, [reaction].
        frames: how many, the first included.
        step: time of a frame; the solver chooses its own steps.
        solver: one of `SOLVERS`.
        tolerance: of a step's error, relative and absolute.

    Raises:
        UnknownNameError: for the solver.
        UsageError: diffrax is not installed.
        DataError: the course runs away, or takes too many steps.
    """
    if solver not in SOLVERS:
        raise UnknownNameError.of("solver", solver, SOLVERS)
    try:
        import diffrax  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UsageError("courses in continuous time need diffrax, which is not installed", remedy=EXTRA) from None
    import jax
    import jax.numpy as jnp

    network = metabolism.network
    rows, powers = _padded_orders(network)
    S = network.stoichiometry.tocoo()
    S_rows, S_columns = (np.asarray(x) for x in S.coords)

    def slope(_: Any, c: jax.Array, k: jax.Array) -> jax.Array:
        p = jnp.prod(jnp.append(c, 1.0)[rows] ** powers, axis=1)
        change = jax.ops.segment_sum(S.data * (k * p)[S_columns], S_rows, num_segments=len(network.metabolites))
        return change - metabolism.decay * (c - metabolism.level)

    with jax.enable_x64(True):
        times = jnp.arange(frames) * step
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(slope),
            getattr(diffrax, solver)(),
            0.0,
            float(times[-1]),
            step,
            jnp.asarray(start, dtype=jnp.float64),
            args=jnp.asarray(constants, dtype=jnp.float64),
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
            max_steps=MOST_STEPS,
            throw=False,
        )
        found = np.asarray(solution.ys)
    bad = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(bad):
        raise DataError(
            "the course runs away or takes too many steps",
            where=f"frame {bad[0] + 1}, time {bad[0] * step:g}",
            remedy="take smaller constants, a larger tolerance, or Kvaerno5 where the network is stiff",
        )
    return Course(metabolism, np.asarray(constants, dtype=np.float64), step, found, np.zeros(found.shape, dtype=bool))


def _padded_orders(network: Network) -> tuple[Int[np.ndarray, "reaction most"], Float[np.ndarray, "reaction most"]]:
    """Rows of what each reaction needs and their orders, both [reaction, most]; padded by one row past the last."""
    starts, n = network.orders.indptr, network.orders
    rows = np.full((len(network.reactions), max(int(np.diff(starts).max()), 1)), len(network.metabolites))
    powers = np.ones(rows.shape)
    for j in range(len(rows)):
        count = starts[j + 1] - starts[j]
        rows[j, :count], powers[j, :count] = n.indices[starts[j] : starts[j + 1]], n.data[starts[j] : starts[j + 1]]
    return rows, powers
