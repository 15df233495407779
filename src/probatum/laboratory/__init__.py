"""The loop: a round of experiments is run, scored, judged against the baseline and audited."""

from probatum.laboratory.champion import Champion as Champion
from probatum.laboratory.loop import Laboratory as Laboratory
from probatum.laboratory.results import Results as Results

__all__ = ["Champion", "Laboratory", "Results"]
