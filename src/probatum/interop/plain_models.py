"""Trained models as plain arrays or texts, and what they predict: no code is stored, and nothing is ever unpickled.

| model | kept as |
|---|---|
| mean | its constant |
| ridge | means, scales, coefficients, intercept |
| random_forest, extra_trees | the nodes of its trees |
| lightgbm | LightGBM's own text |
| xgboost | XGBoost's own JSON |
| networks, gaussian_process | the arrays that their learners keep (`restore`) |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from probatum.campaigns.recipe import Recipe
from probatum.errors import DataError

Arrays = Mapping[str, np.ndarray]


class PlainModel(ABC):
    """A trained model that predicts from arrays alone.

    Attributes:
        arrays: what it is made of; a text is an array of its bytes.
    """

    def __init__(self, arrays: Arrays):
        self.arrays = arrays

    @abstractmethod
    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """[case, quantity] float64 for inputs [case, column] float64."""


class Constant(PlainModel):
    """The mean of the training targets: `value` [quantity]."""

    @classmethod
    def of(cls, estimator: Any) -> Constant:
        return cls({"value": np.ravel(estimator.constant_)})

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        return np.tile(self.arrays["value"], (len(inputs), 1))


class Linear(PlainModel):
    """y = ((x - mean) / scale) coef + intercept; with products of every two standardised inputs, scaled once more."""

    @classmethod
    def of(cls, estimator: Any) -> Linear:
        steps = [step for _, step in estimator.pipeline_.steps]
        arrays = {"mean": steps[0].mean_, "scale": steps[0].scale_}
        if len(steps) > 2:
            arrays |= {"product_mean": steps[2].mean_, "product_scale": steps[2].scale_}
        ridge = steps[-1]
        coefficients = np.atleast_2d(ridge.coef_).T
        return cls(
            arrays | {"coef": coefficients, "intercept": np.broadcast_to(ridge.intercept_, coefficients.shape[1])}
        )

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        a = self.arrays
        x = (inputs - a["mean"]) / a["scale"]
        if "product_mean" in a:
            pairs = [x[:, i] * x[:, j] for i, j in combinations(range(x.shape[1]), 2)]
            x = (np.column_stack([x, *pairs]) - a["product_mean"]) / a["product_scale"]
        return x @ a["coef"] + a["intercept"]


class Forest(PlainModel):
    """Trees of scikit-learn: nodes of all trees one after the other, `starts` [tree + 1] where each begins.

    A case goes left where its input, rounded to float32, is not above the threshold; the trees' leaves are averaged.
    """

    @classmethod
    def of(cls, estimator: Any) -> Forest:
        trees = [tree.tree_ for tree in estimator.estimators_]
        arrays = {
            "starts": np.cumsum([0, *(t.node_count for t in trees)]),
            "left": np.concatenate([t.children_left for t in trees]).astype(np.int32),
            "right": np.concatenate([t.children_right for t in trees]).astype(np.int32),
            "feature": np.concatenate([t.feature for t in trees]).astype(np.int32),
            "threshold": np.concatenate([t.threshold for t in trees]),
            "value": np.concatenate([t.value[:, :, 0] for t in trees]),
        }
        return cls(arrays)

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        a, x = self.arrays, inputs.astype(np.float32).astype(np.float64)
        found = np.zeros((len(x), a["value"].shape[1]))
        rows = np.arange(len(x))
        starts = a["starts"]
        for start, end in pairwise(starts):
            left, right, feature = (a[name][start:end] for name in ("left", "right", "feature"))
            at = np.zeros(len(x), dtype=np.int64)
            while len(inner := np.flatnonzero(left[at] >= 0)):
                nodes = at[inner]
                goes_left = x[rows[inner], feature[nodes]] <= a["threshold"][start:end][nodes]
                at[inner] = np.where(goes_left, left[nodes], right[nodes])
            found += a["value"][start:end][at]
        return found / (len(starts) - 1)


class LightGBM(PlainModel):
    """LightGBM's own text, one quantity."""

    @classmethod
    def of(cls, estimator: Any) -> LightGBM:
        return cls({"text": _as_bytes(estimator.booster_.model_to_string().encode())})

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        import lightgbm

        booster = lightgbm.Booster(model_str=_from_bytes(self.arrays["text"]).decode())
        return np.asarray(booster.predict(inputs), dtype=np.float64).reshape(len(inputs), -1)


class XGBoost(PlainModel):
    """XGBoost's own JSON, one quantity."""

    @classmethod
    def of(cls, estimator: Any) -> XGBoost:
        return cls({"json": _as_bytes(bytes(estimator.get_booster().save_raw("json")))})

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        try:
            import xgboost
        except ImportError:
            remedy = "pip install 'probatum[xgboost]'"
            raise DataError("a model of XGBoost, which is not installed", remedy=remedy) from None
        booster = xgboost.Booster()
        booster.load_model(bytearray(_from_bytes(self.arrays["json"])))
        return np.asarray(booster.inplace_predict(inputs), dtype=np.float64).reshape(len(inputs), -1)


class Restored(PlainModel):
    """A learner of this program that builds itself again from its arrays.

    Args:
        arrays: as its training kept them.
        recipe: that it was trained by.
        seed: of the member.
    """

    def __init__(self, arrays: Arrays, recipe: Recipe, seed: int):
        super().__init__(arrays)
        self.estimator = recipe.learner.build(recipe.parameters, seed).restore(arrays)

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        return np.asarray(self.estimator.predict(inputs), dtype=np.float64).reshape(len(inputs), -1)


FORMS: Mapping[str, type[Constant] | type[Linear] | type[Forest] | type[LightGBM] | type[XGBoost]] = {
    "mean": Constant,
    "ridge": Linear,
    "random_forest": Forest,
    "extra_trees": Forest,
    "lightgbm": LightGBM,
    "xgboost": XGBoost,
}
"""`model.kind` to its plain form; learners with `restore` have their own."""


def can_be_kept(recipe: Recipe) -> bool:
    """Whether a recipe's model can be stored as arrays or texts; a blend can where all its components can."""
    if recipe.is_blend:
        return all(can_be_kept(component) for component in recipe.components)
    return recipe.kind in FORMS or hasattr(recipe.learner.estimator_class(), "restore")


def require_own_code(recipe: Recipe) -> None:
    """Refuses a recipe whose model would have to be imported from elsewhere, before anything is imported.

    Args:
        recipe: of a bundle that a stranger may have made.

    Raises:
        DataError: naming the model.
    """
    for component in recipe.components:
        require_own_code(component)
    if ":" in recipe.kind and not recipe.kind.startswith("probatum."):
        raise DataError(
            f"model '{recipe.kind}' is code that is not this program's", remedy="take no bundle of strangers"
        )


def plain_model(recipe: Recipe, seed: int) -> Callable[[Arrays], PlainModel]:
    """From arrays to a model.

    Args:
        recipe: that it was trained by.
        seed: of the member.

    Raises:
        DataError: a model that cannot be kept so, or code that is not this program's.
    """
    if recipe.kind in FORMS:
        return FORMS[recipe.kind]
    require_own_code(recipe)
    if not can_be_kept(recipe):
        raise DataError(f"model '{recipe.kind}' cannot be kept as arrays")
    return lambda arrays: Restored(arrays, recipe, seed)


def _as_bytes(text: bytes) -> np.ndarray:
    return np.frombuffer(text, dtype=np.uint8)


def _from_bytes(array: np.ndarray) -> bytes:
    return array.astype(np.uint8).tobytes()
