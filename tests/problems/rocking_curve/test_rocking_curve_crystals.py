"""Lattices, Bragg angles and structure factors are those of published tables and of another program."""

from __future__ import annotations

import math

import numpy as np
import pytest

from probatum.errors import DataError, UnknownNameError
from probatum.problems.rocking_curve.crystals import CRYSTALS, GGG_444, reflection
from probatum.problems.rocking_curve.scattering_factors import FACTORS

ATOMIC_NUMBERS = {"C": 6, "O": 8, "Si": 14, "Fe": 26, "Ga": 31, "Ge": 32, "As": 33, "Y": 39, "Zr": 40, "Gd": 64}
# xrayutilities 1.8.0 at 8047.82 eV, without thermal motion: chi_0, and |Re|, |Im| of chi_h. Its tables of f0 and of
# f', f'' are other ones than those used here.
BY_XRAYUTILITIES = {
    ("Si", (0, 0, 4)): (-1.515685e-05 + 3.571986e-07j, 8.262407e-06, 3.571986e-07),
    ("Ge", (0, 0, 4)): (-2.905511e-05 + 8.553629e-07j, 1.822598e-05, 8.553629e-07),
    ("GaAs", (0, 0, 4)): (-2.910927e-05 + 8.625712e-07j, 1.820014e-05, 8.625712e-07),
    ("GGG", (4, 4, 4)): (-3.684589e-05 + 3.620310e-06j, 1.293603e-05, 3.303730e-06),
    ("YIG", (4, 4, 4)): (-3.030593e-05 + 2.023745e-06j, 9.149945e-06, 8.443367e-07),
    ("3C-SiC", (4, 0, 0)): (-2.083690e-05 + 3.551092e-07j, 8.925856e-06, 3.551092e-07),
}


@pytest.mark.parametrize("case", BY_XRAYUTILITIES, ids=str)
def test_structure_factors_agree_with_another_program(case):
    name, hkl = case
    found = reflection(name, hkl)
    chi_0, real, imaginary = BY_XRAYUTILITIES[case]
    assert found.chi_0.real == pytest.approx(chi_0.real, rel=0.01)
    assert found.chi_0.imag == pytest.approx(chi_0.imag, rel=0.04)
    assert abs(found.chi_h.real) == pytest.approx(real, rel=0.01)
    assert abs(found.chi_h.imag) == pytest.approx(imaginary, rel=0.04)


def test_commonly_used_constants_of_garnet_and_silicon_are_found():
    garnet = reflection("GGG", (4, 4, 4), GGG_444.wavelength)
    assert math.degrees(garnet.bragg_angle) == pytest.approx(25.529, abs=1e-3)
    assert garnet.chi_0.imag == pytest.approx(GGG_444.chi_0.imag, rel=0.01)
    # The sign of chi_h is free, the angle between its parts is not.
    assert -garnet.chi_h.real == pytest.approx(GGG_444.chi_h.real, rel=0.02)
    assert -garnet.chi_h.imag == pytest.approx(GGG_444.chi_h.imag, rel=0.02)
    assert garnet.polarisations[1] * 3.261 == pytest.approx(2.050, abs=1e-3)
    silicon = reflection("Si", (0, 0, 4))
    assert math.degrees(silicon.bragg_angle) == pytest.approx(34.563, abs=2e-3)
    assert silicon.chi_0 == pytest.approx(-15.16e-6 + 0.357e-6j, rel=0.003)
    assert abs(silicon.chi) == pytest.approx(8.26e-6, rel=0.003)


def test_scattering_forward_counts_the_electrons():
    for element, factor in FACTORS.items():
        assert factor.f0(0.0) == pytest.approx(ATOMIC_NUMBERS[element], rel=0.002)
        assert factor.f0(2.0) < factor.f0(0.5) < factor.f0(0.0)
        assert factor.anomalous.imag > 0


def test_cells_hold_whole_formulas_at_their_density():
    masses = {"C": 12.011, "O": 15.999, "Si": 28.085, "Fe": 55.845, "Ga": 69.723, "Ge": 72.63, "As": 74.9216}
    masses |= {"Y": 88.906, "Zr": 91.224, "Gd": 157.25}
    densities = {
        "GGG": 7.08,
        "YIG": 5.17,
        "Si": 2.329,
        "Ge": 5.323,
        "GaAs": 5.317,
        "3C-SiC": 3.21,
        "6H-SiC": 3.21,
        "YSZ": 5.95,
    }
    assert set(densities) == set(CRYSTALS)
    for name, density in densities.items():
        crystal = CRYSTALS[name]
        mass = sum(site.occupancy * len(site.positions) * masses[site.element] for site in crystal.sites)
        assert 1.66054 * mass / crystal.volume == pytest.approx(density, rel=0.01)


def test_sites_of_garnet_have_their_multiplicities():
    for name in ("GGG", "YIG"):
        assert [len(site.positions) for site in CRYSTALS[name].sites] == [24, 16, 24, 96]


def test_reflections_in_opposite_directions_differ_only_where_the_crystal_has_no_centre():
    for hkl in ((1, 1, 1), (0, 0, 4), (2, 2, 4)):
        silicon, arsenide = reflection("Si", hkl), reflection("GaAs", hkl)
        assert abs(silicon.chi_h) == pytest.approx(abs(silicon.chi_minus_h), rel=1e-9)
        # Friedel's law: without absorption they would be conjugate.
        assert abs(arsenide.chi_h) == pytest.approx(abs(arsenide.chi_minus_h), rel=0.1)
    polar = reflection("GaAs", (1, 1, 1))
    assert abs(abs(polar.chi_h / polar.chi_minus_h) - 1) > 1e-3


def test_spacing_of_hexagonal_planes_and_of_orders():
    carbide = CRYSTALS["6H-SiC"]
    assert carbide.spacing((0, 0, 12)) == pytest.approx(15.1198 / 12)
    assert carbide.spacing((1, 0, 0)) == pytest.approx(3.0813 * math.sqrt(3) / 2)
    assert carbide.spacing((1, 0, 0)) == pytest.approx(carbide.spacing((1, -1, 0)))
    assert np.sqrt(3.0813**4 * 0.75) * 15.1198 == pytest.approx(carbide.volume)


def test_thermal_motion_weakens_the_reflection_and_not_the_mean():
    cold, warm = reflection("Si", (0, 0, 4)), reflection("Si", (0, 0, 4), temperature_factor=0.46)
    s = 1 / (2 * CRYSTALS["Si"].spacing((0, 0, 4)))
    assert warm.chi / cold.chi == pytest.approx(math.exp(-0.46 * s * s))
    assert warm.chi_0 == cold.chi_0


def test_other_wavelengths_need_their_own_anomalous_factors():
    with pytest.raises(DataError, match="near 1"):
        reflection("Si", (0, 0, 4), 0.7093)
    assert reflection("Si", (0, 0, 4), 0.7093, anomalous={"Si": 0.08 + 0.07j}).chi_0.imag > 0


def test_reflections_that_do_not_exist_are_refused():
    with pytest.raises(UnknownNameError, match="GGE"):
        reflection("GGE", (4, 4, 4))
    for hkl, message in (((0, 0, 0), "no reflection"), ((0, 0, 2), "forbidden"), ((0, 0, 12), "no Bragg angle")):
        with pytest.raises(DataError, match=message):
            reflection("Si", hkl)
