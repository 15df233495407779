"""`probatum gas-chromatography`: families of compounds in runs, their peaks, and what the challenge asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from probatum.problems.answer import Answer
from probatum.problems.gas_chromatography.challenge_commands import correlations, submit
from probatum.problems.gas_chromatography.peaks_command import peaks
from probatum.problems.gas_chromatography.predict_command import predict

COMMANDS: Mapping[str, Callable[..., Answer]] = {
    "predict": predict,
    "peaks": peaks,
    "submit": submit,
    "correlations": correlations,
}
