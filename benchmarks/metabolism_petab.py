"""The Boehm problem from its PEtab files: likelihood, multistart, profiles, as the command fits it.

Real measurements from PROBATUM_DATA, or ../shared/data. Seconds are CPU time of this process, compilation
included: reading, 48 starts, observed information, nine profiles. Wall-clock time stands beside them; on a quiet core
the two are the same. --quick takes twelve starts and the profiles of the two parameters at bounds.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from result import Row, benchmark

from probatum.problems.metabolism.likelihood import likelihood
from probatum.problems.metabolism.likelihood_profiles import likelihood_profiles
from probatum.problems.metabolism.multistart import STARTS, multistart
from probatum.problems.metabolism.petab_reading import read_petab

REFERENCE = -138.222
"""Log-likelihood at the nominal parameters, as the benchmark collection states it."""
UNIDENTIFIABLE = {"k_exp_hetero", "k_imp_homo"}
LANES = 8


def measure(quick: bool) -> list[Row]:
    """All rows."""
    name = "Boehm_JProteomeRes2014"
    data = Path(os.environ.get("PROBATUM_DATA", Path(__file__).parents[2] / "shared" / "data"))
    started, on_the_wall = time.process_time(), time.perf_counter()
    problem = read_petab(data / "metabolism" / name / f"{name}.yaml")
    of = likelihood(problem, LANES)
    nominal = of.log_likelihood(problem.nominal)
    compiled = time.process_time() - started
    found = multistart(of, 12 if quick else STARTS, seed=2)
    fitted, wall = time.process_time() - started, time.perf_counter() - on_the_wall
    profiles = likelihood_profiles(of, found, 0.95, sorted(UNIDENTIFIABLE) if quick else None)
    profiled = time.process_time() - started
    marked = {one.id for one in profiles if not one.identifiable}
    at_bounds = {one.id for one, bound in zip(problem.estimated, found.at_bound, strict=True) if bound}
    starts = len(found.ends)
    return [
        Row("log-likelihood at nominal, off the reference", abs(nominal - REFERENCE), "", 5e-4),
        Row("log-likelihood by multistart", found.log_likelihood, "", -138.23, "higher"),
        Row("starts that reach it, of all", 100 * found.found_again / starts, "%"),
        Row("evaluations a start, median", float(np.median([end.evaluations for end in found.ends])), ""),
        Row("reading, compiling, one evaluation: seconds", compiled, "s"),
        Row("multistart, compilation included: seconds", fitted, "s", 60.0),
        Row("multistart, compilation included: wall clock", wall, "s"),
        Row("with profiles: seconds", profiled, "s"),
        Row("unidentifiable parameters marked, of two", float(len(marked & UNIDENTIFIABLE)), "", 2.0, "higher"),
        Row("others marked", float(len(marked - UNIDENTIFIABLE)), "", 0.0),
        Row("parameters at a bound", float(len(at_bounds)), ""),
    ]


if __name__ == "__main__":
    benchmark("metabolism_petab", measure, ("diffrax", "jax", "numpy", "python-libsbml", "scipy"))
