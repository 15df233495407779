"""What a person may ask of the problems in the browser: forms, and the command of a problem behind each.

The commands are those of `probatum PROBLEM VERB`. Which there are is written down here, name by name: no request can
name a module, a function or a file. What is uploaded lies in a folder of its own under names that are given here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from probatum.errors import DataError, UsageError
from probatum.problems.packed_files import OPENERS

LONGEST = 200
"""Characters of a text that is typed in."""
XML = (".xrdml", ".mzml", ".mzxml", ".xml", ".sbml")
PACKED = tuple(OPENERS)

Value = str | float | int | bool


@dataclass(frozen=True)
class Field:
    """One input of a form.

    Attributes:
        name: of the command's parameter.
        label: what the person reads.
        kind: 'file', 'text', 'number', 'whole', 'choice', 'tick' or 'table' (numbers typed in, a file else).
        help: under the label; with units.
        required: whether it may be left empty.
        default: that stands there at first.
        choices: of a 'choice'; '' stands for the command's own default.
        least, most: of numbers.
        suffixes: of files, without those of packed ones.
        suggestions: names to choose from; others may be typed.
        stored: name of an uploaded file, its suffix added; the parameter's name where it is ''.
    """

    name: str
    label: str
    kind: Literal["file", "text", "number", "whole", "choice", "tick", "table"]
    help: str = ""
    required: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    least: float = -math.inf
    most: float = math.inf
    suffixes: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    stored: str = ""

    @property
    def accepted(self) -> str:
        """For the browser's file dialogue."""
        return ",".join((*self.suffixes, *PACKED))


@dataclass(frozen=True)
class Question:
    """A form and its command.

    Attributes:
        slug: in addresses: 'rocking-curve-fit'.
        problem: as `probatum problems` names it.
        title, about: for people.
        module, verb: whose `COMMANDS[verb]` answers.
        fields: in order.
        several: parameters that take a list of files.
        drawn: whether the command draws a figure.
        limit: seconds that an answer may take.
        patience: what takes long the first time, in a sentence.
    """

    slug: str
    problem: str
    title: str
    about: str
    module: str
    verb: str
    fields: tuple[Field, ...]
    several: tuple[str, ...] = ()
    drawn: bool = True
    limit: float = 600.0
    patience: str = ""


def value_of(field: Field, text: str) -> Value | None:
    """What a person typed, as the command takes it; None leaves it to the command.

    Args:
        field: not a file.
        text: as it was sent.

    Raises:
        UsageError: naming the field and what may stand there.
    """
    text = text.strip()
    if field.kind == "tick":
        return True if text else None
    if not text:
        if field.required:
            raise UsageError("is empty", where=field.label, remedy="fill it in")
        return None
    if field.kind == "choice":
        if text not in field.choices:
            raise UsageError("is none of the choices", where=field.label, remedy=f"choose {', '.join(field.choices)}")
        return text
    if field.kind in ("number", "whole"):
        return _number(field, text)
    if len(text) > LONGEST or not text.isprintable():
        raise UsageError("is no short line of text", where=field.label, remedy=f"write at most {LONGEST} characters")
    return text


def suffix_of(field: Field, name: str) -> str:
    """The suffix of an uploaded file: one of those that the field takes, whatever else its name says.

    Args:
        field: of a file.
        name: as the browser sent it.

    Raises:
        DataError: another suffix.
    """
    lower = name.lower()
    for packed in ("", *PACKED):
        for suffix in field.suffixes:
            if lower.endswith(suffix + packed):
                return suffix + packed
    remedy = f"files end in {', '.join(field.suffixes)}, packed ones also in {', '.join(PACKED)}"
    raise DataError("is no file of a known format", where=field.label, remedy=remedy)


def question(slug: str) -> Question | None:
    """A question by its slug."""
    return next((q for q in QUESTIONS if q.slug == slug), None)


def _number(field: Field, text: str) -> float | int:
    try:
        value = int(text) if field.kind == "whole" else float(text)
    except ValueError:
        kind = "a whole number" if field.kind == "whole" else "a number"
        raise UsageError(f"is not {kind}", where=field.label, remedy="write it with a point, without a unit") from None
    if not field.least <= value <= field.most:
        remedy = f"write {field.least:g} to {field.most:g}" if math.isfinite(field.most) else f"{field.least:g} or more"
        raise UsageError(f"is {value:g}", where=field.label, remedy=remedy)
    return value


_CRYSTALS = ("GGG", "YIG", "Si", "Ge", "GaAs", "3C-SiC", "6H-SiC", "YSZ")
_SOLVENTS = (
    "Acetonitrile", "Butanone", "Cyclohexane", "Cyrene", "DMA", "Decanol", "Diethyl Ether", "Dimethyl Carbonate",
    "Ethanol", "Ethyl Acetate", "Ethyl Lactate", "Ethylene Glycol", "HFIP", "IPA", "MTBE", "2-MeTHF", "Methanol",
    "Methyl Propionate", "THF", "2,2,2-Trifluoroethanol", "tert-Butanol",
)  # fmt: skip
_PRODUCTS = ("Product 2", "Product 3", "SM")
_CSV = (".csv",)
QUESTIONS = (
    Question(
        "rocking-curve-fit",
        "rocking_curve",
        "Strain profile of a rocking curve",
        "Fits the strain over depth behind a measured curve, with intervals, and draws both.",
        "probatum.problems.rocking_curve.commands",
        "fit",
        (
            Field(
                "curves", "Curve", "file", "As the diffractometer wrote it, or two columns: angle and intensity.",
                required=True, suffixes=(".xrdml", ".ras", ".txt", ".dat", ".xy", ".csv"), stored="curve",
            ),
            Field(
                "crystal", "Crystal", "text", "The substrate.", required=True, default="GGG", suggestions=_CRYSTALS
            ),
            Field("reflection", "Reflection", "text", "Miller indices h,k,l.", required=True, default="4,4,4"),
            Field("profile", "Profile", "choice", "A two-part layer, splines, or whichever fits.",
                  choices=("auto", "two-part", "splines"), default="auto"),
            Field("wavelength", "Wavelength", "number", "Angstrom; else the file's, else that of Cu K-alpha1.",
                  least=0.01, most=100),
            Field("fwhm", "Instrument's width", "number", "FWHM in arc-seconds; else fitted.", least=0.001, most=1e5),
            Field("axis", "Angles of a text file", "choice", "Else found from the numbers.",
                  choices=("2-theta", "omega", "deviation")),
        ),
        patience="The first curve of a crystal and scan simulates others like it, for a minute or so.",
    ),
    Question(
        "gas-chromatography-predict",
        "gas_chromatography",
        "Families of compounds in a GC-MS run",
        "Says which families are in the run, how sure that is, and which peaks speak for each.",
        "probatum.problems.gas_chromatography.commands",
        "predict",
        (
            Field("runs", "Run", "file", "ANDI/netCDF, mzML, mzXML, JCAMP-DX or CSV.", required=True,
                  suffixes=(".cdf", ".mzml", ".mzxml", ".jdx", ".dx", ".csv"), stored="run"),
            Field("unit", "Unit of times", "choice", "For CSV and JCAMP-DX files that do not say it.",
                  choices=("s", "min")),
            Field("peaks", "Peaks", "whole", "How many of the largest are asked what they speak for.",
                  default="60", least=0, most=1000),
        ),
        several=("runs",),
        limit=1800.0,
        patience="The very first run trains the model on simulated runs, for some minutes; it is kept.",
    ),
    Question(
        "analog-codes-height",
        "analog_codes",
        "Heights of an analog code",
        "All heights of a code from its generator matrix, each with a codeword that attains it.",
        "probatum.problems.analog_codes.commands",
        "height",
        (
            Field("file", "Matrix", "table", "One row a line, numbers apart by commas or blanks; fractions like 1/3.",
                  default="1 0 0 1 1 1\n0 1 0 1 2 3\n0 0 1 1 3 6", suffixes=(".csv", ".txt", ".npy"), stored="matrix"),
            Field("parity_check", "It is a parity check matrix", "tick"),
            Field("m", "Only h_m for m =", "whole", "Else all of them.", least=1, most=1000),
            Field("exact", "As exact fractions", "tick"),
        ),
        drawn=False,
    ),
    Question(
        "catechol-predict",
        "catechol",
        "Yields in a solvent",
        "Yields of the rearrangement in any solvent or mixture of two, with 90 % intervals, over temperature and time.",
        "probatum.problems.catechol.commands",
        "predict",
        (
            Field("solvent", "Solvent", "text", "By name, or the SMILES of any.", required=True, default="2-MeTHF",
                  suggestions=_SOLVENTS),
            Field("temperature", "Temperature", "number", "deg C.", required=True, default="200", least=-273,
                  most=1000),
            Field("time", "Residence time", "number", "Minutes.", required=True, default="8", least=0, most=1e6),
            Field("solvent_b", "Second solvent", "text", "Mixed in; may be empty.", suggestions=_SOLVENTS),
            Field("percent_b", "Its share", "number", "Volume percent.", least=0, most=100),
            Field("product", "Surface of", "choice", "What is drawn over temperature and time.", choices=_PRODUCTS,
                  default="Product 2"),
        ),
        limit=1800.0,
        patience="The very first question trains the model on the measured yields, for some minutes; it is kept.",
    ),
    Question(
        "catechol-rank",
        "catechol",
        "Which solvent is best",
        "Ranks the measured solvents by a yield, at given conditions or each at its best ones.",
        "probatum.problems.catechol.commands",
        "rank",
        (
            Field("product", "Wanted", "choice", "The more of it the better.", choices=_PRODUCTS, default="Product 2"),
            Field("least", "The less of it the better", "tick"),
            Field("temperature", "Temperature", "number", "deg C; else each solvent's best.", least=-273, most=1000),
            Field("time", "Residence time", "number", "Minutes; else each solvent's best.", least=0, most=1e6),
        ),
        limit=1800.0,
        patience="The very first question trains the model on the measured yields, for some minutes; it is kept.",
    ),
    Question(
        "metabolism-rates",
        "metabolism",
        "Rate constants of a reaction network",
        "Estimates the rate constants of a mass-action network from a time course, and says which cannot be known.",
        "probatum.problems.metabolism.commands",
        "rates",
        (
            Field("structure", "Stoichiometry", "file", "A row a metabolite, a column a reaction.", required=True,
                  suffixes=_CSV),
            Field("data", "Time course", "file", "Concentrations over time, wide or long.", required=True,
                  suffixes=_CSV),
            Field("orders", "Orders of the rates", "file", "As the stoichiometry; else mass action.", suffixes=_CSV),
            Field("homeostasis", "Homeostasis", "file", "Columns metabolite, decay, level; else none.", suffixes=_CSV),
            Field("noise", "Noise", "number", "Standard deviation of a concentration; 0: clean.", default="0", least=0),
            Field("method", "Method", "choice", choices=("auto", "differences", "integrals", "shooting"),
                  default="auto"),
            Field("level", "Level of intervals", "number", "0.9 for 90 %.", default="0.9", least=0.01, most=0.999),
        ),
    ),
    Question(
        "metabolism-fit",
        "metabolism",
        "Parameters of a reaction model",
        "Fits the constants of an SBML model to a time course by maximum likelihood, from many starts.",
        "probatum.problems.metabolism.commands",
        "fit",
        (
            Field("sbml", "Model", "file", "SBML.", required=True, suffixes=(".xml", ".sbml")),
            Field("data", "Time course", "file", "Concentrations over time, wide or long.", required=True,
                  suffixes=_CSV),
            Field("noise", "Noise", "number", "Standard deviation; 0: estimated.", default="0", least=0),
            Field("estimate", "Constants", "text", "Names apart by commas; else all."),
            Field("starts", "Starts", "whole", default="48", least=1, most=1000),
        ),
        limit=1800.0,
    ),
)  # fmt: skip
"""In the order of the page."""
