"""Crystals and their reflections: Bragg angle and the Fourier coefficients chi_0, chi_h, chi_-h of the susceptibility.

chi_h = -(r_e lambda^2 / (pi V)) F_h,  F_h = sum over the cell's atoms of occupancy f exp(-B s^2) exp(-2 pi i h r),
with f = f0 + f' - i f'' of `scattering_factors`, s = 1 / (2 d), r_e the classical electron radius, V the cell's
volume (Authier, Dynamical Theory of X-ray Diffraction, 2001, chapter 2). Static disorder is left to `physics`.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError, UnknownNameError
from probatum.problems.rocking_curve.scattering_factors import COPPER_K_ALPHA_1, scattering_factor

ELECTRON_RADIUS = 2.8179403205e-5
"""Angstrom; CODATA 2022."""
FORBIDDEN = 1e-9
"""|chi_h| up to which a reflection counts as forbidden."""


@dataclass(frozen=True)
class Site:
    """Atoms of one kind in the cell.

    Attributes:
        element: its symbol.
        positions: fractional coordinates of every atom, symmetry applied.
        occupancy: the share of these positions that the element takes, 0..1.
    """

    element: str
    positions: tuple[tuple[float, float, float], ...]
    occupancy: float = 1.0


@dataclass(frozen=True)
class Crystal:
    """A crystal.

    Attributes:
        name: as in `CRYSTALS`.
        lengths: a, b, c of the cell, Angstrom.
        angles: alpha, beta, gamma, degrees.
        sites: all atoms of the cell.
        source: of lattice constants and coordinates.
    """

    name: str
    lengths: tuple[float, float, float]
    angles: tuple[float, float, float]
    sites: tuple[Site, ...]
    source: str

    @cached_property
    def metric(self) -> Float[np.ndarray, "3 3"]:
        """[3, 3] float64 products of the cell's edges, Angstrom^2."""
        cosines = np.cos(np.radians(self.angles))
        mixed = np.array([[1, cosines[2], cosines[1]], [cosines[2], 1, cosines[0]], [cosines[1], cosines[0], 1]])
        return np.outer(self.lengths, self.lengths) * mixed

    @property
    def volume(self) -> float:
        """Of the cell, Angstrom^3."""
        return math.sqrt(np.linalg.det(self.metric))

    def spacing(self, hkl: tuple[int, int, int]) -> float:
        """Distance of the lattice planes, Angstrom; not reduced, so (004) is a quarter of (001)."""
        return float(1 / np.sqrt(np.array(hkl) @ np.linalg.solve(self.metric, np.array(hkl, dtype=np.float64))))


@dataclass(frozen=True)
class Reflection:
    """All that diffraction in symmetric Bragg geometry needs of the perfect crystal.

    Attributes:
        name: crystal and Miller indices.
        wavelength: Angstrom.
        bragg_angle: theta_B, radians, without refraction.
        chi_0: mean susceptibility; its imaginary part, the absorption, is positive or 0.
        chi_h, chi_minus_h: Fourier coefficients for h and -h, without polarisation factor.
    """

    name: str
    wavelength: float
    bragg_angle: float
    chi_0: complex
    chi_h: complex
    chi_minus_h: complex

    @property
    def chi(self) -> complex:
        """sqrt(chi_h chi_-h), which stands for chi_h in centrosymmetric crystals; either root serves."""
        return cmath.sqrt(self.chi_h * self.chi_minus_h)

    @property
    def polarisations(self) -> tuple[float, float]:
        """C for sigma and for pi: 1 and |cos 2 theta_B|."""
        return 1.0, abs(math.cos(2 * self.bragg_angle))


def reflection(
    crystal: str | Crystal,
    hkl: tuple[int, int, int],
    wavelength: float = COPPER_K_ALPHA_1,
    *,
    temperature_factor: float = 0.0,
    anomalous: Mapping[str, complex] | None = None,
) -> Reflection:
    """A reflection of a crystal.

    Args:
        crystal: a name of `CRYSTALS`, or one of your own.
        hkl: Miller indices, for hexagonal crystals without the third.
        wavelength: Angstrom.
        temperature_factor: B of the thermal Debye-Waller factor exp(-B s^2), Angstrom^2, one for all atoms.
        anomalous: f' + i f'' by element, needed for wavelengths away from Cu K-alpha1.

    Raises:
        UnknownNameError: for the crystal's name.
        DataError: hkl is 0 0 0 or forbidden, the wavelength is too long for it, or f', f'' are not known for it.
    """
    crystal = crystal_named(crystal) if isinstance(crystal, str) else crystal
    name = f"{crystal.name} ({' '.join(map(str, hkl))})"
    if not any(hkl):
        raise DataError("0 0 0 is no reflection", where=name, remedy="name Miller indices, such as (0, 0, 4)")
    if not wavelength > 0:
        raise DataError(f"a wavelength of {wavelength:g} Angstrom", where=name, remedy="give one above 0")
    sine = wavelength / (2 * crystal.spacing(hkl))
    if not sine < 1:
        raise DataError(
            f"no Bragg angle at {wavelength:g} Angstrom: lambda / 2d = {sine:.4g}",
            where=name,
            remedy="choose lower indices",
        )

    def chi(indices: tuple[int, int, int], s: float) -> complex:
        F = 0j
        for site in crystal.sites:
            phases = np.exp(-2j * np.pi * (np.array(site.positions) @ np.array(indices)))
            f = scattering_factor(site.element, s, wavelength, anomalous) * math.exp(-temperature_factor * s * s)
            F += site.occupancy * f * complex(phases.sum())
        return -ELECTRON_RADIUS * wavelength**2 / (math.pi * crystal.volume) * F

    h, k, l = hkl
    s = sine / wavelength
    plus, minus = chi((h, k, l), s), chi((-h, -k, -l), s)
    if abs(plus) <= FORBIDDEN:
        raise DataError("this reflection is forbidden", where=name, remedy="choose one with a structure factor")
    return Reflection(name, wavelength, math.asin(sine), chi((0, 0, 0), 0.0), plus, minus)


def crystal_named(name: str) -> Crystal:
    """A crystal of `CRYSTALS`.

    Raises:
        UnknownNameError: for the name.
    """
    if name not in CRYSTALS:
        raise UnknownNameError.of("crystal", name, CRYSTALS)
    return CRYSTALS[name]


Position = tuple[float, float, float]
_ORIGIN, _QUARTER = (0.0, 0.0, 0.0), (0.25, 0.25, 0.25)
_FACES = (_ORIGIN, (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0))


def _shifted(start: Position, shifts: tuple[Position, ...]) -> tuple[Position, ...]:
    return tuple((start[0] + x, start[1] + y, start[2] + z) for x, y, z in shifts)


def _cubic(name: str, a: float, sites: tuple[Site, ...], source: str) -> Crystal:
    return Crystal(name, (a, a, a), (90.0, 90.0, 90.0), sites, source)


def _zinc_blende(name: str, a: float, elements: tuple[str, str], source: str) -> Crystal:
    sites = (Site(elements[0], _shifted(_ORIGIN, _FACES)), Site(elements[1], _shifted(_QUARTER, _FACES)))
    return _cubic(name, a, sites, source)


def _garnet_orbit(start: Position) -> tuple[Position, ...]:
    """All positions equivalent to one in space group I a -3 d (230), from its generators in International Tables A."""
    found = {_wrapped(start)}
    new = list(found)
    while new:
        x, y, z = new.pop()
        images = [
            (x + 1 / 2, y + 1 / 2, z + 1 / 2),
            (-x + 1 / 2, -y, z + 1 / 2),
            (-x, y + 1 / 2, -z + 1 / 2),
            (z, x, y),
            (y + 3 / 4, x + 1 / 4, -z + 1 / 4),
            (-x, -y, -z),
        ]
        for image in map(_wrapped, images):
            if image not in found:
                found.add(image)
                new.append(image)
    return tuple(sorted(found))


def _wrapped(position: Position) -> Position:
    # Rounded so that equal positions compare equal; coordinates are known to four digits.
    x, y, z = (round(coordinate % 1, 9) % 1 for coordinate in position)
    return x, y, z


def _garnet(name: str, a: float, dodecahedral: str, other: str, oxygen: Position, source: str) -> Crystal:
    sites = (
        Site(dodecahedral, _garnet_orbit((0.125, 0.0, 0.25))),
        Site(other, _garnet_orbit((0.0, 0.0, 0.0))),
        Site(other, _garnet_orbit((0.375, 0.0, 0.25))),
        Site("O", _garnet_orbit(oxygen)),
    )
    return _cubic(name, a, sites, source)


def _silicon_carbide_6h() -> Crystal:
    """Six double layers ABCACB in the ideal stacking; a carbon three quarters of a layer above every silicon."""
    lateral = {"A": (0.0, 0.0), "B": (1 / 3, 2 / 3), "C": (2 / 3, 1 / 3)}
    silicon = tuple((*lateral[letter], layer / 6) for layer, letter in enumerate("ABCACB"))
    sites = (Site("Si", silicon), Site("C", _shifted((0.0, 0.0, 0.125), silicon)))
    source = "a, c: Bauer et al., Phys. Rev. B 57, 2647 (1998); ideal stacking"
    return Crystal("6H-SiC", (3.0813, 3.0813, 15.1198), (90.0, 90.0, 120.0), sites, source)


def _yttria_stabilised_zirconia(yttria: float = 0.095) -> Crystal:
    """Cubic fluorite with a share `yttria` of Y2O3 in moles, its oxygen vacancies at random."""
    cations = 1 + yttria
    Y, oxygen = 2 * yttria / cations, (2 + yttria) / (2 * cations)
    anions = _shifted(_QUARTER, _FACES) + _shifted((0.75, 0.75, 0.75), _FACES)
    metal = _shifted(_ORIGIN, _FACES)
    sites = (Site("Zr", metal, 1 - Y), Site("Y", metal, Y), Site("O", anions, oxygen))
    return _cubic("YSZ", 5.1454, sites, "9.5 mol % Y2O3, lattice constant as in the examples of RaDMaX")


CRYSTALS = {
    crystal.name: crystal
    for crystal in (
        _garnet(
            "GGG",
            12.383,
            "Gd",
            "Ga",
            (0.9711, 0.0529, 0.1499),
            "a: as in GGG_444; oxygen: about where gallium garnets have it, without a published refinement behind it; "
            "chi_h of (444) comes within 2 % of GGG_444",
        ),
        _garnet(
            "YIG",
            12.376,
            "Y",
            "Fe",
            (0.9726, 0.0572, 0.1495),
            "Geller and Gilleo, J. Phys. Chem. Solids 3, 30 (1957)",
        ),
        _zinc_blende("Si", 5.431020511, ("Si", "Si"), "CODATA 2018"),
        _zinc_blende("Ge", 5.65791, ("Ge", "Ge"), "Baker and Hart, Acta Cryst. A31, 364 (1975)"),
        _zinc_blende("GaAs", 5.65325, ("Ga", "As"), "Blakemore, J. Appl. Phys. 53, R123 (1982)"),
        _zinc_blende("3C-SiC", 4.3596, ("Si", "C"), "Taylor and Jones, Silicon Carbide (1960)"),
        _silicon_carbide_6h(),
        _yttria_stabilised_zirconia(),
    )
}
"""By name. Silicon carbide is there in its cubic and its commonest hexagonal form."""

GGG_444 = Reflection(
    "GGG (4 4 4)", 1.54056, math.radians(25.529), 3.595e-6j, -12.66e-6 + 3.261e-6j, -12.66e-6 + 3.261e-6j
)
"""The default case: constants as commonly used for strain in implanted garnet films; its angles are counted from
theta_B with refraction already taken off, so that chi_0 has no real part."""
