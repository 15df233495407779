"""A PEtab problem small enough to be solved by hand: A -> B at the rate k A, A(0) = a."""

from __future__ import annotations

from pathlib import Path

import numpy as np

MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'
DECAY = f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="decay">
<listOfCompartments><compartment id="cell" size="1" spatialDimensions="3" constant="true"/></listOfCompartments>
<listOfSpecies>
<species id="A" compartment="cell" initialConcentration="2" hasOnlySubstanceUnits="false" boundaryCondition="false"
 constant="false"/>
<species id="B" compartment="cell" initialConcentration="0.5" hasOnlySubstanceUnits="false" boundaryCondition="false"
 constant="false"/></listOfSpecies>
<listOfParameters><parameter id="k" value="0.3" constant="true"/></listOfParameters>
<listOfReactions><reaction id="R1" reversible="false" fast="false">
<listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
<listOfProducts><speciesReference species="B" stoichiometry="1" constant="true"/></listOfProducts>
<kineticLaw><math {MATH}><apply><times/><ci>k</ci><ci>A</ci></apply></math></kineticLaw></reaction></listOfReactions>
</model></sbml>"""
PARAMETERS = """parameterId	parameterScale	lowerBound	upperBound	nominalValue	estimate
k	log10	0.001	100	0.4	1
scale	lin	0.1	10	1.5	1
offset	lin			0.2	0
sd	log	0.001	10	0.3	1
start	lin	0.5	5	2.5	1
"""
OBSERVABLES = """observableId	observableFormula	noiseFormula	observableTransformation	noiseDistribution
y_lin	scale * A + offset	sd	lin	normal
y_log	observableParameter1_y_log * (A + B)	noiseParameter1_y_log	log	normal
y_ten	A + B * k	0.1 + 0.05 * y_ten	log10	normal
y_lap	B	noiseParameter1_y_lap * sd	lin	laplace
y_lap_log	A	0.3	log	laplace
y_lap_ten	A	0.2	log10	laplace
"""
CONDITIONS = """conditionId	A	k
high	start	nan
low	1	0.9
"""
HEAD = "observableId	simulationConditionId	measurement	time	observableParameters	noiseParameters\n"
YAML = """format_version: 1
parameter_file: parameters.tsv
problems:
- sbml_files: [model.xml]
  observable_files: [observables.tsv]
  condition_files: [conditions.tsv]
  measurement_files: [measurements.tsv]
"""
OWN = {"y_log": ("scale", "0.25"), "y_lap": ("", "2")}


def measurements() -> str:
    generator = np.random.default_rng(3)
    rows = []
    for observable in ("y_lin", "y_log", "y_ten", "y_lap", "y_lap_log", "y_lap_ten"):
        for condition in ("high", "low"):
            for time in (0.0, 0.5, 2.0, 3.5):
                own = "\t".join(OWN.get(observable, ("", "")))
                rows.append(f"{observable}\t{condition}\t{generator.uniform(0.5, 3)!r}\t{time}\t{own}\n")
    return HEAD + "".join(rows)


def write(folder: Path, **changed: str) -> Path:
    """Writes the problem with some of its files changed, by name without suffix; gives the YAML file."""
    files = {
        "model.xml": DECAY, "parameters.tsv": PARAMETERS, "observables.tsv": OBSERVABLES,
        "conditions.tsv": CONDITIONS, "measurements.tsv": measurements(), "problem.yaml": YAML,
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_text(changed.get(name.partition(".")[0], content))
    return folder / "problem.yaml"
