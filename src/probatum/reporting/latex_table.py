"""The table of verdicts for a paper: LaTeX with booktabs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probatum.reporting.numbers import figure, probability, signed
from probatum.reporting.report_text import shown_arms

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip
"""Signs to what prints them."""


def latex_table(values: Mapping[str, Any]) -> str:
    """Scores and verdicts as a `table` environment; it needs the packages booktabs and fontenc with T1.

    Args:
        values: from `report_values.report_values` or `records.results_values`.
    """
    protocol = values["protocol"]
    verdicts = {v["arm"]: v for v in values["verdicts"]}
    units = sorted({v["units"] for v in values["verdicts"]})
    rows = []
    for arm in shown_arms(values):
        v = verdicts.get(arm["name"])
        spread = "" if arm["seed_spread"] is None else rf" $\pm$ {_number(figure(arm['seed_spread'], 2))}"
        cells = [latex(arm["name"]), f"{_number(figure(arm['score']))}{spread}"]
        if v is None:
            cells += ["baseline" if arm["name"] == values["baseline"] else "trivial", "", "", ""]
        else:
            bounds = v["interval"]
            said = f"[{_number(signed(bounds[0]))}, {_number(signed(bounds[1]))}]" if bounds else ""
            p = probability(v["p_adjusted"]).replace("<", "$<$")
            cells += [v["outcome"], _number(signed(v["difference"])), said, p]
        rows.append("  " + " & ".join(cells) + r" \\")
    level = f"{100 * (1 - protocol['alpha']):g}"
    count = f" over {units[0]} independent units" if len(units) == 1 else ""
    return "\n".join([
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{latex(protocol['metric'])} (mean $\pm$ standard deviation over seeds) of "
        rf"{latex(values['campaign'])}, judged against \emph{{{latex(values['baseline'])}}}{count}; "
        rf"$p$ adjusted by Holm for {len(values['verdicts'])} comparisons.}}",
        r"  \begin{tabular}{lrlrrr}",
        r"  \toprule",
        rf"  experiment & {latex(protocol['metric'])} & verdict & difference & {level}\,\% interval & $p$ \\",
        r"  \midrule",
        *rows,
        r"  \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]) + "\n"  # fmt: skip


def latex(text: Any) -> str:
    """Text on one line in which no sign means anything to LaTeX."""
    escaped = "".join(SPECIAL.get(c, c) for c in " ".join(str(text).split()))
    return escaped.replace("--", "-{}-").replace("--", "-{}-")  # else two hyphens print as one dash


def _number(text: str) -> str:
    """A number with its sign, its power of ten written as one."""
    mantissa, e, power = text.partition("e")
    times = rf" \times 10^{{{int(power)}}}" if e else ""
    return f"${mantissa}{times}$" if text[:1] in "+-" or e else text
