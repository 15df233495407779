"""`probatum analog-codes ...`: heights of a code, codes for a fault model, better ones, and data to learn from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from probatum.errors import DataError
from probatum.problems.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from probatum.problems.analog_codes.generators import AccurateSystematic

Part = TypeVar("Part")


def height(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A generator matrix: CSV without a header, or .npy.")],
    parity_check: Annotated[
        bool, typer.Option("--parity-check", help="FILE holds a parity check matrix H instead: c with H c = 0.")
    ] = False,
    m: Annotated[int | None, typer.Option("--m", min=1, help="Only h_m for this m.")] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="As fractions, the file's numbers taken as they stand.")
    ] = False,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, help="Codes too long to be exact: restarts of the search for each m.")
    ] = 400,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of that search.")] = 0,
) -> Answer:
    """All heights of a code, h_1 to h_(n-k), each with a codeword that attains it."""
    from probatum.problems.analog_codes.generators import accurate_systematic, generator_of
    from probatum.problems.analog_codes.heights import LONGEST
    from probatum.problems.analog_codes.matrix_file import read_matrix

    matrix = read_matrix(file)
    rows, n = matrix.shape
    if rows >= n:
        kind = "parity check" if parity_check else "generator"
        raise DataError(
            f"a {kind} of {rows} rows and {n} columns protects nothing",
            where=str(file),
            remedy="write fewer rows than columns, or transpose it",
        )
    k = n - rows if parity_check else rows
    if m is not None and m > n - k:
        raise DataError(
            f"there is no h_{m} of a code of length {n} and dimension {k}",
            where="--m",
            remedy=f"choose 1 to {n - k}",
        )
    asked = list(range(1, n - k + 1)) if m is None else [m]
    threads = os.cpu_count() or 1
    try:
        if n > LONGEST:
            G = generator_of(matrix) if parity_check else matrix
            return _bracket(G, asked, rounds=rounds, seed=seed, threads=threads)
        code = accurate_systematic(matrix)
        return _exact(matrix, code.dual() if parity_check else code, parity_check, asked, exact, threads)
    except DataError as error:
        raise DataError(error.what, where=error.where or str(file), remedy=error.remedy) from None


def _exact(
    matrix: np.ndarray, code: AccurateSystematic, parity_check: bool, asked: list[int], fractions: bool, threads: int
) -> Answer:
    import numpy as np
    from rich.table import Table

    from probatum.problems.analog_codes.exact_heights import exact_profile, exact_profile_of_parity_check
    from probatum.problems.analog_codes.heights import profile_of
    from probatum.problems.analog_codes.witnesses import witnesses_of

    k, redundancy = code.P.shape
    if fractions:
        exact = exact_profile_of_parity_check(matrix) if parity_check else exact_profile(matrix)
        heights = np.array([float(h) for h in exact])
    else:
        exact, heights = None, profile_of(code, threads=threads)
    words = witnesses_of(code, heights, threads=threads)
    values: dict[str, Any] = {
        "schema": 1,
        "kind": "exact",
        "length": k + redundancy,
        "dimension": k,
        "m": asked,
        "heights": [float(heights[m - 1]) for m in asked],
        "infinite": [bool(np.isinf(heights[m - 1])) for m in asked],
        "witnesses": [words[m - 1].tolist() for m in asked],
    }
    table = Table("m", "h_m", "a codeword that attains it")
    for m in asked:
        shown = "infinite" if np.isinf(heights[m - 1]) else f"{heights[m - 1]:.10g}"
        if exact is not None and not np.isinf(heights[m - 1]):
            shown = f"{exact[m - 1]} = {shown}"
        table.add_row(str(m), shown, _numbers(words[m - 1]))
    if exact is not None:
        values["fractions"] = [None if np.isinf(heights[m - 1]) else str(exact[m - 1]) for m in asked]
    parts: list[Any] = [f"[{k + redundancy}, {k}] code, exact heights", table]
    infinite = [m for m in range(1, redundancy + 1) if np.isinf(heights[m - 1])]
    if infinite:
        parts.append(
            f"h_m is infinite from m = {infinite[0]}: a codeword other than 0 has {infinite[0]} entries that are not 0."
        )
    return Answer(values, parts)


def _bracket(G: np.ndarray, asked: list[int], *, rounds: int, seed: int, threads: int) -> Answer:
    import numpy as np
    from rich.table import Table

    from probatum.problems.analog_codes.brackets import height_bracket
    from probatum.problems.analog_codes.heights import LONGEST

    k, n = G.shape
    found = height_bracket(G, rounds=rounds, seed=seed, threads=threads)
    table = Table("m", "h_m at least", "at most", "a codeword that attains the lower bound")
    for m in asked:
        upper = found.upper[m - 1]
        shown = "unknown" if np.isinf(upper) else f"{upper:.6g}"
        table.add_row(str(m), f"{found.lower[m - 1]:.6g}", shown, _numbers(found.codewords[m - 1]))
    sizes = ", ".join(str(len(part)) for part in found.parts)
    source = (
        f"Upper bounds: exact heights of the punctured codes on {sizes} columns, and one more in turn."
        if found.parts
        else "There is no upper bound: no disjoint parts of at most 18 columns have full rank."
    )
    values = {
        "schema": 1,
        "kind": "bracket",
        "length": n,
        "dimension": k,
        "m": asked,
        "lower": [float(found.lower[m - 1]) for m in asked],
        "upper": [float(found.upper[m - 1]) for m in asked],
        "witnesses": [found.codewords[m - 1].tolist() for m in asked],
        "upper_from_columns": [list(part) for part in found.parts],
    }
    head = f"[{n}, {k}] code, a bracket and not exact: heights are exact up to length {LONGEST}"
    return Answer(values, [head, table, source])


def _numbers(word: np.ndarray) -> str:
    return " ".join(f"{x:.6g}" if abs(x) > 1e-12 else "0" for x in word.tolist())


def design(
    delta: Annotated[float, typer.Option("--delta", help="Largest size of the noise that every position has.")],
    Delta: Annotated[float, typer.Option("--Delta", help="Outliers larger than this have to be found.")],
    correct: Annotated[int, typer.Option("--correct", min=0, help="Outliers that are located.")] = 1,
    detect: Annotated[int, typer.Option("--detect", min=0, help="Outliers beyond these that are noticed.")] = 0,
    code: Annotated[
        Path | None, typer.Option("--code", metavar="FILE", help="Judge this generator matrix instead of known codes.")
    ] = None,
    longest: Annotated[int, typer.Option("--longest", min=2, max=24, help="Longest of the known codes.")] = 16,
    trials: Annotated[int, typer.Option("--trials", min=0, help="Simulated words to decode with the first code.")] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the simulation.")] = 0,
) -> Answer:
    """Which height corrects and detects so many outliers, and which codes have it."""
    from rich.table import Table

    from probatum.problems.analog_codes.constructions import Construction
    from probatum.problems.analog_codes.design import Candidate, FaultModel, candidates, missed
    from probatum.problems.analog_codes.heights import height_profile
    from probatum.problems.analog_codes.matrix_file import read_matrix

    faults = FaultModel(delta, Delta, correct, detect)
    h = f"h_{faults.m}"
    need = f"Delta / delta = {Delta / delta:.6g} >= 2 {h} + 2 asks for {h} <= {faults.largest_height:.6g}"
    values: dict[str, Any] = {"schema": 1, "m": faults.m, "largest_height": faults.largest_height}
    if code is None:
        found = candidates(faults, range(2, longest + 1))
    else:
        G = read_matrix(code)
        k, n = G.shape
        if n - k < faults.m:
            raise DataError(
                f"a code of length {n} and dimension {k} has no h_{faults.m}",
                where=str(code),
                remedy=f"ask for less, or take a code with n - k >= {faults.m}",
            )
        judged = Candidate(Construction(code.name, G), float(height_profile(G)[faults.m - 1]))
        values["height"] = judged.height
        values["suffices"] = judged.height <= faults.largest_height * (1 + 1e-9)
        need += f"; {code.name} has h_{faults.m} = {judged.height:.6g}"
        found = [judged] if values["suffices"] else []
    values["codes"] = [
        {
            "name": c.code.name,
            "length": c.code.G.shape[1],
            "dimension": len(c.code.G),
            "rate": c.rate,
            "height": c.height,
            "smallest_Delta": delta * (2 * c.height + 2),
            "generator": c.code.G.tolist(),
        }
        for c in found
    ]
    shown: list[Any] = [need]
    if not found:
        shown.append(
            "No code here does: ask for less, or look for one with 'probatum analog-codes search'."
            if code is None
            else "It does not suffice."
        )
    else:
        table = Table("code", "length", "dimension", "rate", f"h_{faults.m}", "finds outliers above")
        for c in found[:SHOWN]:
            k, n = c.code.G.shape
            table.add_row(
                c.code.name, str(n), str(k), f"{c.rate:.3f}", f"{c.height:.6g}", f"{delta * (2 * c.height + 2):.6g}"
            )
        shown.append(table)
        if trials:
            failures = missed(found[0].code.G, faults, trials, seed)
            values["trials"], values["failures"] = trials, failures
            shown.append(f"Simulated: {failures} of {trials} words decoded wrongly with {found[0].code.name}.")
    return Answer(values, shown)


def search(
    n: Annotated[int, typer.Option("--n", min=2, help="Length of the code.")],
    k: Annotated[int, typer.Option("--k", min=1, help="Its dimension.")],
    m: Annotated[int | None, typer.Option("--m", min=1, help="Which height is to be small; n - k without it.")] = None,
    entries: Annotated[
        str | None,
        typer.Option("--entries", metavar="A..B", help="Only integers from A to B in P, as --entries=-8..8."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=0, help="How many more rounds to search.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all rounds.")] = 0,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="FILE", help="Continue from this file, and write it.")
    ] = None,
) -> Answer:
    """Look for a code [I | P] of small height, and say how far it is from what is known and what is possible."""
    from probatum.problems.analog_codes.code_search import Search, continued, resumed
    from probatum.problems.analog_codes.constructions import constructions
    from probatum.problems.analog_codes.heights import height_profile

    asked = Search(n, k, n - k if m is None else m, _range(entries), seed)
    begun = asked if state is None else resumed(asked, state)
    found = continued(begun, rounds, state)
    known = {code.name: float(height_profile(code.G)[found.m - 1]) for code in constructions(n) if len(code.G) == k}
    values = {
        "schema": 1,
        "n": n,
        "k": k,
        "m": found.m,
        "entries": None if found.entries is None else list(found.entries),
        "rounds": found.rounds,
        "height": found.height,
        "P": [list(row) for row in found.P],
        "lower_bound": found.bound,
        "known": known,
    }
    if not found.P:
        return Answer(values, [f"No code of finite h_{found.m} after {found.rounds} rounds."])
    among = "real numbers" if found.entries is None else f"integers {found.entries[0]}..{found.entries[1]}"
    shown = [
        f"Smallest h_{found.m} of [{n}, {k}] codes after {found.rounds} rounds among {among}: {found.height:.10g}",
        *(f"{name}, a known construction: {value:.10g}" for name, value in known.items()),
        f"No code has less than {found.bound:g}: this is at most {found.height / found.bound:.6g} times the smallest.",
        "P, row by row:",
        *(" ".join(f"{x:.10g}" for x in row) for row in found.P),
    ]
    return Answer(values, shown)


def data(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the Parquet files go, or go on.")],
    n: Annotated[int, typer.Option("--n", min=2, help="Length of the codes, up to 24.")] = 9,
    k: Annotated[int, typer.Option("--k", min=1, help="Their dimension.")] = 4,
    codes: Annotated[int, typer.Option("--codes", min=1, help="How many.")] = 100_000,
    distribution: Annotated[
        str, typer.Option("--distribution", help="Of P's entries: uniform or integer.")
    ] = "uniform",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the generator.")] = 0,
    draw: Annotated[int, typer.Option("--draw", min=0, help="Independent draws of one seed.")] = 0,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Codes in a file.")] = 65536,
    validation: Annotated[float, typer.Option("--validation", help="Share of the codes to validate on.")] = 0.1,
    test: Annotated[float, typer.Option("--test", help="Share of the codes to test on.")] = 0.1,
) -> Answer:
    """Write random codes with all their exact heights, labelled and split; run again, it makes what is missing."""
    import numpy as np
    from rich.table import Table

    from probatum.problems.analog_codes.shards import SPLITS, CodeRequest, write_codes

    request = CodeRequest(n, k, codes, distribution, seed, draw, rows, validation, test)
    made, splits, infinite, labels = 0, dict.fromkeys(SPLITS, 0), np.zeros(n - k, dtype=np.int64), []
    for part, new in _shown(write_codes(request, folder, threads=os.cpu_count() or 1), request.parts):
        made += new
        for name in SPLITS:
            splits[name] += int((part.split == name).sum())
        infinite += np.isinf(part.log2_heights).sum(axis=0)
        labels.append(np.array([int(label, 16) for label in part.label.tolist()], dtype=np.uint64))
    different = len(np.unique(np.concatenate(labels)))
    values = {
        "schema": 1,
        "folder": str(folder),
        "files": request.parts,
        "made": made,
        "codes": codes,
        "different_codes": different,
        "splits": splits,
        "infinite": {str(m): int(count) for m, count in enumerate(infinite, start=1)},
    }
    table = Table("m", "infinite heights", "share")
    for m, count in enumerate(infinite.tolist(), start=1):
        table.add_row(str(m), str(count), f"{count / codes:.3%}")
    shown = [
        f"{codes} codes [{n}, {k}] in {request.parts} files in {folder}, {made} of them made now.",
        f"{different} of them are different; " + ", ".join(f"{count} {name}" for name, count in splits.items()) + ".",
        table,
    ]
    return Answer(values, shown)


def _shown(parts: Iterable[Part], count: int) -> Iterable[Part]:
    """The parts, with a bar on the standard error."""
    from rich.console import Console
    from rich.progress import track

    return track(parts, "codes", total=count, console=Console(stderr=True), transient=True)


def _range(entries: str | None) -> tuple[int, int] | None:
    if entries is None:
        return None
    low, dots, high = entries.partition("..")
    try:
        if not dots:
            raise ValueError
        return int(low), int(high)
    except ValueError:
        raise DataError(
            f"'{entries}' is no range of integers", where="--entries", remedy="write it as --entries=-8..8"
        ) from None


SHOWN = 12
"""Codes in the table; --json has all."""
COMMANDS = {"height": height, "design": design, "search": search, "data": data}
