"""How long case A's program takes to be ready: in a process that has an empty cache, and in the next one.

Tracing (Python to XLA's language) happens in every process and is shown apart; compiling is what the cache on the disk
saves. The program is the training of a chunk of perceptrons [32, 16] on 800 x 50 -> 3, batch 64, 200 epochs.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from result import Row, benchmark

PROCESS = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
import jax, numpy as np
from replicas import BATCH, DECAY, EPOCHS, RATE, SIZES, regression
from probatum.learning import RowSet, learner_kind, replicas

seconds = {"ready": 0.0, "compile": 0.0}

def timed(kind, function):
    def call(*arguments):
        started = time.perf_counter()
        result = function(*arguments)
        seconds[kind] += time.perf_counter() - started
        return result
    return call

x, y, group = regression(800, SIZES[0])
jax.block_until_ready(jax.numpy.zeros(1) + 1)  # the backend's own start
jax.stages.Lowered.compile = timed("compile", jax.stages.Lowered.compile)
replicas.compiled = timed("ready", replicas.compiled)
kind = learner_kind("mlp")
numbers = dict(epochs=EPOCHS, batch=BATCH, optimiser="adamw", rate=RATE, weight_decay=DECAY)
estimator = kind.build(dict(hidden=SIZES[1:-1], norm="none", **numbers), 0)
rows = RowSet(np.flatnonzero(group != 0), np.flatnonzero(group == 0), 0)
(outcome,) = kind.estimator_class().fit_many([estimator], x, y, [rows])
assert outcome.error is None, outcome.error
print(json.dumps({"compile": seconds["compile"], "trace": seconds["ready"] - seconds["compile"]}))
"""


def measure(quick: bool) -> list[Row]:
    """Seconds of the first process and, as a median, of those after it."""
    with tempfile.TemporaryDirectory() as cache:
        first = _process(cache)
        later = [_process(cache) for _ in range(3 if quick else 7)]
    return [
        Row("first_process_compile_s", first["compile"], "s"),
        Row("second_process_compile_s", statistics.median(one["compile"] for one in later), "s", 0.1),
        Row("first_process_trace_s", first["trace"], "s"),
        Row("second_process_trace_s", statistics.median(one["trace"] for one in later), "s"),
    ]


def _process(cache: str) -> dict[str, float]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    variables["XDG_CACHE_HOME"] = cache
    command = [sys.executable, "-c", PROCESS, str(Path(__file__).parent)]
    done = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    benchmark("compilation", measure, ["probatum", "jax", "jaxlib", "numpy"])
