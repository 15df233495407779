"""What the audit finds, what it says of clean campaigns, and what it costs.

Recall: faults of every code, planted at random at the effect that the check states (`audit_faults`); found is what is
found under its own code, as an error or a warning where the check has any. False alarms: small real campaigns with
nothing wrong (`audit_campaigns`), run by Probatum in this process; one with any error or warning, of any code, counts.
The interval of their share is Wilson's, 95 % (Journal of the American Statistical Association 22, 209 (1927)).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from audit_campaigns import Planted, alarms, audit_of, clean_campaign, experiment, honest_table, in_process, written
from audit_faults import FAULTS, finding_of
from result import Row, benchmark
from threadpoolctl import threadpool_limits

from probatum.laboratory import Laboratory

BATTERY = Path(__file__).parents[1] / "tests" / "faults"
SEED = 31
PROCESSES = 2


@dataclass(frozen=True)
class Size:
    """How much is measured: faults a code, clean campaigns, experiments of the large campaign, and the battery."""

    faults: int
    clean: int
    experiments: int
    battery: bool


FULL, QUICK = Size(40, 600, 200, battery=True), Size(2, 10, 40, battery=False)


def measure(quick: bool) -> Iterator[Row]:
    """All rows; `quick` plants fewer faults, looks at fewer clean campaigns, and leaves the battery out."""
    size = QUICK if quick else FULL
    yield from planted(size)
    yield from near_duplicates()
    yield from large_campaign(size.experiments)
    if size.battery:
        yield battery()


# ---------------------------------------------------------------------- what is found


def planted(size: Size) -> Iterator[Row]:
    """Recall, together and by code, and the share of clean campaigns with an alarm."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), threadpool_limits, (1,)) as workers:
        faults = {code: workers.map(_is_found, [code] * size.faults, range(size.faults)) for code in FAULTS}
        clean = workers.map(_alarms, range(size.clean))
        recall = {code: float(np.mean(list(found))) for code, found in faults.items()}
        raised = [codes for codes in clean if codes]
    yield Row("recall", float(np.mean(list(recall.values()))), "", 0.95, "higher")
    yield from (Row(f"recall {code}", value, "", better="higher") for code, value in recall.items())
    yield Row("false_alarms", len(raised) / size.clean, "", 0.01)
    low, high = wilson(len(raised), size.clean)
    yield Row("false_alarms at least (Wilson, 95 %)", low, "")
    yield Row("false_alarms at most (Wilson, 95 %)", high, "")
    yield Row("clean_campaigns", size.clean, "", better="higher")
    counts = Counter(code for codes in raised for code in codes)
    yield from (Row(f"false_alarms of {code}", counts[code] / size.clean, "") for code in FAULTS)


def _is_found(code: str, number: int) -> bool:
    return finding_of(code, np.random.default_rng([SEED, int(code[2:]), number])) is not None


def _alarms(number: int) -> Sequence[str]:
    return sorted(set(alarms(audit_of(clean_campaign(np.random.default_rng([SEED, number]))))))


def wilson(count: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a share."""
    share = count / of
    center = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * np.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    return max(0.0, float(center - half)), min(1.0, float(center + half))


# ---------------------------------------------------------------------- what it costs

NEAR_DUPLICATES = """
import json, resource, time
import numpy as np
from probatum import audit
from probatum.audit.inspection import inspect

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

rng = np.random.default_rng(0)
x = rng.normal(size=(100_000, 64))
x[80_000:80_100] = x[:100] + 0.01 * rng.normal(size=(100, 64))
y = x[:, :1] + rng.normal(0, 0.3, (100_000, 1))
parts = x[:80_000], x[80_000:], y[:80_000], y[80_000:]
del x, y
before, started, worked = peak(), time.perf_counter(), time.process_time()
found = [f for f in audit.split(*parts).findings if f.code == "PB102"]
print(json.dumps({"seconds": time.perf_counter() - started, "processor": time.process_time() - worked,
                  "bytes": peak() - before, "rows": found[0].figures["rows"] if found else 0}))
"""


def near_duplicates() -> Iterable[Row]:
    """Seconds and extra memory of all checks of a split of 100,000 x 64, and how many of 100 noisy copies are found."""
    said = subprocess.run([sys.executable, "-c", NEAR_DUPLICATES], check=True, capture_output=True, text=True).stdout
    found = json.loads(said)
    yield Row("near_duplicates_seconds", found["seconds"], "s", 20.0)
    yield Row("near_duplicates_processor_seconds", found["processor"], "s")
    yield Row("near_duplicates_gigabytes", found["bytes"] / 1e9, "GB", 2.0)
    yield Row("near_duplicates_found of 100", found["rows"], "rows", better="higher")


def large_campaign(experiments: int) -> Iterable[Row]:
    """Seconds from opening a finished campaign to its findings, the first time and again; 10 fits an experiment."""
    generator = np.random.default_rng(SEED)
    arms = (experiment(f"ridge {i}", f'{{ kind = "ridge", alpha = {1 + i / 10} }}') for i in range(experiments))
    campaign = Planted(honest_table(generator, 120, 5), "".join(arms))
    with tempfile.TemporaryDirectory() as folder:
        with in_process():
            written(Path(folder), campaign).run()
        for when in ("", "_again"):
            started = time.perf_counter()
            laboratory = Laboratory.open(Path(folder) / "campaign.toml")
            found = laboratory.audit(laboratory.results())
            seconds = time.perf_counter() - started
            assert found.checked
            yield Row(f"audit_{experiments}_experiments_seconds{when}", seconds, "s", 5.0 if not when else None)


def battery() -> Row:
    """Seconds of the battery: one small campaign for every fault, and its clean twin."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pytest", "-q", str(BATTERY)], check=True, stdout=subprocess.DEVNULL)
    return Row("battery_seconds", time.perf_counter() - started, "s", 300.0)


if __name__ == "__main__":
    benchmark("audit", lambda quick: list(measure(quick)), ["probatum", "numpy", "scipy", "scikit-learn"])
