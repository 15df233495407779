"""Tables of every kind: measurements, time courses, networks, matrices, tables of runs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuzz.reading import Reader, Sample, holds
from probatum.audit.importers import read_runs
from probatum.audit.tables import table as audited_table
from probatum.cli.audit import _read as audited_frame
from probatum.problems.analog_codes.matrix_file import read_matrix
from probatum.problems.metabolism.rate_constants import read_homeostasis, read_network
from probatum.problems.metabolism.time_course import read_time_course
from probatum.problems.problem import Dataset
from probatum.problems.table import Table
from probatum.problems.text_table import read

CSV = "temperature [K],solvent,batch,yield [%]\n300,water,a,12.5\n310,hexane,a,14\n320,water,b,-1e-3\n330,hexane,b,80\n"
SEMICOLONS = '\ufefftemperature;solvent;batch;yield [%]\r\n300;"water; hot";a;1\r\n310;hexane;b;2\r\n'
WIDE = "time [min],glucose [mM],pyruvate [uM]\n0,5.0,120\n1,4.0,\n2,3.5,200\n"
LONG = "time,metabolite,value,unit\n0,glucose,5.0,mM\n0,pyruvate,120,uM\n1,glucose,4,mM\n"
NETWORK = "metabolite,v1,v2\nA,-1,0\nB,1,-1\nC,0,2\n"
HOMEOSTASIS = "metabolite,decay,level\nA,0.1,1\nC,0.2,2\n"
RUNS = (
    "name,parent,score,metric,claim,baseline,config.rate,metrics.mae,curve.loss\n"
    "a,,0.5,mse,,true,0.1,0.4,1 0.5 nan\n"
    'b,a,~0.4 (est),mse,"better; much",,0.2,0.3,1 0.4 0.2\n'
)
LINES = (
    '{"name": "a", "score": 0.5, "config": {"rate": 0.1, "layers": [1, 2]}, "curves": {"loss": [1, null, 0.2]}}\n'
    '{"name": "b", "parent": "a", "score": 0.4, "claim": ["better"], "metrics": {"mae": 0.3}, "external": 0.6}\n'
)


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def open_table(path: Path) -> Dataset:
    """As a campaign does: the dataset, and every feature."""
    problem = Table(str(path), target="yield [%]", group="batch")
    dataset = problem.dataset("table")
    for feature in problem.features.values():
        feature.compute(dataset)
    return dataset


def has_finite_targets(dataset: Dataset) -> None:
    assert np.isfinite(dataset.targets()).all()
    assert len(dataset.cases) == len(dataset.targets()) > 0


def look_at_table(path: Path) -> None:
    """As an audit does: every column, as numbers or labels."""
    read = audited_table(path, path.name)
    for column in read.columns:
        if read.is_numeric(column):
            read.numbers([column])
        read.labels(column)


FRAME = parquet(**{"temperature": [300.0, 310.0, 320.0], "batch": ["a", "a", "b"], "yield [%]": [1.0, 2.5, None]})
WHOLE = parquet(**{"temperature": [300, 310, 320], "batch": ["a", "a", "b"], "yield [%]": [1.0, 2.5, 7.0]})
READERS = [
    Reader(
        "measurements",
        open_table,
        [Sample.of("a.csv", CSV), Sample.of("b.csv", SEMICOLONS), Sample.of("c.parquet", WHOLE)],
        sound=has_finite_targets,
        examples=250,
    ),
    Reader("text table", read, [Sample.of("a.csv", CSV), Sample.of("a.parquet", FRAME)]),
    Reader("audited Parquet", look_at_table, [Sample.of("a.parquet", FRAME), Sample.of("b.parquet", WHOLE)]),
    Reader("audited frame", audited_frame, [Sample.of("a.csv", CSV), Sample.of("a.parquet", FRAME)]),
    Reader("time course", read_time_course, [Sample.of("wide.csv", WIDE), Sample.of("long.csv", LONG)]),
    Reader("network", read_network, [Sample.of("s.csv", NETWORK)]),
    Reader(
        "homeostasis",
        lambda path: read_homeostasis(read_network(path.with_name("s.csv")), path),
        [Sample({"h.csv": HOMEOSTASIS.encode(), "s.csv": NETWORK.encode()}, "h.csv", damage=("h.csv",))],
    ),
    Reader(
        "matrix",
        read_matrix,
        [
            Sample.of("a.csv", "# G\n1,0,1/3\n0;1;-2e-3\n".replace(";", ",")),
            Sample.of("b.txt", "1 0 2\n0 1 3\n"),
            Sample.of("c.npy", npy(np.eye(3))),
            Sample.of("d.npy", npy(np.arange(6).reshape(2, 3))),
        ],
        sound=lambda matrix: np.testing.assert_equal(np.isfinite(matrix).all() and matrix.ndim == 2, True),
        examples=250,
    ),
    Reader("table of runs", read_runs, [Sample.of("runs.csv", RUNS), Sample.of("runs.jsonl", LINES)], examples=250),
]


@pytest.mark.parametrize("reader", READERS, ids=str)
def test_a_damaged_table_is_read_or_refused(reader: Reader):
    holds(reader)
