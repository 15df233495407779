"""Formulas mean what PEtab's own parser says they mean; what is no formula is refused with its place."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.errors import DataError, UnknownNameError
from probatum.problems.metabolism.expressions import TIME, Call, Name, Number, evaluated, names, ordered, substituted
from probatum.problems.metabolism.formulas import formula

VALUES = {"a": 1.3, "b": 2.1, "c": 0.7}


def of_petab(text: str) -> float:
    math = pytest.importorskip("petab.v1.math", reason="needs the extra 'test'")
    found = math.sympify_petab(text)
    return float(found.subs({symbol: VALUES[str(symbol)] for symbol in found.free_symbols}))


def of_ours(text: str) -> float:
    with jax.enable_x64(True):
        return float(evaluated(formula(text, "x"), VALUES))


def expressions() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["a", "b", "c", "2", "0.5", "1.5e0"])

    def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, st.sampled_from([" + ", "-", "*", "/"]), inner).map("".join),
            st.tuples(inner, st.sampled_from(["+", "*"]), inner).map(lambda x: f"({''.join(x)})"),
            inner.map(lambda x: f"-{x}"),
            st.tuples(st.sampled_from(["a", "b", "3"]), st.sampled_from(["2", "-1", "c"])).map("^".join),
            inner.map(lambda x: f"exp(-abs({x}))"),
            st.tuples(inner, inner).map(lambda x: f"max({x[0]}, {x[1]})"),
            st.tuples(inner, inner).map(lambda x: f"piecewise({x[0]}, {x[0]} < {x[1]}, {x[1]})"),
        )

    return st.recursive(leaves, wider, max_leaves=6)


@settings(max_examples=40)
@given(expressions())
def test_a_formula_has_the_value_that_petab_gives_it(text: str):
    expected = of_petab(text)
    if np.isfinite(expected):
        np.testing.assert_allclose(of_ours(text), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "a+b*c^2^b", "-a^2", "a/b/c*a", "a-b-c", "2^-a", "log(a,3)+log10(b)+ln(c)+log2(a)+log(b)", " - -a",
        "piecewise(a, a>b || !(b<c), c)", "piecewise(a, a>b && b<c, b, a==a, c)", "min(a,b)*max(b,c)", "pow(a, b)",
        "sqrt(abs(-a))", "arccsch(a)+sec(b)+coth(c)+arcsec(b)", "sign(-b)+sinh(a)-arctanh(c)",
    ],
)  # fmt: skip
def test_every_kind_of_function_agrees_with_petab(text: str):
    np.testing.assert_allclose(of_ours(text), of_petab(text), rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a+", "ends too soon at character 3"),
        ("a b", "'b' was not expected at character 3"),
        ("(a", "')' is missing"),
        ("f(a)", "no function 'f'"),
        ("sqr(a)", "did you mean 'sqrt'"),
        ("a $ b", "'$' means nothing at character 3"),
        ("__import__('os')", "means nothing"),
        ("", "the formula is empty"),
        ("sqrt(a,b)", "'sqrt' of 2 arguments"),
        ("(" * 60 + "a" + ")" * 60, "nested more than 50"),
        ("-" * 3000 + "a", "nested more than 50"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(text: str, said: str):
    with pytest.raises(DataError, match="observable 'x'") as caught:
        formula(text, "observable 'x'")
    assert said in str(caught.value)


def test_a_long_sum_is_no_deep_tree():
    assert of_ours(" + ".join(["a"] * 5000)) == pytest.approx(6500)
    assert of_ours("/".join(["a"] * 500)) == pytest.approx(1.3**-498)


def test_time_is_no_identifier():
    assert names(formula("time * a", "x")) == {TIME, "a"}


def test_a_name_without_a_value_is_named():
    with pytest.raises(UnknownNameError, match="bb"):
        evaluated(Name("bb"), VALUES)


def test_names_are_replaced_all_at_once():
    swapped = substituted(formula("a - b", "x"), {"a": Name("b"), "b": Name("a")})
    assert float(evaluated(swapped, VALUES)) == pytest.approx(0.8)


def test_definitions_in_a_circle_are_named():
    chain = {"z": formula("y + 1", "x"), "y": formula("q", "x"), "q": Number(2.0)}
    assert ordered(chain, "m") == ("q", "y", "z")
    with pytest.raises(DataError, match="'y', 'z' are defined by each other"):
        ordered({**chain, "y": Name("z")}, "m")


@pytest.mark.parametrize("exponent", [2.0, 3.0])
def test_a_whole_power_has_a_derivative_at_zero_and_below(exponent: float):
    power = Call("power", (Name("c"), Number(exponent)))
    with jax.enable_x64(True):
        for c in (0.0, -1e-9):
            slope = float(jax.grad(lambda x: evaluated(power, {"c": x}))(c))
            assert slope == pytest.approx(exponent * c ** (exponent - 1))
