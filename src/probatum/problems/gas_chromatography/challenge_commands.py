"""`probatum gas-chromatography submit` and `correlations`: what participants of the challenge ask."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from probatum.errors import UsageError
from probatum.pictures import check_suffix
from probatum.problems.answer import Answer

if TYPE_CHECKING:
    import numpy as np
    from rich.console import RenderableType

SCHEMA = 1


def submit(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the submission is written, a .csv file.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Of the challenge; default: the imported one.")
    ] = None,
    folds: Annotated[
        int, typer.Option(min=0, help="Also train on all but one of so many parts, for an estimate of the loss.")
    ] = 0,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores for training; default: all.")] = None,
) -> Answer:
    """Train on the labelled samples of the challenge's folder and write the submission for the others."""
    import os

    from probatum.problems.gas_chromatography.challenge_folder import write_submission
    from probatum.problems.gas_chromatography.families import FAMILIES
    from probatum.problems.gas_chromatography.imported_folder import imported_folder
    from probatum.problems.gas_chromatography.submission import submission

    if out.suffix.lower() != ".csv" or not out.parent.is_dir():
        raise UsageError("is no .csv file in a folder that there is", where=str(out), remedy="name another file")
    place = imported_folder() if folder is None else folder.expanduser()
    with _progress() as told:
        found = submission(place, folds, told, cores or os.cpu_count() or 1)
    write_submission(out, found.names, found.probabilities)
    mean, prior = float(found.losses.mean()), float(found.prior_losses.mean())
    values = {
        "schema": SCHEMA,
        "folder": str(place),
        "trained_on": found.trained_on,
        "samples": len(found.names),
        "folds": found.folds,
        "log_loss": mean if folds else None,
        "log_loss_of_shares": prior if folds else None,
        "log_losses": dict(zip(FAMILIES, found.losses.tolist(), strict=True)) if folds else None,
        "submission": str(out),
    }
    shown: list[RenderableType] = [
        f"trained on {found.trained_on} labelled samples; {len(found.names)} predicted, written to {out}"
    ]
    if folds:
        shown.append(
            f"log loss {mean:.4f} on samples that were not trained on ({folds} parts); the shares of the families "
            f"alone give {prior:.4f}; samples of one compound may be in several parts, so the true loss may be larger"
        )
    return Answer(values, shown)


def correlations(
    figure: Annotated[Path, typer.Option(metavar="FILE", help="The picture: .png, .svg or .pdf.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Of the challenge; default: simulated samples.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of simulated samples, or of the split where there is none.")] = 0,
) -> Answer:
    """Draw how the families go together in training and validation samples, and whether the two differ."""
    check_suffix(figure)
    from probatum.problems.gas_chromatography.families import FAMILIES
    from probatum.problems.gas_chromatography.figures import correlations_figure
    from probatum.problems.gas_chromatography.label_correlations import compare_correlations

    training, validation, source = _labels_of_simulated(seed) if folder is None else _labels_of(folder, seed)
    compared = compare_correlations(training, validation)
    correlations_figure(compared, ("training", "validation"), figure)
    low, middle, high = compared.by_chance
    verdict = "as chance would have it" if compared.p_value > 0.05 else "more than chance would have it"
    values = {
        "schema": SCHEMA,
        "labels": list(FAMILIES),
        "source": source,
        "runs": list(compared.runs),
        "training": compared.training.tolist(),
        "validation": compared.validation.tolist(),
        "difference": compared.difference,
        "difference_by_chance": [low, middle, high],
        "p_value": compared.p_value,
        "figure": str(figure),
    }
    shown = [
        f"{source}: {compared.runs[0]} training and {compared.runs[1]} validation samples",
        f"correlations of pairs differ by {compared.difference:.4f} on average, {verdict}: {low:.4f} to {high:.4f} in "
        f"nine of ten random deals, p = {compared.p_value:.3f}",
        f"figure: {figure}",
    ]
    return Answer(values, shown)


def _labels_of(folder: Path, seed: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Labels of the training and of the validation samples of a folder of the challenge."""
    import numpy as np

    from probatum.problems.gas_chromatography.challenge_folder import read_folder

    samples = read_folder(folder.expanduser())
    known = {
        split: np.array([s.families for s in samples if s.split == split and s.families is not None], dtype=float)
        for split in ("train", "val")
    }
    if len(known["val"]):
        return known["train"], known["val"], str(folder)
    # The challenge keeps the labels of its validation samples: a quarter of the training ones stands for them.
    order = np.random.default_rng(seed).permutation(len(known["train"]))
    held_out = order[: len(order) // 4]
    rest = np.delete(known["train"], held_out, axis=0)
    return rest, known["train"][held_out], f"{folder}, whose validation is a random quarter of the training samples"


def _labels_of_simulated(seed: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Labels of as many simulated samples as the challenge has."""
    import numpy as np

    from probatum.problems.gas_chromatography.library import library_path
    from probatum.problems.gas_chromatography.samples import Split
    from probatum.problems.gas_chromatography.simulated_folder import Samples

    library = library_path()
    counts: dict[Split, int] = {"train": 809, "validation": 312}
    labels = [
        np.array([Samples(library, split, seed).injection(number)[1] for number in range(count)], dtype=float)
        for split, count in counts.items()
    ]
    return labels[0], labels[1], f"simulated samples of seed {seed}"


@contextmanager
def _progress() -> Generator[Callable[[str, int, int], None]]:
    """Says on standard error what is being done, where somebody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=total)

        yield told
