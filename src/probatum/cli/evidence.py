"""`effects`, `submit`, `calibrate`, `champion`: what worked, what the leaderboard says, and what survived."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from probatum.cli.find import campaign_path
from probatum.cli.output import console, print_json
from probatum.errors import CampaignFileError, DataError
from probatum.evidence.calibration import calibrate
from probatum.laboratory import Laboratory
from probatum.pictures import check_suffix, write_figure
from probatum.reporting.figures import calibration_figure, effects_figure
from probatum.reporting.numbers import figure
from probatum.reporting.records import (
    calibration_values,
    champion_values,
    confirmation_values,
    effects_values,
)
from probatum.reporting.sentences import calibration_remarks, champion_lines, confirmation_lines, effect_remarks
from probatum.reporting.tables import effect_table, form_table, pair_table


def show_effects(file: Path | None, *, picture: Path | None, json: bool) -> None:
    """What every mutation of the tree does, pooled over its pairs."""
    if picture is not None:
        check_suffix(picture)
    laboratory = Laboratory.open(campaign_path(file))
    values = effects_values(laboratory, laboratory.results())
    if picture is not None:
        if not values["effects"]:
            raise CampaignFileError("no effects to draw", where=values["campaign"], remedy=effect_remarks(values)[0])
        write_figure(effects_figure(values), picture)
    if json:
        print_json(values | {"figure": str(picture) if picture else None})
        return
    out = console()
    if values["effects"]:
        out.print(effect_table(values))
    for line in effect_remarks(values):
        out.print(escape(line), style="dim")
    _say_written(picture)


def submit_score(experiment: str, campaign: Path | None, *, score: float, metric: str, json: bool) -> None:
    """Records the score that a leaderboard gave an experiment."""
    laboratory = Laboratory.open(campaign_path(campaign))
    laboratory.submit(experiment, score, metric)
    submissions = laboratory.campaign.ledger.submissions()
    if json:
        print_json({"submissions": [vars(s) for s in submissions]})
        return
    last = submissions[-1]
    console().print(
        f"recorded: {escape(last.experiment)}, external {last.metric} {figure(last.score)}, {last.when}; "
        f"{len(submissions)} submission{'s' if len(submissions) != 1 else ''} in all"
    )


def show_calibration(
    file: Path | None,
    *,
    target: float | None,
    pairs: Path | None,
    metric: str | None,
    floor: float | None,
    picture: Path | None,
    json: bool,
) -> None:
    """External scores against internal ones, from the ledger or from a table of pairs."""
    if picture is not None:
        check_suffix(picture)
    for name, value in (("--target", target), ("--floor", floor)):
        if value is not None and not math.isfinite(value):
            raise CampaignFileError(f"{name} {value} is not finite", remedy="give a number")
    laboratory = _laboratory_beside(file, pairs)
    floors = [("--floor", floor)] if floor is not None else laboratory.score_floors() if laboratory else []
    if pairs is not None:
        names, internal, external = _read_pairs(pairs)
        internal_metric = laboratory.metric.name if laboratory else "cv"
        external_metric = metric or "lb"
    else:
        assert laboratory is not None
        external_metric, found = laboratory.submitted_pairs(metric)
        names, internal, external = [name for name, _, _ in found], [x for _, x, _ in found], [y for _, _, y in found]
        internal_metric = laboratory.metric.name
    try:
        calibration = calibrate(internal, external)
    except DataError as error:
        where = pairs.name if pairs else laboratory.campaign.file.path.name if laboratory else None
        raise DataError(error.what, where=where, remedy=error.remedy) from None
    values = calibration_values(
        calibration,
        names,
        internal_metric=internal_metric,
        external_metric=external_metric,
        target=target,
        floors=floors,
    )
    if picture is not None:
        write_figure(calibration_figure(values), picture)
    if json:
        del values["curves"]
        print_json(values | {"figure": str(picture) if picture else None})
        return
    out = console()
    out.print(form_table(values))
    for line in calibration_remarks(values):
        out.print(escape(line))
    if not floors and target is not None:
        out.print("No noise floor is known here: name a campaign with -C, or give --floor.", style="dim")
    out.print()
    out.print(pair_table(values))
    _say_written(picture)


def show_champion(file: Path | None, *, json: bool) -> None:
    """The best experiment that survived its verdict, and how much of that may be luck."""
    laboratory = Laboratory.open(campaign_path(file))
    results = laboratory.results()
    values = champion_values(laboratory, results)
    if json:
        print_json({"campaign": laboratory.campaign.file.path.name, **values})
        return
    for line in champion_lines(values):
        console().print(escape(line), soft_wrap=True)


def confirm_champion(file: Path | None, *, json: bool) -> None:
    """Confirms the champion, once."""
    from probatum.cli.progress import RunProgress

    laboratory = Laboratory.open(campaign_path(file))
    with RunProgress() as progress:
        confirmation, fresh = laboratory.confirm(progress)
    values = confirmation_values(confirmation)
    looks = [vars(look) for look in laboratory.campaign.ledger.held_out_accesses()]
    if json:
        print_json({"confirmed_now": fresh, "confirmation": values, "looks": looks})
        return
    out = console()
    if not fresh:
        out.print(
            f"Already confirmed; nothing was run. Looks at the held-out set so far: {len(looks)}. The old result:"
        )
    for line in confirmation_lines(values):
        out.print(escape(line), soft_wrap=True)


def _laboratory_beside(file: Path | None, pairs: Path | None) -> Laboratory | None:
    """The campaign; with pairs of its own a command needs none, and takes its noise floor where there is one."""
    if pairs is None or file is not None:
        return Laboratory.open(campaign_path(file))
    try:
        path = campaign_path(None)
    except CampaignFileError:
        return None
    return Laboratory.open(path)


def _read_pairs(path: Path) -> tuple[list[str], Sequence[float], Sequence[float]]:
    """(names, internal, external) from a table with columns cv and lb, and one of names if there is one."""
    from probatum.problems.text_table import read

    table = read(path)
    internal, external = (table.numbers(name).tolist() for name in ("cv", "lb"))
    label = next((name for name in ("experiment", "exp", "name") if name in table.columns), None)
    names: Any = table.column(label) if label else table.places
    return list(names), internal, external


def _say_written(picture: Path | None) -> None:
    if picture is not None:
        console().print(f"figure: {escape(str(picture))}", soft_wrap=True)
