"""Time courses in wide and long form are one, units are converted, and what cannot be is refused with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError
from probatum.problems.metabolism.structure import network
from probatum.problems.metabolism.time_course import read_time_course

WIDE = "time [min],glucose [mM],lactate (uM)\n0,5,100\n1,4,\n4,2,900\n"
LONG = """time,metabolite,value,unit,plate
0,glucose,5,mM,a
4,lactate,900,uM,a
4,glucose,2,mM,a
1,glucose,4,mM,a
0,lactate,.1,mM,b
"""


def written(folder: Path, text: str) -> Path:
    (folder / "course.csv").write_text(text)
    return folder / "course.csv"


def test_wide_and_long_say_the_same(tmp_path: Path):
    wide = read_time_course(written(tmp_path, WIDE))
    long = read_time_course(written(tmp_path, LONG))
    expected = [[5, 0.1], [4, np.nan], [2, 0.9]]
    for one in (wide, long):
        assert one.metabolites == ("glucose", "lactate")
        assert one.times.tolist() == [0, 1, 4]
        np.testing.assert_allclose(one.values, expected)
        assert one.unit == "mM"
    assert wide.time_unit == "min"
    assert any("'lactate' was converted from uM to mM" in remark for remark in wide.remarks)
    assert any("not used: plate" in remark for remark in long.remarks)


def test_rows_are_sorted_and_repeats_are_repeated_measurements(tmp_path: Path):
    course = read_time_course(written(tmp_path, "time;A;B\n2;1;2\n0;3;4\n2;5;6\n"))
    assert course.times.tolist() == [0, 2, 2]
    assert course.values[1:].tolist() == [[1, 2], [5, 6]]
    assert any("1 rows repeat a time" in remark for remark in course.remarks)
    repeated = read_time_course(written(tmp_path, "time,metabolite,value\n1,A,2\n1,A,3\n1,B,4\n0,A,1\n"))
    assert repeated.times.tolist() == [0, 1, 1]
    np.testing.assert_allclose(repeated.values, [[1, np.nan], [2, 4], [3, np.nan]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tim,A\n0,1\n", "no column 'time'"),
        ("time\n0\n", "no metabolite besides"),
        ("time,A\n0,1\n-1,2\n", "line 3, column 'time': the time -1"),
        ("time,A\n0,1\nx,2\n", "line 3, column 'time': 'x' is no finite number"),
        ("time,A\n0,1\n,2\n", "line 3, column 'time': the cell is empty"),
        ("time,A\n0,1\n1,low\n", "line 3, column 'A': 'low' is no concentration"),
        ("time,A\n0,1\n1,inf\n", "line 3, column 'A': 'inf' is no concentration"),
        ("time,A\n0,1\n1,-0.5\n", "line 3, column 'A': the concentration -0.5 is negative"),
        ("time,A [mM],A [uM]\n0,1,2\n", "two columns are of 'A'"),
        ("time,A [mM],B [g/L]\n0,1,2\n", "the unit 'g/L' cannot be converted to 'mM'"),
        ("time,metabolite,value\n0,,1\n", "the label is empty"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, said: str):
    with pytest.raises(DataError) as caught:
        read_time_course(written(tmp_path, text))
    assert any(one in str(caught.value) for one in said.split("|")), str(caught.value)


def test_stated_noise_lets_concentrations_lie_below_zero(tmp_path: Path):
    path = written(tmp_path, "time,A\n0,1\n1,-0.5\n")
    assert read_time_course(path, noise=0.1).values.min() == -0.5
    with pytest.raises(DataError, match="state the noise"):
        read_time_course(path, noise=0.05)


def test_a_network_takes_even_times_and_names_what_it_misses(tmp_path: Path):
    chain = network(np.array([[-1.0], [1.0]]), metabolites=["A", "B"])
    rows = "".join(f"{t},{t + 1},{2 * t}\n" for t in range(9))
    course = read_time_course(written(tmp_path, "time,B,A\n" + rows))
    assert course.trajectory(chain).concentrations[2].tolist() == [4, 3]
    for text, said in (
        ("time,B,C\n" + rows, "no metabolite 'C'"),
        ("time,B\n" + rows.replace(",", ";").replace(";", ",", 1).replace(";", ""), "'A' was never observed|cells"),
        ("time,B,A\n" + rows + "8,3,3\n", "the time 8 stands there twice"),
        ("time,B,A\n" + rows + "11,3,3\n", "uneven times"),
        ("time,B,A\n" + rows.replace("5,6,10", "5,6,"), "no concentration of 'A'"),
    ):
        with pytest.raises(DataError) as caught:
            read_time_course(written(tmp_path, text)).trajectory(chain)
        assert any(one in str(caught.value) for one in said.split("|")), str(caught.value)
