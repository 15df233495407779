"""Learners that are no networks, under the names that recipes use; nothing is imported until one is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probatum.learning.learner import LearnerKind


def _always(_: Mapping[str, Any]) -> bool:
    return True


def _same_for_every_seed(parameters: Mapping[str, Any]) -> bool:
    """LightGBM draws random numbers only where it samples rows or columns, or chooses thresholds at random."""
    rows = parameters.get("subsample", 1.0) < 1.0 and parameters.get("subsample_freq", 0) > 0
    columns = parameters.get("colsample_bytree", 1.0) < 1.0 or parameters.get("feature_fraction_bynode", 1.0) < 1.0
    random_by_kind = parameters.get("boosting_type", "gbdt") != "gbdt" or parameters.get("extra_trees", False)
    quantised = parameters.get("data_sample_strategy", "bagging") != "bagging"
    return not (rows or columns or random_by_kind or quantised)


def _draws_nothing(parameters: Mapping[str, Any]) -> bool:
    """XGBoost draws random numbers only where it samples rows or columns, or drops trees."""
    shares = ("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode")
    return all(parameters.get(s, 1.0) in (None, 1.0) for s in shares) and parameters.get("booster") != "dart"


def _searched_alike(parameters: Mapping[str, Any]) -> bool:
    """A Gaussian process draws its later starts, and the rows that it searches on where these are not all."""
    return parameters.get("restarts") == 0 and parameters.get("search_rows") is None


LIGHTGBM_BY_KEYWORD = (
    "cat_smooth",
    "data_sample_strategy",
    "extra_trees",
    "feature_fraction_bynode",
    "linear_lambda",
    "linear_tree",
    "max_bin",
    "max_delta_step",
    "min_data_in_bin",
    "monotone_constraints",
    "path_smooth",
)
"""Parameters that LightGBM takes as free keywords, so its signature does not list them."""

CLASSICAL: dict[str, LearnerKind] = {
    kind.name: kind
    for kind in (
        LearnerKind(
            "mean",
            "the mean of the training targets, whatever the inputs",
            "sklearn.dummy:DummyRegressor",
            ("scikit-learn", "numpy"),
            deterministic=_always,
        ),
        LearnerKind(
            "ridge",
            "linear regression on standardised inputs with an L2 penalty",
            "probatum.learning.ridge:ScaledRidge",
            ("scikit-learn", "numpy", "scipy"),
            deterministic=_always,
        ),
        LearnerKind(
            "random_forest",
            "mean of trees grown on bootstrap samples",
            "sklearn.ensemble:RandomForestRegressor",
            ("scikit-learn", "numpy"),
            defaults={"n_jobs": 1},
        ),
        LearnerKind(
            "extra_trees",
            "mean of trees with thresholds drawn at random",
            "sklearn.ensemble:ExtraTreesRegressor",
            ("scikit-learn", "numpy"),
            defaults={"n_jobs": 1},
        ),
        LearnerKind(
            "lightgbm",
            "gradient-boosted trees, one model a quantity",
            "lightgbm:LGBMRegressor",
            ("lightgbm", "scikit-learn", "numpy"),
            defaults={"n_jobs": 1, "verbose": -1, "deterministic": True, "force_row_wise": True},
            joint=False,
            deterministic=_same_for_every_seed,
            passes=LIGHTGBM_BY_KEYWORD,
        ),
        LearnerKind(
            "xgboost",
            "gradient-boosted trees of XGBoost, one model a quantity (pip install probatum[xgboost])",
            "xgboost:XGBRegressor",
            ("xgboost", "scikit-learn", "numpy"),
            defaults={"n_jobs": 1, "tree_method": "hist"},
            joint=False,
            deterministic=_draws_nothing,
        ),
        LearnerKind(
            "gaussian_process",
            "exact Gaussian process, kernels over blocks of columns; predicts a standard deviation too",
            "probatum.learning.gaussian_processes.estimator:GaussianProcess",
            ("tinygp", "jax", "jaxlib", "optax", "scipy", "numpy"),
            deterministic=_searched_alike,
        ),
    )
}
