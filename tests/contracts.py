"""Which functions check in tests what they take and return against their annotations, shapes of arrays among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

EVIDENCE = (
    "aggregates", "calibration", "cells", "effects", "group_mean", "hold_out", "judges", "many_problems", "noise",
    "rank_tests", "resampling", "row_table", "scores", "selection", "training_variance",
)  # fmt: skip
LEARNING = (
    "augmentation", "averaging", "blends", "conformal", "curriculum", "ensembles", "heads", "label_correlation",
    "metrics", "noise", "probes", "scaling", "schedules", "soups", "validation",
)  # fmt: skip
AUDIT = (
    "columns", "contradictions", "data", "domain", "heaps", "history", "identifiability", "labels", "learning_curves",
    "nearness", "physics", "retraining", "rows", "tables",
)  # fmt: skip
CATECHOL = (
    "calibration", "chemist", "data", "features", "imputation", "kinetic_fit", "kinetics", "learners", "queries",
    "rate_regression", "solvents", "symmetries", "yield_model",
)  # fmt: skip
ANALOG_CODES = (
    "brackets", "code_labels", "code_search", "constructions", "design", "evolution_strategy", "exact_heights",
    "features", "generate", "generators", "height_tables", "heights", "long_codes", "matrix_file", "shards",
    "symmetric_codes", "tableaux", "training_stream", "truncated_search", "vertex_search", "witnesses",
)  # fmt: skip
GAS_CHROMATOGRAPHY = (
    "andi", "background", "calibration", "challenge_csv", "challenge_folder", "emg", "families", "family_model",
    "features", "jcamp_dx", "label_correlations", "mzml", "observed_runs", "peaks", "prediction", "retention", "run",
    "samples", "simulated_folder", "simulated_runs", "simulator", "spectra", "submission", "written_soup",
)  # fmt: skip
METABOLISM = (
    "activity", "agreement", "arrow", "cases", "course_problem", "diagnostics", "estimate",
    "fisher_scoring", "forward_differences", "grouping", "identifiability", "integral_form", "kinetics", "learned",
    "likelihood", "likelihood_plan", "multiple_shooting", "natural_splines", "petab_problem", "profile_likelihood",
    "rate_constants", "rate_law", "reaction_model", "regression", "simulator", "standard_errors", "structure",
    "time_course", "trajectory", "variable_projection", "weak_form",
)  # fmt: skip
ROCKING_CURVE = (
    "crystals", "curve_fit", "features", "first_look", "inversion", "kernel", "measurement", "observation", "physics",
    "posterior", "prior", "profile", "readers", "refinement", "residuals", "simulation", "spline_fit", "spline_model",
    "splines", "starts", "two_part_model",
)  # fmt: skip
FOLDERS = {
    "evidence": EVIDENCE, "learning": LEARNING, "audit": AUDIT,
    "problems.catechol": CATECHOL, "problems.analog_codes": ANALOG_CODES,
    "problems.gas_chromatography": GAS_CHROMATOGRAPHY, "problems.metabolism": METABOLISM,
    "problems.rocking_curve": ROCKING_CURVE,
}  # fmt: skip
CHECKED = tuple(f"probatum.{folder}.{name}" for folder, names in FOLDERS.items() for name in names)
"""Modules that arrays pass through; `PROBATUM_UNCHECKED=1` lets tests run without the checks.
None that numba compiles: it would compile the check in place of the function. None with names that only type checkers
import: annotations have to be read while they run. None that is called for every row (`audit.content`), and none that
refuses wrong arguments itself, which its tests give it (`audit.partitions`)."""


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its checks; an int counts as a float, as for type checkers."""
    return beartype(function, conf=BeartypeConf(is_pep484_tower=True))
