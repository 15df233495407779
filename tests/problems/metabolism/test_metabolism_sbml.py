"""Models in SBML become the equations that they say; what cannot be simulated is refused by its name."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest

from probatum.errors import DataError, DataMissingError
from probatum.problems.metabolism.reaction_model import ReactionModel
from probatum.problems.metabolism.sbml import read_sbml, sbml_model

pytest.importorskip("libsbml", reason="needs the extra 'metabolism'")
MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'


def math(inner: str) -> str:
    return f"<math {MATH}>{inner}</math>"


def apply(operator: str, *arguments: str) -> str:
    return f"<apply><{operator}/>{''.join(arguments)}</apply>"


def ci(name: str) -> str:
    return f"<ci> {name} </ci>"


LAW = math(f"<apply><ci> michaelis </ci>{ci('A')}{ci('vmax')}{ci('km')}</apply>")
FUNCTION = f"""<listOfFunctionDefinitions><functionDefinition id="michaelis">{
    math(
        "<lambda><bvar><ci>s</ci></bvar><bvar><ci>v</ci></bvar><bvar><ci>k</ci></bvar>"
        + apply("divide", apply("times", ci("v"), ci("s")), apply("plus", ci("k"), ci("s")))
        + "</lambda>"
    )
}</functionDefinition></listOfFunctionDefinitions>"""
SPECIES = """
<species id="A" compartment="cell" initialConcentration="3" hasOnlySubstanceUnits="false" boundaryCondition="false"
 constant="false"/>
<species id="B" compartment="cell" initialAmount="4" hasOnlySubstanceUnits="false" boundaryCondition="false"
 constant="false"/>
<species id="N" compartment="cell" initialAmount="5" hasOnlySubstanceUnits="true" boundaryCondition="false"
 constant="false"/>
<species id="F" compartment="cell" initialConcentration="7" hasOnlySubstanceUnits="false" boundaryCondition="true"
 constant="false"/>"""
PARAMETERS = """
<parameter id="vmax" value="2" constant="true"/>
<parameter id="grown" constant="false"/>
<parameter id="pool" value="1.5" constant="false"/>"""
REACTION = f"""
<reaction id="R1" reversible="false" fast="false">
<listOfReactants><speciesReference species="A" stoichiometry="2" constant="true"/></listOfReactants>
<listOfProducts><speciesReference species="B" stoichiometry="1" constant="true"/>
<speciesReference species="N" stoichiometry="3" constant="true"/>
<speciesReference species="F" stoichiometry="1" constant="true"/></listOfProducts>
<kineticLaw>{LAW}<listOfLocalParameters><localParameter id="km" value="0.5"/></listOfLocalParameters></kineticLaw>
</reaction>"""
RULES = f"""<listOfRules>
<assignmentRule variable="grown">{math(apply("times", ci("pool"), ci("A")))}</assignmentRule>
<rateRule variable="pool">{math(apply("minus", ci("grown")))}</rateRule></listOfRules>"""


def document(
    species: str = SPECIES, parameters: str = PARAMETERS, reaction: str = REACTION, rules: str = RULES,
    more: str = "", function: str = FUNCTION, root: str = "",
) -> str:  # fmt: skip
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1" {root}><model id="small">
{function}<listOfCompartments>
<compartment id="cell" size="2" spatialDimensions="3" constant="true"/></listOfCompartments>
<listOfSpecies>{species}</listOfSpecies><listOfParameters>{parameters}</listOfParameters>{rules}
<listOfReactions>{reaction}</listOfReactions>{more}</model></sbml>"""


def model(text: str) -> ReactionModel:
    return sbml_model(text.encode(), "small.xml")


def test_amounts_concentrations_rules_and_functions_become_the_equations():
    small = model(document())
    assert small.states == ("pool", "A", "B", "N")
    assert small.parameters == ("vmax", "R1_km")
    with jax.enable_x64(True):
        constants, start = small.start({})
        assert [float(x) for x in start] == [1.5, 3, 2, 5]  # B: 4 in a volume of 2
        v = 2 * 3 / (0.5 + 3)
        slope = small.slope(0.0, start, constants)
        np.testing.assert_allclose([float(x) for x in slope], [-1.5 * 3, -2 * v / 2, v / 2, 3 * v])
        everything = small.everything(0.0, start, constants)
    assert float(everything["F"]) == 7
    assert float(everything["R1"]) == pytest.approx(v)
    assert float(everything["grown"]) == pytest.approx(4.5)


def test_overrides_stand_before_initial_assignments_and_sizes_reach_amounts():
    assigned = f"""<listOfInitialAssignments><initialAssignment symbol="A">{math(apply("times", ci("vmax"), ci("km2")))}
    </initialAssignment></listOfInitialAssignments>"""
    small = model(
        document(parameters=PARAMETERS + '<parameter id="km2" value="4" constant="true"/>', rules=assigned + RULES)
    )
    with jax.enable_x64(True):
        by_state = [dict(zip(small.states, small.start(given)[1], strict=True)) for given in (
            {}, {"vmax": 10.0}, {"A": 1.0}, {"cell": 8.0})]  # fmt: skip
    assert [float(one["A"]) for one in by_state] == [8, 40, 1, 8]
    assert [float(one["B"]) for one in by_state] == [2, 2, 2, 0.5]
    with pytest.raises(DataError, match="'grown' is determined by a rule"):
        small.start({"grown": 1.0})


def test_a_parameter_without_a_value_is_named_when_it_is_needed():
    small = model(document(parameters=PARAMETERS.replace('id="vmax" value="2"', 'id="vmax"')))
    with pytest.raises(DataError, match="'vmax' has no value"):
        small.start({})
    assert small.start({"vmax": 1.0})[0]["vmax"] == 1.0


EVENT = f"""<listOfEvents><event id="dose" useValuesFromTriggerTime="true"><trigger initialValue="true"
persistent="true">{math(apply("gt", ci("A"), "<cn>1</cn>"))}</trigger></event></listOfEvents>"""
ALGEBRAIC = f"<listOfRules><algebraicRule>{math(apply('minus', ci('A'), ci('B')))}</algebraicRule></listOfRules>"
DELAY = math(
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay"> delay </csymbol>'
    f"{ci('A')}<cn>1</cn></apply>"
)
VOLUME = f'<listOfRules><rateRule variable="cell">{math("<cn>1</cn>")}</rateRule></listOfRules>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (document(more=EVENT), "the event 'dose' is not supported"),
        (document(rules=ALGEBRAIC), "an algebraic rule is not supported"),
        (document(reaction=REACTION.replace(LAW, DELAY)), "the kinetic law of 'R1' uses a delay"),
        (document(rules=VOLUME), "the compartment 'cell', whose size changes"),
        (document(reaction=REACTION.replace('fast="false"', 'fast="true"')), "the fast reaction 'R1'"),
        (
            document(root='xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true"'),
            "the package 'comp', which the model requires",
        ),
        (document(reaction=REACTION.replace('species="B"', 'species="BB"')), "the species 'BB', which does not exist"),
        (document(reaction=REACTION.replace(LAW, math(ci("vmx")))), "uses 'vmx', which the model does not define"),
        (document(reaction=REACTION.replace(LAW, math(ci("vmx")))), "did you mean 'vmax'"),
        (document(function=""), "'michaelis', which the model does not define"),
        (document(reaction=REACTION.replace(ci("km") + "</apply>", "</apply>")), "2 arguments for 3"),
        (document(reaction=REACTION.replace("<kineticLaw>", "<x>").split("<x>")[0] + "</reaction>"), "no kinetic law"),
        (document(species=SPECIES.replace('compartment="cell"', 'compartment="cel"', 1)), "the compartment 'cel'"),
        (
            document(rules=RULES.replace('variable="pool"', 'variable="A"')),
            "'A' is changed by the reaction 'R1' and by a rule",
        ),
        (document(rules=RULES.replace(ci("A"), ci("grown"))), "defined by each other in a circle"),
        (
            document(species=SPECIES.replace('boundaryCondition="false"', 'boundaryCondition="true"'), rules=""),
            "nothing in the model changes",
        ),
        ("<sbml><model></sbml>", "is no XML: mismatched tag"),
        ("not xml", "is no XML"),
        ("<svg></svg>", "is no valid SBML"),
    ],
)  # fmt: skip
def test_what_is_wrong_or_not_supported_is_named(text: str, said: str):
    with pytest.raises(DataError) as caught:
        model(text)
    assert said in str(caught.value)
    assert "small.xml" in str(caught.value)


def test_entities_are_not_read(tmp_path: Path):
    secret = tmp_path / "secret.txt"
    secret.write_text("km")
    head = '<?xml version="1.0"?>'
    outside = f'{head}<!DOCTYPE sbml [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    laughs = f'{head}<!DOCTYPE sbml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
    for declared in (outside, laughs):
        text = document().partition("?>")[2]
        with pytest.raises(DataError, match="declares a document type"):
            model(declared + text.replace("small", "&c;"))
    in_other_bytes = (outside + document().partition("?>")[2]).encode("utf-16")
    with pytest.raises(DataError):
        sbml_model(in_other_bytes, "small.xml")


def test_functions_of_functions_do_not_grow_without_end():
    bodies = [ci("s")] + [apply("plus", *[f"<apply><ci> f{i} </ci>{ci('s')}</apply>"] * 2) for i in range(59)]
    lambdas = [math(f"<lambda><bvar><ci>s</ci></bvar>{body}</lambda>") for body in bodies]
    doubling = "".join(f'<functionDefinition id="f{i}">{one}</functionDefinition>' for i, one in enumerate(lambdas))
    law = math(f"<apply><ci> f59 </ci>{ci('A')}</apply>")
    text = document(
        function=f"<listOfFunctionDefinitions>{doubling}</listOfFunctionDefinitions>",
        reaction=REACTION.replace(LAW, law),
    )
    with pytest.raises(DataError, match="written out beyond"):
        model(text)
    deep = apply("minus", "{}")
    for _ in range(500):
        deep = deep.format(apply("minus", "{}"))
    with pytest.raises(DataError, match="nested more than"):
        model(document(reaction=REACTION.replace(LAW, math(deep.format(ci("A"))))))


def test_a_function_that_calls_itself_is_named():
    itself = FUNCTION.replace(ci("k") + ci("s"), f"<apply><ci> michaelis </ci>{ci('s')}{ci('v')}{ci('k')}</apply>")
    with pytest.raises(DataError, match="'michaelis' calls itself"):
        model(document(function=itself))


def test_a_file_that_is_not_there_offers_the_nearest(tmp_path: Path):
    (tmp_path / "model.xml").write_text(document())
    assert read_sbml(tmp_path / "model.xml").name == "small"
    with pytest.raises(DataMissingError, match=r"model\.xml"):
        read_sbml(tmp_path / "modell.xml")


@pytest.mark.real
def test_the_model_of_boehm_is_its_published_equations(real_data: Path):
    folder = real_data / "metabolism" / "Boehm_JProteomeRes2014"
    boehm = read_sbml(folder / "model_Boehm_JProteomeRes2014.xml")
    t, y = 7.0, np.array([110.0, 40.0, 9.0, 0.01, 0.02, 12.0, 6.0, 3.0])
    A, B, AB, AA, BB, nAA, nAB, nBB = y
    with jax.enable_x64(True):
        constants, start = boehm.start({})
        found = [float(x) for x in boehm.slope(t, list(y), constants)]
    k = {name: float(value) for name, value in constants.items()}
    epo, cyt, nuc = 1.25e-7 * np.exp(-k["Epo_degradation_BaF3"] * t), 1.4, 0.45
    p, homo, hetero = epo * k["k_phos"], k["k_imp_homo"], k["k_imp_hetero"]
    out, out2 = k["k_exp_homo"] * nuc / cyt, k["k_exp_hetero"] * nuc / cyt
    expected = [
        -2 * p * A**2 - p * A * B + 2 * out * nAA + out2 * nAB,
        -p * A * B - 2 * p * B**2 + out2 * nAB + 2 * out * nBB,
        p * A * B - hetero * AB, p * A**2 - homo * AA, p * B**2 - homo * BB,
        homo * AA * cyt / nuc - k["k_exp_homo"] * nAA, hetero * AB * cyt / nuc - k["k_exp_hetero"] * nAB,
        homo * BB * cyt / nuc - k["k_exp_homo"] * nBB,
    ]  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose([float(x) for x in start[:2]], [207.6 * 0.693, 207.6 * 0.307])
