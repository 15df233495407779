"""What is trained: features, model, training, ensemble; or a blend of components.

A recipe is complete in itself: components stand in it as recipes, not as names, so that its digest says everything
that the training depends on but the data, the split and the seed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from probatum.errors import CampaignFileError, ProbatumError, UnknownNameError
from probatum.learning.choices import check_number, check_numbers
from probatum.learning.learner import LearnerKind, learner_kind, takes_columns
from probatum.problems.problem import Problem

BLEND = "blend"
BLEND_PARAMETERS = ("weights", "inner_folds", "alpha", "spread")
CHOSEN_INSIDE = ("inner", "stack")
"""Weights of a blend that are learned from predictions for inner splits of the training fold."""


def _text_as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Ensemble(BaseModel):
    """Members of one fit, trained from different starts, whose predictions become one; where they are several, the fit
    has a predictive spread (`probatum.learning.ensembles.mixture`). With `subspace` each member sees its own share of
    the columns, drawn by its seed (T. K. Ho, IEEE Transactions on Pattern Analysis and Machine Intelligence 20 (1998)
    832)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    members: int = Field(default=1, ge=1, le=1000, description="trainings averaged in one fit")
    combine: Literal["mean", "logit_mean"] = Field(
        default="mean", description="how predictions become one; 'logit_mean' averages the log-odds of probabilities"
    )
    subspace: float | None = Field(
        default=None, gt=0, lt=1, description="share of the columns that a member sees; none: it sees all"
    )
    always: Annotated[tuple[str, ...], BeforeValidator(_text_as_list)] = Field(
        default=(), description="features that every member sees whole, apart from that share"
    )

    @model_serializer(mode="wrap")
    def _without_defaults_added_later(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what older recipes do not have, so that their digests stay what they are."""
        values = serialise(self)
        for name, default in (("combine", "mean"), ("subspace", None), ("always", ())):
            if getattr(self, name) == default:
                values.pop(name, None)
        return values


class Recipe(BaseModel):
    """What is trained.

    Attributes:
        features: blocks of inputs by name; empty: the problem's default features.
        model: `kind` and the learner's own parameters; for kind 'blend': `weights`, a list of fixed weights in the
            order of the components, 'equal', 'inner' (chosen inside the training fold) or 'stack' (a linear model
            learned there, drawn to the mean by `alpha`; `probatum.learning.ensembles.Stack`), and `inner_folds`; and
            `spread`, the numbers, from 0, of the components whose spread tells the noise (all that have one).
        training: parameters of the training (epochs, optimiser, rate, ...), passed to the learner with the model's.
        per_target: one model for each quantity instead of one for all; in a blend with weights = 'inner', weights for
            each quantity.
        ensemble: how many trainings are averaged in one fit, how, and which columns each sees.
        repeats: 'each', every measurement counts the same; 'as one', repeated measurements of one sample count together
            as one.
        group_weights: grouping to label to how much the rows of that group count in the loss; rows of labels that are
            not named count 1. Weights train; scores and validation rows know nothing of them.
        components: the recipes that a blend puts together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: Annotated[tuple[str, ...], BeforeValidator(_text_as_list)] = ()
    model: dict[str, Any] = Field(default_factory=lambda: {"kind": "ridge"})
    training: dict[str, Any] = Field(default_factory=dict)
    per_target: bool = False
    ensemble: Ensemble = Ensemble()
    repeats: Literal["each", "as one"] = "each"
    group_weights: dict[str, dict[str, float]] = Field(default_factory=dict)
    components: tuple[Recipe, ...] = ()

    @model_serializer(mode="wrap")
    def _without_defaults_added_later(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what older recipes do not have, so that their digests stay what they are."""
        values = serialise(self)
        if self.repeats == "each":
            values.pop("repeats", None)
        if not self.group_weights:
            values.pop("group_weights", None)
        return values

    @property
    def kind(self) -> str:
        """The name of the model."""
        return self.model["kind"]

    @property
    def is_blend(self) -> bool:
        return self.kind == BLEND

    @property
    def learner(self) -> LearnerKind:
        """The registered learner behind `model.kind`."""
        return learner_kind(self.kind)

    @property
    def installed(self) -> bool:
        """Whether the packages of its models are on this machine; of a model that nobody knows, True."""
        if self.is_blend:
            return all(component.installed for component in self.components)
        try:
            return self.learner.installed
        except UnknownNameError:
            return True

    @property
    def parameters(self) -> dict[str, Any]:
        """What the learner is built with: the model's and the training's parameters."""
        return {**{k: v for k, v in self.model.items() if k != "kind"}, **self.training}

    @property
    def deterministic(self) -> bool:
        """Whether the seed changes nothing, so that one seed is enough."""
        if self.is_blend:
            return all(component.deterministic for component in self.components)
        return self.ensemble.subspace is None and self.learner.deterministic(self.parameters)

    @property
    def chooses_inside(self) -> bool:
        """Whether fits need inner splits of their training fold."""
        return self.is_blend and self.model.get("weights", "equal") in CHOSEN_INSIDE

    @property
    def inner_folds(self) -> int:
        return int(self.model.get("inner_folds", 4))

    def canonical(self) -> dict[str, Any]:
        """The recipe as plain values, defaults filled in: what its digest is taken of."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """sha256 of the canonical form."""
        return hashlib.sha256(json.dumps(self.canonical(), sort_keys=True).encode()).hexdigest()

    def check(self, problem: Problem, *, where: str) -> None:
        """Refuses what the problem or the learner does not know.

        Args:
            problem: whose features the recipe may name.
            where: what an error message names as the place.

        Raises:
            UnknownNameError: a feature or model that nobody knows.
            CampaignFileError: parameters that cannot be.
        """
        for name in self.features:
            if name not in problem.features:
                raise UnknownNameError.of("feature", name, problem.features, where=where)
        if self.is_blend:
            self._check_blend(where)
            for component in self.components:
                component.check(problem, where=where)
            return
        if self.components:
            raise CampaignFileError("components without a blend", where=where, remedy="set model.kind = 'blend'")
        try:
            kind = self.learner
            kind.estimator_class()
        except (UnknownNameError, CampaignFileError) as error:
            raise type(error)(error.what, where=where, remedy=error.remedy) from None
        except Exception as error:  # the user's own module, which may fail in any way
            raise CampaignFileError(
                f"model '{self.kind}' cannot be imported: {type(error).__name__}: {error}", where=where
            ) from error
        both = self.model.keys() & self.training.keys()
        if both:
            raise CampaignFileError(f"'{min(both)}' stands under model and training", where=where, remedy="keep one")
        try:
            kind.check(self.parameters, where=where)
        except ProbatumError:
            raise
        except Exception as error:  # learners, those of somebody's own among them, do not check all that they are given
            raise CampaignFileError(f"model '{self.kind}' cannot be built: {error}", where=where) from error
        weighs = "group_weights" if self.group_weights else f"repeats = '{self.repeats}'"
        if (self.group_weights or self.repeats != "each") and not kind.weighs_rows:
            what = f"{weighs}: model '{self.kind}' takes no weights of rows"
            raise CampaignFileError(what, where=where, remedy="leave it out, or use another model")
        for grouping, weights in self.group_weights.items():
            for label, weight in weights.items():
                try:
                    check_number(f"group_weights.{grouping}.{label}", weight, least=0)
                except CampaignFileError as error:
                    raise CampaignFileError(error.what, where=where, remedy=error.remedy) from None
        self._check_subspace(kind, where)

    def _check_subspace(self, kind: LearnerKind, where: str) -> None:
        features = self.features
        for name in self.ensemble.always:
            if name not in features:
                raise UnknownNameError.of("feature of ensemble.always", name, features, where=where)
        if self.ensemble.subspace is None:
            if self.ensemble.always:
                what = "ensemble.always without a subspace"
                raise CampaignFileError(what, where=where, remedy="set ensemble.subspace, to 0.3 say")
        elif set(self.ensemble.always) >= set(features):
            what = "ensemble.always names every feature, so no column is left to draw from"
            raise CampaignFileError(what, where=where, remedy="remove one, or set no subspace")
        elif not takes_columns(kind.estimator_class()):
            what = f"model '{self.kind}' cannot be given a subspace of its columns"
            raise CampaignFileError(what, where=where, remedy="remove ensemble.subspace")

    def _check_blend(self, where: str) -> None:
        if len(self.components) < 2:
            raise CampaignFileError("a blend needs at least two components", where=where)
        for key in self.model:
            if key != "kind" and key not in BLEND_PARAMETERS:
                raise UnknownNameError.of("key of model 'blend'", key, BLEND_PARAMETERS, where=where)
        weighs_each = self.per_target and self.model.get("weights") == "inner"
        of_trainings = self.training or self.features or (self.per_target and not weighs_each)
        if of_trainings or self.ensemble != Ensemble() or self.repeats != "each" or self.group_weights:
            raise CampaignFileError(
                "a blend trains nothing itself",
                where=where,
                remedy="put features, training, per_target, ensemble, repeats and group_weights into its components",
            )
        spread = self.model.get("spread")
        known = range(len(self.components))
        if "spread" in self.model and not (
            isinstance(spread, list) and spread and all(type(n) is int and n in known for n in spread)
        ):
            what = f"spread = {spread!r}"
            raise CampaignFileError(what, where=where, remedy=f"a list of numbers of components, 0 to {known[-1]}")
        weights = self.model.get("weights", "equal")
        if "alpha" in self.model:
            if weights != "stack":
                raise CampaignFileError("alpha without a stack", where=where, remedy="set weights = 'stack'")
            try:
                check_number("alpha", self.model["alpha"], least=0)
            except CampaignFileError as error:
                raise CampaignFileError(error.what, where=where, remedy=error.remedy) from None
        if weights in ("equal", *CHOSEN_INSIDE):
            folds = self.model.get("inner_folds", 4)
            if not isinstance(folds, int) or folds < 2:
                raise CampaignFileError("inner_folds must be at least 2", where=where, remedy="a whole number")
            return
        if not (isinstance(weights, list) and len(weights) == len(self.components)):
            raise CampaignFileError(
                f"weights = {weights!r}", where=where, remedy="give one number a component, 'equal', 'inner' or 'stack'"
            )
        try:
            check_numbers("weights", weights, least=0, one_above=0)
        except CampaignFileError:
            raise CampaignFileError("weights must be numbers >= 0 with a positive sum", where=where) from None


def fill_features(recipe: Recipe, problem: Problem) -> Recipe:
    """The recipe with the problem's default features wherever it names none."""
    if recipe.is_blend:
        filled = tuple(fill_features(component, problem) for component in recipe.components)
        return recipe.model_copy(update={"components": filled})
    return recipe if recipe.features else recipe.model_copy(update={"features": tuple(problem.default_features)})


def flat(recipe: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A canonical recipe by dotted paths: {'model.dropout': 0.3, ...}; lists stay whole."""
    paths: dict[str, Any] = {}
    for key, value in recipe.items():
        if isinstance(value, Mapping):
            paths.update(flat(value, f"{prefix}{key}."))
        else:
            paths[f"{prefix}{key}"] = value
    return paths
