"""Pictures of campaigns: values in, a figure out. `probatum.pictures` writes it, `inline_svg` puts it into a page."""

from probatum.reporting.figures.calibration import calibration_figure
from probatum.reporting.figures.forest import effects_figure, verdicts_figure
from probatum.reporting.figures.group_map import comparison_figure, group_map_figure
from probatum.reporting.figures.learning_curves import learning_curves_figure, sparkline
from probatum.reporting.figures.predictions import Panel, residuals_figure, scatter_figure
from probatum.reporting.figures.reliability import are_probabilities, reliability_figure
from probatum.reporting.figures.trajectory import trajectory_figure
from probatum.reporting.figures.tree import tree_figure

__all__ = [
    "Panel",
    "are_probabilities",
    "calibration_figure",
    "comparison_figure",
    "effects_figure",
    "group_map_figure",
    "learning_curves_figure",
    "reliability_figure",
    "residuals_figure",
    "scatter_figure",
    "sparkline",
    "trajectory_figure",
    "tree_figure",
    "verdicts_figure",
]
