"""PEtab problems read, written and evaluated as the standard says, with petab's own functions as the judge."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError, DataMissingError
from probatum.problems.metabolism.likelihood import Likelihood, likelihood
from probatum.problems.metabolism.petab_problem import PetabProblem
from probatum.problems.metabolism.petab_reading import read_petab
from probatum.problems.metabolism.petab_writing import write_petab
from problems.metabolism import small_petab

pytest.importorskip("libsbml", reason="needs the extra 'metabolism'")
pytest.importorskip("diffrax", reason="needs the extra 'metabolism'")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> PetabProblem:
    return read_petab(small_petab.write(tmp_path_factory.mktemp("small")))


@pytest.fixture(scope="module")
def of_small(small: PetabProblem) -> Likelihood:
    return likelihood(small, width=2, tolerance=1e-10)


def by_hand(problem: PetabProblem, scaled: np.ndarray) -> np.ndarray:
    """Simulations from the solution A = A0 exp(-k t), B = B0 + A0 - A."""
    k_own, scale, start = 10 ** scaled[0], scaled[1], scaled[3]
    found = []
    for row in problem.measurements:
        k, A0 = (k_own, start) if row.condition == "high" else (0.9, 1.0)
        A = A0 * np.exp(-k * row.time)
        B = 0.5 + A0 - A
        found.append(
            {"y_lin": scale * A + 0.2, "y_log": scale * (A + B), "y_ten": A + B * k, "y_lap": B}.get(row.observable, A)
        )
    return np.array(found)


def test_a_problem_is_read_with_its_scales_bounds_and_overrides(small: PetabProblem):
    assert [one.id for one in small.estimated] == ["k", "scale", "sd", "start"]
    np.testing.assert_allclose(small.nominal, [np.log10(0.4), 1.5, np.log(0.3), 2.5])
    low, high = small.bounds
    np.testing.assert_allclose(low, [-3, 0.1, np.log(1e-3), 0.5])
    np.testing.assert_allclose(high, [2, 10, np.log(10), 5])
    assert len(small.measurements) == 48


def test_simulations_are_the_solution(small: PetabProblem, of_small: Likelihood):
    found, _ = of_small.simulated(small.nominal)
    np.testing.assert_allclose(found, by_hand(small, small.nominal), rtol=1e-7)


def test_the_likelihood_is_petabs_for_every_scale_and_distribution(small: PetabProblem, of_small: Likelihood):
    petab = pytest.importorskip("petab.v1", reason="needs the extra 'test'")
    frames = [_frame(text) for text in (small_petab.measurements(), small_petab.OBSERVABLES, small_petab.PARAMETERS)]
    measured, observables, parameters = frames
    simulated = measured.rename(columns={"measurement": "simulation"})
    simulated["simulation"] = by_hand(small, small.nominal)
    expected = petab.calculate_llh(
        measured, simulated, observables.set_index("observableId"), parameters.set_index("parameterId")
    )
    assert of_small.log_likelihood(small.nominal) == pytest.approx(expected, rel=1e-7)


def test_gradient_and_information_are_those_of_differences(small: PetabProblem, of_small: Likelihood):
    x = small.nominal + 0.05
    point = of_small(x[None], x[None], x[None])
    assert np.isfinite(point.information).all()
    for j, direction in enumerate(np.eye(4) * 1e-5):
        rise = of_small.log_likelihood(x + direction) - of_small.log_likelihood(x - direction)
        assert point.gradient[0, j] == pytest.approx(-rise / 2e-5, rel=2e-5, abs=1e-4)
    h, noise = of_small.simulated(x)
    up, noise_up = of_small.simulated(x + np.eye(4)[0] * 1e-5)
    normal_lin = np.array([row.observable == "y_lin" for row in small.measurements])
    of_lin = np.sum(((up - h) / 1e-5 / noise)[normal_lin] ** 2)
    assert of_lin < point.information[0, 0, 0]
    assert np.linalg.eigvalsh(point.information[0]).min() > -1e-8
    assert noise_up.shape == (48,)


def test_a_lane_does_not_depend_on_its_company(small: PetabProblem, of_small: Likelihood):
    x = np.stack([small.nominal, small.nominal + 0.1])
    low, high = (np.stack([bound] * 2) for bound in small.bounds)
    both, alone = of_small(x, low, high), of_small(x[:1], low[:1], high[:1])
    assert both.loss[0] == pytest.approx(alone.loss[0], rel=1e-12)


def test_noise_that_stands_alone_is_at_its_best(tmp_path: Path):
    path = small_petab.write(
        tmp_path,
        observables="observableId\tobservableFormula\tnoiseFormula\ny_lin\tscale * A\tsd\n",
        measurements=small_petab.HEAD
        + "".join(f"y_lin\thigh\t{value}\t{time}\t\t\n" for value, time in ((3.0, 0), (2.0, 1), (1.7, 2))),
    )
    problem = read_petab(path)
    of = likelihood(problem, width=1)
    low, high = problem.bounds
    point = of(problem.nominal[None], low[None], high[None])
    values = np.array([3.0, 2.0, 1.7])
    best = np.sqrt(np.mean((values - 1.5 * 2.5 * np.exp(-0.4 * np.arange(3))) ** 2))
    assert np.exp(point.parameters[0, 2]) == pytest.approx(best, rel=1e-6)
    assert abs(point.gradient[0, 2]) < 1e-9
    held = of(problem.nominal[None], problem.nominal[None], problem.nominal[None])
    assert held.parameters[0, 2] == problem.nominal[2]


def test_what_is_written_is_read_back_and_passes_petabs_lint(small: PetabProblem, tmp_path: Path):
    values = [0.5, 2.0, 0.25, 3.0]
    again = read_petab(write_petab(small.with_nominal(values), tmp_path / "out"))
    assert again.measurements == small.measurements
    assert again.observables == small.observables
    assert again.conditions == small.conditions
    np.testing.assert_allclose(again.nominal, [np.log10(0.5), 2.0, np.log(0.25), 3.0])


def test_what_is_written_passes_petabs_own_lint(tmp_path: Path):
    petab = pytest.importorskip("petab.v1", reason="needs the extra 'test'")
    problem = read_petab(
        small_petab.write(
            tmp_path,
            observables=small_petab.OBSERVABLES.replace("0.05 * y_ten", "0.05 * scale"),
            conditions="conditionId\tA\nhigh\tstart\nlow\t1\n",
        )
    )
    written = write_petab(problem, tmp_path / "out")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert petab.lint_problem(petab.Problem.from_yaml(written)) is False  # whether errors occurred


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("problem", "format_version: 1", "format_version: 2.0.0", "is PEtab of version 2.0.0"),
        ("problem", "problems:", "problem:", "is no PEtab problem"),
        ("problem", "  observable_files: [observables.tsv]\n", "", "names no 'observable_files'"),
        ("problem", "[model.xml]", "[model.xml, other.xml]", "2 models"),
        ("problem", "format_version: 1", "format_version: [", "is no YAML"),
        ("parameters", "log10\t0.001\t100", "log10\t0\t100", "a lower bound of 0 on the scale 'log10'"),
        ("parameters", "log10\t0.001\t100", "log10\t100\t1", "bounds of 100 and 1"),
        ("parameters", "log10\t", "log11\t", "'log11' is not known; did you mean 'log10'"),
        ("parameters", "0.2\t0", "\t0", "'offset': is fixed, and has no nominal value"),
        ("parameters", "0.4\t1", "0.4\tyes", "'yes' is neither 0 nor 1"),
        ("parameters", "k\tlog10", "k_2\tlog10\t0.1\t1\t0.4\t1\nk_2\tlog10", "the parameter 'k_2' stands there twice"),
        ("parameters", "offset\tlin", "ofset\tlin", "there is no 'offset'; did you mean 'ofset'"),
        ("parameters", "offset\tlin", "B\tlin", "is determined by the model itself"),
        ("observables", "scale * A + offset", "scale * A +", "the formula ends too soon"),
        ("observables", "scale * A + offset", "scale * C", "there is no 'C'"),
        ("observables", "normal", "gauss", "'gauss' is not known"),
        ("conditions", "conditionId\tA\tk", "conditionId\tA\tq", "'q' is nothing in the model that can be set"),
        ("conditions", "start", "begin", "there is no 'begin'"),
        ("measurements", "y_lin\thigh", "y_line\thigh", "there is no observable 'y_line'; did you mean 'y_lin'"),
        ("measurements", "y_lin\thigh", "y_lin\thi", "there is no condition 'hi'"),
        ("measurements", "\t0.5\t", "\tinf\t", "a time of inf is not supported"),
        ("measurements", "\t0.5\t", "\tnan\t", "a time of nan"),
        ("measurements", "\tscale\t0.25", "\t\t0.25", "there is no 'observableParameter1_y_log'"),
        ("measurements", "simulationConditionId", "conditionId", "no column 'simulationConditionId'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, file: str, old: str, new: str, said: str):
    content = {
        "problem": small_petab.YAML, "parameters": small_petab.PARAMETERS, "observables": small_petab.OBSERVABLES,
        "conditions": small_petab.CONDITIONS, "measurements": small_petab.measurements(),
    }[file]  # fmt: skip
    assert old in content
    with pytest.raises(DataError) as caught:
        read_petab(small_petab.write(tmp_path, **{file: content.replace(old, new)}))
    assert said in str(caught.value)


def test_a_negative_measurement_on_a_logarithmic_scale_is_refused(tmp_path: Path):
    rows = small_petab.HEAD + "y_log\thigh\t-1\t0\tscale\t0.25\n"
    with pytest.raises(DataError, match="-1 has no logarithm"):
        read_petab(small_petab.write(tmp_path, measurements=rows))


def test_preequilibration_is_refused(tmp_path: Path):
    rows = small_petab.HEAD.strip() + "\tpreequilibrationConditionId\ny_lin\thigh\t1\t0\t\t\tlow\n"
    with pytest.raises(DataError, match="preequilibration is not supported"):
        read_petab(small_petab.write(tmp_path, measurements=rows))


def test_priors_are_named_as_not_used(tmp_path: Path):
    lines = small_petab.PARAMETERS.splitlines()
    lines = [lines[0] + "\tobjectivePriorType", lines[1] + "\tnormal", *(line + "\t" for line in lines[2:])]
    problem = read_petab(small_petab.write(tmp_path, parameters="\n".join(lines) + "\n"))
    assert problem.remarks == ("the objectivePriorType of 'k' is not used: the likelihood alone is maximised",)


def test_files_that_are_not_there_are_named(tmp_path: Path):
    path = small_petab.write(tmp_path)
    with pytest.raises(DataMissingError, match=r"problem\.yaml"):
        read_petab(tmp_path / "problm.yaml")
    (tmp_path / "observables.tsv").unlink()
    with pytest.raises(DataMissingError, match=r"observables\.tsv"):
        read_petab(path)


@pytest.mark.real
def test_boehm_has_its_reference_likelihood(real_data: Path):
    path = real_data / "metabolism" / "Boehm_JProteomeRes2014" / "Boehm_JProteomeRes2014.yaml"
    problem = read_petab(path)
    assert len(problem.estimated) == 9
    assert likelihood(problem, width=1).log_likelihood(problem.nominal) == pytest.approx(-138.222, abs=5e-4)


def _frame(text: str):
    import io

    import pandas as pd

    return pd.read_csv(io.StringIO(text), sep="\t")
