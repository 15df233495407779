"""How strongly an atom scatters X-rays: f(s) = f0(s) + f' - i f'', s = sin theta / lambda, in electrons.

f0 of neutral atoms is the sum of five Gaussians fitted by Waasmaier and Kirfel (Acta Cryst. A51, 416, 1995); f' and f''
at Cu K-alpha1 are those of Chantler (J. Phys. Chem. Ref. Data 24, 71, 1995; 29, 597, 2000), interpolated at 8047.8 eV
by XrayDB 4.5.8, from which both are taken.
The sign of i f'' is the one for which absorption makes the imaginary part of chi_0 positive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from probatum.errors import DataError, UnknownNameError

COPPER_K_ALPHA_1 = 1.5405929
"""Angstrom; Hoelzer et al., Phys. Rev. A 56, 4554 (1997)."""
NEAR_COPPER = 0.01
"""Relative difference of a wavelength from Cu K-alpha1 up to which f' and f'' are used as they stand here."""


@dataclass(frozen=True)
class ScatteringFactor:
    """What one element contributes.

    Attributes:
        heights, widths, constant: f0(s) = constant + sum of heights exp(-widths s^2); electrons, and Angstrom^2.
        anomalous: f' + i f'' at Cu K-alpha1, electrons.
    """

    heights: tuple[float, float, float, float, float]
    widths: tuple[float, float, float, float, float]
    constant: float
    anomalous: complex

    def f0(self, s: float) -> float:
        """f0 at s = sin theta / lambda, per Angstrom; the fit holds up to 6."""
        gaussians = zip(self.heights, self.widths, strict=True)
        return self.constant + sum(height * math.exp(-width * s * s) for height, width in gaussians)


def scattering_factor(
    element: str, s: float, wavelength: float, anomalous: Mapping[str, complex] | None = None
) -> complex:
    """f0(s) + f' - i f'' of an element, electrons.

    Args:
        element: its symbol.
        s: sin theta / lambda, per Angstrom.
        wavelength: Angstrom.
        anomalous: f' + i f'' of elements at this wavelength; without one, those of Cu K-alpha1 serve near it.

    Raises:
        UnknownNameError: for an element that is not in `FACTORS`.
        DataError: the wavelength is far from Cu K-alpha1 and `anomalous` lacks the element.
    """
    if element not in FACTORS:
        raise UnknownNameError.of("element", element, FACTORS)
    factor = FACTORS[element]
    if anomalous is not None and element in anomalous:
        correction = anomalous[element]
    elif abs(wavelength / COPPER_K_ALPHA_1 - 1) <= NEAR_COPPER:
        correction = factor.anomalous
    else:
        raise DataError(
            f"f' and f'' of {element} are known near {COPPER_K_ALPHA_1} Angstrom only, not at {wavelength:g}",
            remedy="give them as anomalous={'" + element + "': f' + i f''}",
        )
    return factor.f0(s) + correction.conjugate()


FACTORS = {
    "C": ScatteringFactor(
        (2.657506, 1.078079, 1.490909, -4.24107, 0.713791),
        (14.780758, 0.776775, 42.086842, -0.000294, 0.239535),
        4.297983,
        0.0161 + 0.0090j,
    ),
    "O": ScatteringFactor(
        (2.960427, 2.508818, 0.637853, 0.722838, 1.142756),
        (14.182259, 5.936858, 0.112726, 34.958481, 0.39024),
        0.027014,
        0.0455 + 0.0320j,
    ),
    "Si": ScatteringFactor(
        (5.275329, 3.191038, 1.511514, 1.356849, 2.519114),
        (2.631338, 33.730728, 0.081119, 86.288643, 1.170087),
        0.145073,
        0.2467 + 0.3299j,
    ),
    "Fe": ScatteringFactor(
        (12.311098, 1.876623, 3.066177, 2.070451, 6.975185),
        (5.009415, 0.014461, 18.74304, 82.767876, 0.346506),
        -0.304931,
        -1.2010 + 3.1736j,
    ),
    "Ga": ScatteringFactor(
        (15.758946, 6.841123, 4.121016, 2.714681, 2.395246),
        (3.121754, 0.226057, 12.482196, 66.203621, 0.007238),
        -0.847395,
        -1.2911 + 0.7696j,
    ),
    "Ge": ScatteringFactor(
        (16.540613, 1.5679, 3.727829, 3.345098, 6.785079),
        (2.866618, 0.012198, 13.432163, 58.866047, 0.210974),
        0.018726,
        -1.0949 + 0.8791j,
    ),
    "As": ScatteringFactor(
        (17.025642, 4.503441, 3.715904, 3.9372, 6.790175),
        (2.597739, 0.003012, 14.272119, 50.437996, 0.193015),
        -2.984117,
        -0.9378 + 0.9990j,
    ),
    "Y": ScatteringFactor(
        (17.79204, 10.253252, 5.714949, 3.170516, 0.918251),
        (1.429691, 13.132816, 0.112173, 108.197029, 0.112173),
        1.131787,
        -0.3116 + 2.0026j,
    ),
    "Zr": ScatteringFactor(
        (17.859772, 10.911038, 5.821115, 3.512513, 0.746965),
        (1.310692, 12.319285, 0.104353, 91.777542, 0.104353),
        1.124859,
        -0.2336 + 2.2226j,
    ),
    "Gd": ScatteringFactor(
        (24.898117, 17.104952, 13.222581, 3.266152, 48.995213),
        (2.435028, 0.246961, 13.996325, 110.863091, 0.001383),
        -43.505684,
        -9.0177 + 11.9038j,
    ),
}
"""By element symbol."""
