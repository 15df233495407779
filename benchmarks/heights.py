"""Exact heights of analog codes: matrices a second on one core, against linear programs, sign vectors and numpy.

Both sides run in this process, one after the other, on the same matrices. The peers are timed on few matrices; rates
are those of the fastest of several runs, as other work on the machine only slows a run down. Needs the extra 'bench'.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

import numpy as np
from peers import literal_theorem
from peers.height_peers import by_minors, by_sign_vectors, by_warm_highs
from result import Row, benchmark
from scipy.optimize import linprog

from probatum.problems.analog_codes.generate import random_codes
from probatum.problems.analog_codes.heights import height_profile, height_profiles, heights_of
from probatum.problems.analog_codes.problem import STANDARD_GROUPS

CODES = 8_000
RATES = {4: 2e6, 5: 3e6, 6: 7e6}
"""Whole profiles a second and core at n = 9 that each dimension should reach."""
AGREEMENT = 1e-9


def measure(quick: bool) -> list[Row]:
    """Rates, ratios and disagreements."""
    found = [_whole_profile(k, target) for k, target in RATES.items()]
    rates = {k: row.value for k, row in zip(RATES, found, strict=True)}
    for k in RATES:
        found += _against_peers(k, rates[k], quick)
    for k, m in STANDARD_GROUPS if not quick else ((4, 2), (4, 5), (5, 4), (6, 3)):
        codes = random_codes("uniform", 9, k, 0, CODES)
        some = codes[:1000]
        ours = len(codes) / fastest(lambda c=codes, m=m: heights_of(c, m), 100)
        theirs = len(some) / fastest(lambda c=some, m=m: by_minors(c, m), 3)
        found.append(Row(f"h_{m} alone, k = {k}, matrices a second", ours, "1/s"))
        found.append(Row(f"h_{m} alone, k = {k}, times faster than numpy", ours / theirs, "", 60.0, "higher"))
    codes = random_codes("uniform", 9, 4, 0, 5 * CODES)
    two = len(codes) / fastest(lambda: height_profiles(codes, threads=2), 5)
    found.append(Row("whole profile, k = 4, matrices a second, two threads", two, "1/s"))
    for n in (16, 20, 24):
        P = random_codes("uniform", n, n // 2, 0, 1)[0]
        G = np.hstack([np.eye(n // 2), P])
        seconds = fastest(lambda G=G: height_profile(G, threads=2), 3 if quick else 10)
        found.append(Row(f"[{n}, {n // 2}] whole profile, two threads", seconds, "s", 0.2 if n == 24 else None))
    return found + _against_the_literal_theorem(5 if quick else 200) + ([] if quick else _against_its_package())


def _against_the_literal_theorem(count: int) -> list[Row]:
    """All linear programs of Jiang's theorem: random matrices, and small integers with repeated and singular minors."""
    found = []
    for k, m in STANDARD_GROUPS:
        real = random_codes("uniform", 9, k, 0, count)
        whole = np.random.default_rng(k).integers(-3, 4, (count, k, 9 - k)).astype(np.float64)
        worst, different = 0.0, 0
        for codes in (real, whole):
            ours = heights_of(codes, m)
            theirs = np.array([literal_theorem.height(P, m) for P in codes])
            finite = np.isfinite(ours)
            different += int((finite != np.isfinite(theirs)).sum())
            worst = max(worst, float(np.abs(theirs[finite] / ours[finite] - 1).max(initial=0.0)))
        name = f"h_{m}, k = {k}, all linear programs of {2 * count} matrices"
        found += [
            Row(f"{name}: disagreement", worst, "", AGREEMENT),
            Row(f"{name}: other infinities", different, "", 0),
        ]
    return [*found, _against_highs(200)]


def _against_highs(count: int) -> Row:
    """Whether the solver of these programs finds what HiGHS does: random programs of random groups."""
    generator, worst = np.random.default_rng(0), 0.0
    for i in range(count):
        k, m = STANDARD_GROUPS[i % len(STANDARD_GROUPS)]
        P = random_codes("uniform", 9, k, i, i + 1)[0]
        G = np.hstack([np.eye(k), P / np.abs(P).max()])
        a, b, *X = generator.permutation(9)[: m + 1]
        signs = generator.choice([-1.0, 1.0], m)
        A, c = literal_theorem.constraints(G, a, b, np.array(X), signs)
        ours = literal_theorem.optimum(signs[0] * G[:, a], A, c, G[:, b])
        by_highs = linprog(-signs[0] * G[:, a], A, c, G[:, b][None], [1.0], bounds=(None, None))
        theirs = -by_highs.fun if by_highs.status == 0 else -np.inf
        worst = max(worst, 0.0 if ours == theirs else float(abs(ours / theirs - 1)))
    return Row(f"the solver of these programs against HiGHS in {count}", worst, "", AGREEMENT)


def _against_its_package() -> list[Row]:
    """The same as analog-ecc-heights computes it, with an interpreter's loop around a general solver."""
    if not importlib.util.find_spec("analog_ecc_heights"):
        return []
    from analog_ecc_heights import h_m_jiang_original_lp

    codes = random_codes("uniform", 9, 6, 0, 3)
    theirs = [h_m_jiang_original_lp(np.hstack([np.eye(6), P]), 2) for P in codes]
    worst = float(np.abs(np.array(theirs) / heights_of(codes, 2) - 1).max())
    return [
        Row(f"h_2, k = 6, Jiang's theorem by analog-ecc-heights: disagreement in {len(codes)}", worst, "", AGREEMENT)
    ]


def _whole_profile(k: int, target: float) -> Row:
    codes = random_codes("uniform", 9, k, 0, CODES)
    rate = len(codes) / fastest(lambda: height_profiles(codes), 200)
    return Row(f"whole profile, k = {k}, matrices a second", rate, "1/s", target, "higher")


def _against_peers(k: int, rate: float, quick: bool) -> list[Row]:
    codes = random_codes("uniform", 9, k, 0, 200)
    heights = height_profiles(codes)
    peers: list[tuple[str, Callable[[np.ndarray], np.ndarray], float, int]] = [
        ("numpy sign vectors", by_sign_vectors, 500.0, 50 if quick else 200)
    ]
    if importlib.util.find_spec("highspy"):
        peers.append(("warm HiGHS", by_warm_highs, 10_000.0, 3 if quick else 20))
    if importlib.util.find_spec("analog_ecc_heights"):
        from analog_ecc_heights import h_m_roth_primal_combinatorial

        def package(P: np.ndarray) -> np.ndarray:
            return np.asarray(h_m_roth_primal_combinatorial(np.hstack([np.eye(len(P)), P])))

        peers.append(("analog-ecc-heights", package, 100_000.0, 10 if quick else 200))
    found = []
    for name, peer, target, count in peers:
        taken, worst = [], 0.0
        for P, ours in zip(codes[:count], heights, strict=False):
            started = time.perf_counter()
            theirs = peer(P)
            taken.append(time.perf_counter() - started)
            worst = max(worst, float(np.abs(theirs / ours - 1).max()))
        # The fastest of a run of equal work is the one that nothing else interrupted.
        found.append(Row(f"k = {k}, times faster than {name}", rate * min(taken), "", target, "higher"))
        found.append(Row(f"k = {k}, {name}: disagreement in {count}", worst, "", AGREEMENT))
    return found


def fastest(do: Callable[[], object], times: int) -> float:
    """Shortest wall time, after one call that is not counted."""
    do()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        do()
        taken.append(time.perf_counter() - started)
    return min(taken)


if __name__ == "__main__":
    benchmark("heights", measure, ["probatum", "numpy", "scipy", "numba"])
