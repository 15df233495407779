"""The labelled runs of a folder of the challenge, looked at once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probatum.problems.gas_chromatography.challenge_folder import Sample, check
from probatum.problems.gas_chromatography.observed_runs import PORTION, ObservedRuns, Progress, looked_at, observed
from probatum.problems.gas_chromatography.readers import read_run


@dataclass(frozen=True)
class ChallengePortion:
    """At most `PORTION` samples, each checked against its md5."""

    samples: tuple[Sample, ...]

    @property
    def key(self) -> str:
        return repr([(sample.md5, sample.derivatised, sample.families) for sample in self.samples])

    def look(self) -> ObservedRuns:
        parts = []
        for sample in self.samples:
            check(sample)
            known = None if sample.families is None else [np.array(sample.families)]
            parts.append(observed([read_run(sample.path)], known, [sample.derivatised]))
        return ObservedRuns.together(parts)


def observed_samples(samples: Sequence[Sample], progress: Progress | None = None) -> ObservedRuns:
    """What is kept of the runs of samples, from the cache as far as it is there.

    Args:
        samples: one or more, of a folder of the challenge.
        progress: told how many of how many runs are there.

    Raises:
        DataMissingError, DataError: a run that is missing, is not the one of its metadata, or cannot be read.
    """
    portions = [ChallengePortion(tuple(samples[i : i + PORTION])) for i in range(0, len(samples), PORTION)]
    return looked_at(portions, progress)
