"""Makes the pictures of the five problems that README shows: `python docs/problem_pictures.py [NAME ...]`.

Needs the real data in `PROBATUM_DATA` for all but analog_codes and rocking_curve. Nothing is written beside
`docs/pictures/`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from probatum.pictures import new_figure, write_figure

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
PROGRAM = (sys.executable, "-P", "-c", "from probatum.cli.main import run_and_exit; run_and_exit()")
CODES = """
problem = { kind = "analog_codes", codes = 200 }
task = "k=4"
[protocol]
splits = "repeated-k-fold"
repeats = 1
[[experiment]]
name = "trees"
features = ["m", "by_m"]
model = { kind = "lightgbm", n_estimators = 60, num_leaves = 7 }
"""
YIELDS = """
problem = "catechol"
task = "single"
[protocol]
splits = "leave-one-group-out"
[[experiment]]
name = "trees"
recipe = "extra-trees"
"""


def main() -> None:
    """Makes those that are named, or all."""
    for name in sys.argv[1:] or PICTURE:
        with tempfile.TemporaryDirectory() as folder:
            PICTURE[name](Path(folder), PICTURES / f"problem_{name}.png")
        shrink(PICTURES / f"problem_{name}.png")
        print(PICTURES / f"problem_{name}.png")


def catechol(folder: Path, path: Path) -> None:
    """Yields of solvents that the model never saw, measured and predicted, by a small campaign."""
    predicted(folder, YIELDS, path)


def analog_codes(folder: Path, path: Path) -> None:
    """Heights of codes, predicted and exact, by a small campaign."""
    predicted(folder, CODES, path)


def rocking_curve(folder: Path, path: Path) -> None:
    """The fit of a simulated curve, as a diffractometer would write it."""
    from probatum.problems.rocking_curve.problem import RockingCurve

    problem = RockingCurve(curves=2)
    curve = np.asarray(problem.dataset("parameters").observations["intensity"][1])
    np.savetxt(folder / "curve.txt", np.column_stack([problem.scan.seconds, curve]), fmt="%.5f")
    crystal = ("--crystal", "GGG", "--reflection", "4,4,4")
    call("rocking-curve", "fit", str(folder / "curve.txt"), *crystal, "--figure", str(path))


def gas_chromatography(folder: Path, path: Path) -> None:
    """The peaks of a measured run."""
    call("gas-chromatography", "peaks", str(real("gas_chromatography") / "agilent-gcms.cdf"), "--figure", str(path))


def metabolism(folder: Path, path: Path) -> None:
    """The fit of a published model to its measurements, with what the data do not determine."""
    (problem,) = real("metabolism").glob("Boehm*/*.yaml")
    call("metabolism", "fit", "--petab", str(problem), "--starts", "12", "--seed", "2", "--figure", str(path))


PICTURE: dict[str, Callable[[Path, Path], None]] = {
    f.__name__: f for f in (catechol, analog_codes, rocking_curve, gas_chromatography, metabolism)
}


def shrink(path: Path) -> None:
    """In 64 colours, at 900 pixels at most."""
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((900, 900))
    picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def predicted(folder: Path, text: str, path: Path) -> None:
    """Runs a campaign of one experiment and draws the problem's first picture of what it predicts."""
    from probatum.laboratory import Laboratory

    (folder / "campaign.toml").write_text(text, encoding="utf-8")
    laboratory = Laboratory.open(folder / "campaign.toml")
    laboratory.run()
    campaign = laboratory.campaign
    fits = campaign.predictions("trees")
    rows, found = (np.concatenate([getattr(fit, name) for fit in fits]) for name in ("rows", "prediction"))
    (dataset,) = campaign.datasets.values()
    picture = campaign.file.problem.pictures(dataset, rows, found)[0]
    with new_figure(picture.width, picture.height) as figure:
        picture.draw(figure)
        write_figure(figure, path)


def call(*words: str) -> None:
    """Runs a command of the program."""
    subprocess.run([*PROGRAM, *words], check=True, stdout=subprocess.DEVNULL)


def real(problem: str) -> Path:
    """The folder of a problem's real data."""
    return Path(os.environ["PROBATUM_DATA"]) / problem


if __name__ == "__main__":
    main()
