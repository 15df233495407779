"""How things are learned: the contract of a learner, the learners, and the metrics that judge them."""

from probatum.learning.learner import FitOutcome, LearnerKind, RowSet, fit_many, learner_kind

__all__ = ["FitOutcome", "LearnerKind", "RowSet", "fit_many", "learner_kind"]
