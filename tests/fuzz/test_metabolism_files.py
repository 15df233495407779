"""SBML models and PEtab problems."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from fuzz.reading import Reader, Sample, holds
from probatum.errors import DataError
from probatum.problems.metabolism.petab_reading import read_petab
from probatum.problems.metabolism.reaction_model import ReactionModel
from probatum.problems.metabolism.sbml import read_sbml
from problems.metabolism import small_petab

RICHER = small_petab.DECAY.replace(
    "<listOfReactions>",
    f"<listOfRules><assignmentRule variable='k'><math {small_petab.MATH}><piecewise><piece><cn>0.3</cn><apply><lt/>"
    "<csymbol encoding='text' definitionURL='http://www.sbml.org/sbml/symbols/time'>t</csymbol>"
    "<cn type='integer'>3</cn>"
    "</apply></piece><otherwise><apply><power/><cn type='e-notation'>1<sep/>-1</cn><cn>2</cn></apply></otherwise>"
    "</piecewise></math></assignmentRule></listOfRules><listOfReactions>",
).replace('<parameter id="k" value="0.3" constant="true"/>', '<parameter id="k" constant="false"/>')


def petab() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        small_petab.write(Path(folder))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def changes_something(model: ReactionModel) -> None:
    assert model.rates


READERS = [
    Reader(
        "SBML",
        read_sbml,
        [Sample.of("decay.xml", small_petab.DECAY), Sample.of("rules.xml", RICHER)],
        sound=changes_something,
        examples=300,
    ),
    Reader("PEtab", read_petab, [Sample(petab(), "problem.yaml")], examples=300),
]


@pytest.mark.parametrize("reader", READERS, ids=str)
def test_a_damaged_model_is_read_or_refused(reader: Reader):
    holds(reader)


def test_a_yaml_that_asks_for_python_is_refused(tmp_path: Path):
    witness = tmp_path / "was-run"
    for name, content in petab().items():
        (tmp_path / name).write_bytes(content)
    asked = f"!!python/object/apply:pathlib.Path.touch\n- !!python/object/apply:pathlib.Path ['{witness}']\n"
    (tmp_path / "problem.yaml").write_text(asked, encoding="utf-8")
    with pytest.raises(DataError, match="is no YAML"):
        read_petab(tmp_path / "problem.yaml")
    assert not witness.exists()
