"""PEtab problems (version 1) as files: YAML, SBML and four tables, as `petab_reading.read_petab` reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from probatum.errors import StorageError
from probatum.problems.metabolism.expressions import Expression, Name, Number
from probatum.problems.metabolism.petab_problem import PetabProblem


def write_petab(problem: PetabProblem, folder: Path) -> Path:
    """Writes a problem into a folder, which is made if need be; files of these names are replaced.

    Args:
        problem: what is written; its estimates may stand as nominal values (`PetabProblem.with_nominal`).
        folder: where.

    Returns:
        The YAML file.

    Raises:
        StorageError: something cannot be written.
    """
    conditions = list(dict.fromkeys(name for one in problem.conditions for name in one.overrides))
    tables = {
        "parameters.tsv": _table(
            ("parameterId", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate"),
            (
                (p.id, p.scale, _text(p.lower), _text(p.upper), _text(p.nominal), str(int(p.estimated)))
                for p in problem.parameters
            ),
        ),
        "observables.tsv": _table(
            ("observableId", "observableFormula", "noiseFormula", "observableTransformation", "noiseDistribution"),
            ((o.id, o.formula, o.noise, o.transformation, o.distribution) for o in problem.observables),
        ),
        "conditions.tsv": _table(
            ("conditionId", *conditions),
            (
                (c.id, *(_value(c.overrides[name]) if name in c.overrides else "" for name in conditions))
                for c in problem.conditions
            ),
        ),
        "measurements.tsv": _table(
            ("observableId", "simulationConditionId", "measurement", "time", "observableParameters", "noiseParameters"),
            (
                (m.observable, m.condition, _text(m.value), _text(m.time), _values(m.observable_parameters),
                 _values(m.noise_parameters))
                for m in problem.measurements
            ),
        ),
        "model.xml": problem.model.text,
        "problem.yaml": (
            "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- sbml_files: [model.xml]\n"
            "  observable_files: [observables.tsv]\n  condition_files: [conditions.tsv]\n"
            "  measurement_files: [measurements.tsv]\n"
        ),
    }  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in tables.items():
            (folder / name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"cannot be written: {error.strerror or error}", where=str(folder), remedy="name another folder"
        ) from error
    return folder / "problem.yaml"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join("\t".join(cells) + "\n" for cells in (header, *rows))


def _text(number: float) -> str:
    """The shortest text that reads back as the same bits; empty for what is not known."""
    return "" if math.isnan(number) else repr(float(number))


def _value(expression: Expression) -> str:
    assert isinstance(expression, Name | Number)  # tables hold nothing else
    return expression.id if isinstance(expression, Name) else _text(expression.value)


def _values(expressions: Sequence[Expression]) -> str:
    return ";".join(map(_value, expressions))
