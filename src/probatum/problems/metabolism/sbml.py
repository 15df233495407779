"""Models in SBML (levels 1 to 3): compartments, species, parameters, rules, functions and reactions, read by libSBML.

What cannot be simulated faithfully is refused by its name: events, delays, algebraic rules, compartments and
stoichiometries that change, fast reactions, conversion factors, and packages that a model requires.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from xml.parsers import expat

from probatum.errors import DataError, DataMissingError, UsageError, nearest
from probatum.problems.metabolism.expressions import TIME, Call, Expression, Name, Number, names, ordered
from probatum.problems.metabolism.reaction_model import ReactionModel

EXTRA = "pip install 'probatum[metabolism]'"
LARGEST = 64 * 2**20
"""Bytes of a file beyond which it is refused."""
DEEPEST_XML = 400
"""Levels of elements beyond which a file is refused."""


def read_sbml(path: Path) -> ReactionModel:
    """The model in a file.

    Local parameters of a reaction become global ones named REACTION_PARAMETER.

    Raises:
        UsageError: libSBML is not installed.
        DataMissingError: there is no such file.
        DataError: it is no SBML, does not fit together, or uses what is not supported; each named.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        beside = [p.name for p in path.parent.glob("*.xml")] if path.parent.is_dir() else []
        raise DataMissingError("there is no such file", where=str(path), remedy=nearest(path.name, beside)) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path), remedy="name a readable file") from None
    return sbml_model(content, str(path))


def sbml_model(content: bytes, where: str) -> ReactionModel:
    """The model in the bytes of a file; `where` names them in errors. Raises as `read_sbml`."""
    try:
        import libsbml
    except ImportError:
        raise UsageError("SBML needs python-libsbml, which is not installed", where=where, remedy=EXTRA) from None
    _check_xml(content, where)
    document = libsbml.readSBMLFromString(content.decode("utf-8-sig"))
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            said = " ".join(error.getMessage().split())
            raise DataError(
                f"is no valid SBML: {said[:240]}", where=f"{where}, line {error.getLine()}", remedy="correct the file"
            )
    if document.getModel() is None:
        raise DataError("holds no model", where=where, remedy="name an SBML file with a model")
    promotion = libsbml.ConversionProperties()
    promotion.addOption("promoteLocalParameters", True)
    if document.convert(promotion) != libsbml.LIBSBML_OPERATION_SUCCESS:
        raise DataError("its local parameters cannot be made global", where=where, remedy="rename them")
    return _Reader(document, where).model()


class _Reader:
    """Reads one document."""

    def __init__(self, document: Any, where: str):
        from probatum.problems.metabolism.mathml import Translator

        self.document, self.source, self.where = document, document.getModel(), where
        self.translate = Translator(self.source, where)
        self.species = {one.getId(): one for one in self.source.getListOfSpecies()}
        self.parameters = {one.getId(): one for one in self.source.getListOfParameters()}
        self.compartments = {one.getId(): one for one in self.source.getListOfCompartments()}
        self.reactions = {one.getId(): one for one in self.source.getListOfReactions()}

    def model(self) -> ReactionModel:
        self.refuse_unsupported()
        self.check_identifiers()
        assigned, changing = self.rules()
        laws = {name: self.law(one) for name, one in self.reactions.items()}
        rates = changing | self.flows({*assigned, *changing})
        definitions = {name: d for name, d in self.definitions().items() if name not in assigned}
        for owner, expressions in (
            ("the initial value of", definitions), ("the rule for", assigned), ("the rate rule for", changing),
            ("the kinetic law of", laws),
        ):  # fmt: skip
            self.check_names(owner, expressions)
        always = {**assigned, **laws}
        if not rates:
            raise DataError("nothing in the model changes", where=self.where, remedy="give it reactions or rate rules")
        return ReactionModel(
            name=self.source.getId() or Path(self.where).stem,
            text=_text(self.document),
            species=tuple(self.species),
            parameters=tuple(name for name in self.parameters if name not in always and name not in rates),
            compartments=tuple(self.compartments),
            states=tuple(rates),
            definitions=definitions,
            rules={name: always[name] for name in ordered(always, self.where)},
            rates=rates,
        )

    def refuse_unsupported(self) -> None:
        source = self.source
        for one in source.getListOfEvents():
            raise self.unsupported(f"the event '{one.getId() or one.getName() or '(without a name)'}'")
        for one in source.getListOfRules():
            if one.isAlgebraic():
                raise self.unsupported("an algebraic rule", "write it as assignment rules")
            if one.getVariable() in self.compartments:
                raise self.unsupported(f"the compartment '{one.getVariable()}', whose size changes by a rule")
        if source.isSetConversionFactor():
            raise self.unsupported("the model's conversion factor")
        for name, one in self.species.items():
            if one.isSetConversionFactor():
                raise self.unsupported(f"the conversion factor of the species '{name}'")
        for name, one in self.reactions.items():
            if one.isSetFast() and one.getFast():
                raise self.unsupported(
                    f"the fast reaction '{name}'", "replace it by its equilibrium or by a large rate"
                )

    def unsupported(self, what: str, remedy: str = "take it out of the model") -> DataError:
        return DataError(f"{what} is not supported", where=self.where, remedy=remedy)

    def check_identifiers(self) -> None:
        ids = Counter([*(one.getId() for one in self.source.getListOfSpecies()), *self.parameters, *self.compartments])
        ids.update(self.reactions.keys())
        for name, count in ids.items():
            if count > 1:
                raise DataError(f"{count} elements are called '{name}'", where=self.where, remedy="rename one of them")
        for name, one in self.species.items():
            if one.getCompartment() not in self.compartments:
                raise DataError(
                    f"the species '{name}' is in the compartment '{one.getCompartment()}', which does not exist",
                    where=self.where,
                    remedy=nearest(one.getCompartment(), self.compartments),
                )

    def rules(self) -> tuple[dict[str, Expression], dict[str, Expression]]:
        """Assignment rules, and rate rules, of species and parameters."""
        assigned: dict[str, Expression] = {}
        changing: dict[str, Expression] = {}
        for one in self.source.getListOfRules():
            name = one.getVariable()
            if name not in self.species and name not in self.parameters:
                raise DataError(
                    f"a rule is for '{name}', which is neither a species nor a parameter",
                    where=self.where,
                    remedy=nearest(name, {*self.species, *self.parameters}),
                )
            if name in assigned or name in changing:
                raise DataError(f"two rules are for '{name}'", where=self.where, remedy="keep one of them")
            into, kind = (assigned, "the rule for") if one.isAssignment() else (changing, "the rate rule for")
            into[name] = self.translate.expression(one.getMath(), f"{kind} '{name}'")
        return assigned, changing

    def law(self, reaction: Any) -> Expression:
        law = reaction.getKineticLaw()
        if law is None:
            raise DataError(
                f"the reaction '{reaction.getId()}' has no kinetic law", where=self.where, remedy="give it one"
            )
        return self.translate.expression(law.getMath(), f"the kinetic law of '{reaction.getId()}'")

    def flows(self, ruled: Collection[str]) -> dict[str, Expression]:
        """The derivative of every species that reactions may change; 0 for one that no reaction changes."""
        changes: dict[str, dict[str, float]] = {
            name: {} for name, one in self.species.items()
            if name not in ruled and not one.getBoundaryCondition() and not one.getConstant()
        }  # fmt: skip
        for id, reaction in self.reactions.items():
            for references, sign in ((reaction.getListOfReactants(), -1.0), (reaction.getListOfProducts(), 1.0)):
                for reference in references:
                    name = self.referred(reference, id)
                    if name in changes:
                        amount = sign * self.stoichiometry(reference, id)
                        changes[name][id] = changes[name].get(id, 0.0) + amount
                    elif name in ruled and not self.species[name].getBoundaryCondition():
                        raise DataError(
                            f"'{name}' is changed by the reaction '{id}' and by a rule",
                            where=self.where,
                            remedy="make it a boundary species, or remove one of them",
                        )
            for reference in reaction.getListOfModifiers():
                self.referred(reference, id)
        return {name: self.flow(name, amounts) for name, amounts in changes.items()}

    def flow(self, species: str, amounts: Mapping[str, float]) -> Expression:
        terms = tuple(Call("times", (Number(n), Name(reaction))) for reaction, n in amounts.items() if n)
        if self.species[species].getHasOnlySubstanceUnits() or not terms:
            return Call("plus", terms)
        return Call("divide", (Call("plus", terms), Name(self.species[species].getCompartment())))

    def referred(self, reference: Any, reaction: str) -> str:
        name = reference.getSpecies()
        if name not in self.species:
            raise DataError(
                f"the reaction '{reaction}' names the species '{name}', which does not exist",
                where=self.where,
                remedy=nearest(name, self.species),
            )
        return name

    def stoichiometry(self, reference: Any, reaction: str) -> float:
        changes = reference.getId() and (
            self.source.getInitialAssignmentBySymbol(reference.getId()) or self.source.getRule(reference.getId())
        )
        number = reference.getStoichiometry() / reference.getDenominator()
        if reference.isSetStoichiometryMath() or changes or not math.isfinite(number):
            raise self.unsupported(
                f"the stoichiometry of '{reference.getSpecies()}' in the reaction '{reaction}', which is no number",
                "give it a number",
            )
        return float(number)

    def definitions(self) -> dict[str, Expression]:
        """Values at time 0, initial assignments before numbers."""
        found: dict[str, Expression] = {}
        for name, one in self.compartments.items():
            if one.isSetSize() and math.isfinite(one.getSize()):
                found[name] = Number(one.getSize())
        for name, one in self.parameters.items():
            if one.isSetValue() and math.isfinite(one.getValue()):
                found[name] = Number(one.getValue())
        for name, one in self.species.items():
            size = Name(one.getCompartment())
            amount = one.getHasOnlySubstanceUnits()
            if one.isSetInitialConcentration():
                number = Number(one.getInitialConcentration())
                found[name] = Call("times", (number, size)) if amount else number
            elif one.isSetInitialAmount():
                number = Number(one.getInitialAmount())
                found[name] = number if amount else Call("divide", (number, size))
        for one in self.source.getListOfInitialAssignments():
            name = one.getSymbol()
            if name not in self.species and name not in self.parameters and name not in self.compartments:
                raise DataError(
                    f"an initial assignment is for '{name}', which does not exist",
                    where=self.where,
                    remedy=nearest(name, {*self.species, *self.parameters, *self.compartments}),
                )
            found[name] = self.translate.expression(one.getMath(), f"the initial assignment of '{name}'")
        return found

    def check_names(self, owner: str, expressions: Mapping[str, Expression]) -> None:
        known = {*self.species, *self.parameters, *self.compartments, *self.reactions, TIME}
        for name, expression in expressions.items():
            unknown = names(expression) - known
            if unknown:
                raise DataError(
                    f"{owner} '{name}' uses '{min(unknown)}', which the model does not define",
                    where=self.where,
                    remedy=nearest(min(unknown), known - {TIME}),
                )


def _text(document: Any) -> str:
    import libsbml

    return libsbml.writeSBMLToString(document)


def _check_xml(content: bytes, where: str) -> None:
    """Refuses what is no XML, declares entities, or is so large or deep that a parser may break.

    Entities can name files of this machine or grow without end; SBML needs none.
    """
    if len(content) > LARGEST:
        raise DataError(
            f"{len(content) / 2**20:.0f} MB", where=where, remedy=f"name a file of {LARGEST >> 20} MB or less"
        )
    depth = 0

    def declared(*_: Any) -> None:
        raise DataError(
            "declares a document type, which may hide entities", where=where, remedy="remove the DOCTYPE from the file"
        )

    def opened(_: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth
        depth += 1
        for name, value in attributes.items() if depth == 1 else ():
            if name.endswith(":required") and value == "true":
                raise DataError(
                    f"the package '{name.partition(':')[0]}', which the model requires, is not supported",
                    where=where,
                    remedy="export the model as plain SBML core",
                )
        if depth > DEEPEST_XML:
            raise DataError(
                f"elements nested more than {DEEPEST_XML} deep", where=where, remedy="simplify its formulas"
            )

    def closed(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler, parser.EndElementHandler = declared, opened, closed
    try:
        parser.Parse(content, True)
        content.decode("utf-8-sig")
    except expat.ExpatError as error:
        raise DataError(
            f"is no XML: {expat.ErrorString(error.code)}",
            where=f"{where}, line {error.lineno}",
            remedy="repair the file",
        ) from None
    except DataError:
        raise
    except (UnicodeDecodeError, LookupError, ValueError):  # the latter two for encodings that expat lacks
        raise DataError("is not in UTF-8", where=where, remedy="save it in UTF-8") from None
