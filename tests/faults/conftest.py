"""Small real campaigns: a table and a campaign file are written, run, and given as an audit looks at them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from probatum.audit.campaign_history import campaign_history
from probatum.audit.history import History
from probatum.audit.inspection import Audit
from probatum.laboratory import Laboratory

Ran = Callable[..., History]


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Runs a campaign: (campaign file, file name to text) to its history.

    Its champion, where it has one, is confirmed with fresh seeds or on the held-out set. `submitted` is a list of
    (experiment, metric, from internal to external score).
    """

    def run(
        campaign: str,
        files: Mapping[str, str],
        submitted: Sequence[tuple[str, str, Callable[[float], float]]] = (),
        target: float | None = None,
    ) -> History:
        folder = tmp_path_factory.mktemp("faults")
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        path = Path(folder / "planted.toml")
        path.write_text(campaign, encoding="utf-8")
        laboratory = Laboratory.open(path)
        results = laboratory.run()
        for experiment, measure, external in submitted:
            laboratory.submit(experiment, external(results.arm(experiment).score), measure)
        champion = laboratory.champion(results)
        confirmed = champion is not None and laboratory.confirm()[0].result["outcome"] == "better"
        pairs = [(x, y) for _, x, y in laboratory.submitted_pairs()[1]] if submitted else []
        return campaign_history(
            laboratory.campaign,
            results.arms,
            results.verdicts,
            floors=results.floors,
            chosen=None if champion is None else champion.name,
            confirmed=confirmed,
            external=pairs,
            target=target,
        )

    return run


@dataclass(frozen=True)
class Place:
    """A folder for campaigns that are audited as the laboratory does it."""

    folder: Path
    numbers: itertools.count = field(default_factory=itertools.count)

    def laboratory(self, text: str, table: pd.DataFrame, learners: str) -> Laboratory:
        """A campaign, run to its end.

        Args:
            text: of the campaign file; 'TABLE' stands for the table's file, 'LEARNERS' for the module of learners.
            table: rows.
            learners: source of a module beside the campaign file.
        """
        number = next(self.numbers)
        folder = self.folder / f"campaign{number}"
        folder.mkdir()
        table.to_csv(folder / "table.csv", index=False)
        (folder / f"learners{number}.py").write_text(learners, encoding="utf-8")
        file = folder / "campaign.toml"
        file.write_text(text.replace("TABLE", "table.csv").replace("LEARNERS", f"learners{number}"), encoding="utf-8")
        laboratory = Laboratory.open(file)
        laboratory.run()
        return laboratory

    def audit(self, text: str, table: pd.DataFrame, learners: str, *, retrain: bool = False) -> Audit:
        """What the audit of a campaign finds; see `laboratory`."""
        laboratory = self.laboratory(text, table, learners)
        return laboratory.audit(laboratory.results(), retrain=retrain)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("places"))


@pytest.fixture(scope="session")
def alarms() -> Callable[[Audit], list[tuple[str, str | None]]]:
    """(code, subject) of an audit's errors and warnings."""
    return lambda audit: [(f.code, f.subject) for f in audit.findings if f.severity != "note" and not f.ignored]
