"""Neural networks, one architecture a module, and the estimators that train them."""

from probatum.learning.learner import LearnerKind

ENGINE = ("jax", "jaxlib", "equinox", "optax", "numpy")
"""Distributions whose versions can change the result of any network."""

NETWORKS: dict[str, LearnerKind] = {
    kind.name: kind
    for kind in (
        LearnerKind(
            "mlp",
            "multilayer perceptron; many trainings run as one compiled program",
            "probatum.learning.networks.mlp_regressor:MLPRegressor",
            ENGINE,
            precision="float32",
            version=3,
        ),
        LearnerKind(
            "residual_mlp",
            "pre-normalised residual perceptron; many trainings run as one compiled program",
            "probatum.learning.networks.residual_mlp_regressor:ResidualMLPRegressor",
            ENGINE,
            precision="float32",
            version=2,
        ),
        LearnerKind(
            "convolutional",
            "residual convolutions of curves and spectra; many trainings run as one compiled program",
            "probatum.learning.networks.convolutional_regressor:ConvolutionalRegressor",
            ENGINE,
            precision="float32",
            version=2,
        ),
        LearnerKind(
            "attention",
            "attention between the tokens of a set or a curve; many trainings run as one compiled program",
            "probatum.learning.networks.attention_regressor:AttentionRegressor",
            ENGINE,
            precision="float32",
        ),
        LearnerKind(
            "mixture_of_experts",
            "perceptrons that a gate weighs row by row; many trainings run as one compiled program",
            "probatum.learning.networks.mixture_of_experts_regressor:MixtureOfExpertsRegressor",
            ENGINE,
            precision="float32",
        ),
        LearnerKind(
            "set_network",
            "what does not depend on order and signs of a matrix's rows and columns; many trainings run as one program",
            "probatum.learning.networks.set_network_regressor:SetNetworkRegressor",
            ENGINE,
            precision="float32",
            version=2,
        ),
    )
}
