"""How things are learned: the contract of a learner, the learners, and the metrics that judge them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from probatum.learning.learner import FitOutcome, LearnerKind, RowSet, fit_many, learner_kind

if TYPE_CHECKING:
    from probatum.learning.networks.attention_regressor import AttentionRegressor as AttentionRegressor
    from probatum.learning.networks.convolutional_regressor import ConvolutionalRegressor as ConvolutionalRegressor
    from probatum.learning.networks.mixture_of_experts_regressor import (
        MixtureOfExpertsRegressor as MixtureOfExpertsRegressor,
    )
    from probatum.learning.networks.mlp_regressor import MLPRegressor as MLPRegressor
    from probatum.learning.networks.residual_mlp_regressor import ResidualMLPRegressor as ResidualMLPRegressor
    from probatum.learning.networks.set_network_regressor import SetNetworkRegressor as SetNetworkRegressor

_HOMES = {
    "AttentionRegressor": "probatum.learning.networks.attention_regressor",
    "ConvolutionalRegressor": "probatum.learning.networks.convolutional_regressor",
    "MLPRegressor": "probatum.learning.networks.mlp_regressor",
    "MixtureOfExpertsRegressor": "probatum.learning.networks.mixture_of_experts_regressor",
    "ResidualMLPRegressor": "probatum.learning.networks.residual_mlp_regressor",
    "SetNetworkRegressor": "probatum.learning.networks.set_network_regressor",
}
__all__ = [
    "AttentionRegressor",
    "ConvolutionalRegressor",
    "FitOutcome",
    "LearnerKind",
    "MLPRegressor",
    "MixtureOfExpertsRegressor",
    "ResidualMLPRegressor",
    "RowSet",
    "SetNetworkRegressor",
    "fit_many",
    "learner_kind",
]


def __getattr__(name: str) -> Any:
    """Imports an estimator when it is first asked for, so that neither scikit-learn nor JAX load before."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'probatum.learning' has no attribute '{name}'")
