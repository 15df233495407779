"""Figures that the five logs state, each with its file and line. Nothing else of the logs is taken over."""

from __future__ import annotations

from dataclasses import dataclass

ROCKING = "rocking_curve_approach_comparison.txt"
CATECHOL = "catechol_loop_26_analysis.txt"
METABOLISM = "metabolism_experiment_log.txt"
CODES = "analog_codes_run_5.txt"
CHROMATOGRAPHY = "gas_chromatography_write_up.txt"


@dataclass(frozen=True)
class Quotation:
    """A figure of a log.

    Attributes:
        log: file of the log.
        line: in it, from 1.
        text: as it stands there.
    """

    log: str
    line: int
    text: str

    @property
    def value(self) -> float:
        """The figure as a number."""
        return float(self.text.replace("%", "").replace(",", "").replace("x", ""))

    def __str__(self) -> str:
        return self.text


QUOTED = {
    "rocking_gain": Quotation(ROCKING, 12, "38%"),
    "rocking_p": Quotation(ROCKING, 304, "p<0.001"),
    "rocking_rows": Quotation(ROCKING, 57, "1000"),
    "rocking_edge": Quotation(ROCKING, 58, "604"),
    "rocking_copied": Quotation(ROCKING, 59, "1604"),
    "rocking_train": Quotation(ROCKING, 60, "1283"),
    "rocking_validation": Quotation(ROCKING, 60, "321"),
    "rocking_validation_loss": Quotation(ROCKING, 66, "0.013334"),
    "rocking_training_loss": Quotation(ROCKING, 66, "0.017637"),
    "catechol_joint": Quotation(CATECHOL, 5, "0.008689"),
    "catechol_separate": Quotation(CATECHOL, 5, "0.009068"),
    "catechol_worse": Quotation(CATECHOL, 5, "4.36%"),
    "catechol_target": Quotation(CATECHOL, 40, "0.01727"),
    "catechol_sm_estimate": Quotation(CATECHOL, 93, "~0.012 (est)"),
    "catechol_sm": Quotation(CATECHOL, 10, "0.014034"),
    "catechol_p2_estimate": Quotation(CATECHOL, 91, "~0.006 (est)"),
    "catechol_p3_estimate": Quotation(CATECHOL, 92, "~0.008 (est)"),
    "catechol_hidden": Quotation(CATECHOL, 12, "[64,32]"),
    "metabolism_r2": Quotation(METABOLISM, 42, "0.0443"),
    "metabolism_trimmed": Quotation(METABOLISM, 42, "0.9234"),
    "metabolism_outliers": Quotation(METABOLISM, 42, "43"),
    "metabolism_test": Quotation(METABOLISM, 42, "-766043.33"),
    "metabolism_high_rate": Quotation(METABOLISM, 53, "0.0268"),
    "metabolism_reactions": Quotation(METABOLISM, 8, "256"),
    "codes_weight": Quotation(CODES, 10, "5.0x"),
    "codes_worse": Quotation(CODES, 7, "60-70%"),
    "codes_easy_before": Quotation(CODES, 213, "0.103043"),
    "codes_easy_after": Quotation(CODES, 213, "0.167000"),
    "codes_easy_before_2": Quotation(CODES, 214, "0.096024"),
    "codes_easy_after_2": Quotation(CODES, 214, "0.152000"),
    "codes_expected": Quotation(CODES, 175, "0.30-0.35"),
    "codes_target": Quotation(CODES, 175, "0.374"),
    "codes_medium": Quotation(CODES, 173, "0.20-0.30"),
    "codes_hard": Quotation(CODES, 174, "0.80-1.20"),
    "codes_share": Quotation(CODES, 166, "15%"),
    "soup_trials": Quotation(CHROMATOGRAPHY, 53, "n_iter=40"),
    "soup_choice": Quotation(CHROMATOGRAPHY, 64, "s < max(scores)"),
    "soup_scored": Quotation(CHROMATOGRAPHY, 71, "_, val = train_model("),
    "soup_kept": Quotation(CHROMATOGRAPHY, 73, "val < best_score"),
    "soup_saved": Quotation(CHROMATOGRAPHY, 76, "np.save("),
    "soup_returned": Quotation(CHROMATOGRAPHY, 77, "return best_score"),
    "soup_size": Quotation(CHROMATOGRAPHY, 53, "n_soup=5"),
}
"""Name to figure, as the page uses them."""
