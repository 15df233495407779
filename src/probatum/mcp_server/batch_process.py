"""What trains, in a process of its own: requests on standard input, answers on standard output, all lines of JSON.

    {"progress": [12, 40, "2 of 3 experiments finished"]}
    {"result": {...}}    or    {"error": {"type": "DataError", "what": ..., "where": ..., "remedy": ...}}

The server stays responsive while this works, and may kill it at any time: what is recorded is kept. It ends by itself
when its standard input does, so that it does not outlive the server.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from probatum.campaigns.events import (
    Event,
    ExperimentFinished,
    ExperimentKept,
    FitFailed,
    FitRetried,
    FitsFound,
    JobFinished,
    JobStarted,
    RoundStarted,
)
from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, ROUND_PLANNED, RoundRecord
from probatum.errors import ProbatumError

LONGEST = 200
"""Characters of a message."""


class Progress:
    """Listens to runs and tells how far they are: fits that are done of those that are known to be needed.

    Args:
        write: takes one event's values.
    """

    def __init__(self, write: Callable[[Mapping[str, Any]], None]):
        self._write = write
        self._done = self._total = 0
        self._finished = 0
        self._experiments: tuple[str, ...] = ()

    def __call__(self, event: Event) -> None:
        match event:
            case RoundStarted():
                self._total += event.fits
                self._experiments, self._finished = event.experiments, 0
                self.say(f"{event.fits} fits to train, {event.known} known")
            case JobStarted():
                self.say(f"training {event.fits} of {event.model}")
            case JobFinished() | FitsFound():
                self._done += len(event.keys)
                self.say(f"{self._finished} of {len(self._experiments)} experiments finished")
            case FitRetried():
                self.say(f"a fit failed and is tried again: {_last_line(event.reason)}")
            case FitFailed():
                self._done += 1
                self.say(f"a fit {event.status}: {_last_line(event.error)}")
            case ExperimentFinished() | ExperimentKept():
                self._finished += 1

    def count(self, done: int, total: int) -> None:
        """Tells of trainings that are no fits of the campaign."""
        self._done, self._total = done, total
        self.say(f"{done} of {total} trainings")

    def say(self, message: str) -> None:
        """Tells something beside the figures."""
        self._write({"progress": [self._done, self._total, message[:LONGEST]]})


def run_round(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Runs what the file holds and has not been run; then one round of the proposals that wait."""
    from probatum.laboratory.autopilot import Autopilot
    from probatum.laboratory.deadline import OutOfTime
    from probatum.mcp_server.limits import Limits
    from probatum.mcp_server.pending_proposals import PendingProposals
    from probatum.planning.rounds import plan_round
    from probatum.reporting.rounds import ended_values

    path = Path(request["campaign"])
    waiting = PendingProposals(path, Limits(**request["limits"]))
    slots = min(len(waiting.proposals()), int(request["batch"]))
    pilot = Autopilot(
        path,
        [waiting],
        slots=max(slots, 1),
        candidates=max(slots, 1),  # whatever the file says: nothing that an agent proposed is given up unseen
        control=bool(request["control"]),
        tell=progress,
        say=progress.say,
    )
    before = _rounds(path)
    if not slots and not (before and before[-1].state == ROUND_PLANNED):
        try:
            outlook = pilot.look(time.monotonic() + float(request["seconds"]))
        except OutOfTime:
            why = f"the time was spent before all that {path.name} holds was run; the next call goes on with it"
            return _nothing_waits("budget", why, None, None)
        champion = outlook.history.standings.get(outlook.history.champion)
        why = "all that the campaign file holds has been run, and no proposal waits"
        score = None if champion is None else champion.score
        return _nothing_waits("nothing waits", why, outlook.history.champion, score)
    values = ended_values(pilot.run(float(request["seconds"]), most_rounds=1))
    judged = {r.number for r in before if r.state == ROUND_JUDGED}
    last = next((r for r in values.pop("rounds") if r["number"] not in judged), None)
    dropped = [] if last is None else last["dropped"]
    if values["stopped"] == "nothing left":
        dropped = [vars(d) for d in plan_round(pilot.look().history, [waiting], slots).dropped]
    elif slots and last is None and len(_rounds(path)) == len(before):  # none was even begun
        values["why"] += f"; no round was judged, and what waited ({len(waiting.proposals())}) waits still"
    return {**values, "round": last, "dropped": dropped}


def _nothing_waits(stopped: str, why: str, champion: str | None, score: float | None) -> dict[str, Any]:
    told = {"stopped": stopped, "why": why, "champion": champion, "score": score, "leader": champion}
    return {**told, "round": None, "dropped": []}


def _rounds(path: Path) -> list[RoundRecord]:
    """Those that were planned so far; none before the first run."""
    from probatum.campaigns.ledgers.files import open_ledger
    from probatum.errors import CampaignFileError

    try:
        ledger = open_ledger(path)
    except CampaignFileError:  # not run yet
        return []
    try:
        return ledger.rounds()
    finally:
        ledger.close()


def predict(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Trains an experiment on all but the held-out cases and predicts new ones."""
    from probatum.campaigns.campaign import Campaign
    from probatum.campaigns.new_cases import predict_new

    campaign = Campaign.open(Path(request["campaign"]))
    cores = campaign.file.run.cores or os.cpu_count() or 1
    found = predict_new(
        campaign, request["experiment"], request["cases"], request["task"], cores=cores, tell=progress.count
    )
    return {
        "experiment": request["experiment"],
        "trained_on": found.rows,
        "seeds": found.seeds,
        "quantities": [{"name": name, "unit": unit} for name, unit in found.quantities],
        "predictions": [
            {
                "values": found.mean[i].tolist(),
                "spread": None if found.spread is None else found.spread[i].tolist(),
                "outside": list(found.outside[i]),
            }
            for i in range(len(found.mean))
        ],
    }


def confirm(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Confirms the champion, once; every look at held-out cases is counted by the ledger."""
    from probatum.laboratory import Laboratory
    from probatum.reporting.records import confirmation_values

    laboratory = Laboratory.open(Path(request["campaign"]))
    confirmation, fresh = laboratory.confirm(progress)
    looks = laboratory.campaign.ledger.held_out_accesses()
    return {
        "confirmed_now": fresh,
        "confirmation": confirmation_values(confirmation),
        "looks": [asdict(look) for look in looks],
    }


TASKS = {"round": run_round, "predict": predict, "confirm": confirm}


def main() -> None:
    """Carries out requests until standard input ends, one after the other."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print goes to standard error
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()

    def write(values: Mapping[str, Any]) -> None:
        replies.write(json.dumps(values, default=str) + "\n")
        replies.flush()

    while True:
        request = requests.get()
        try:
            write({"result": TASKS[request["what"]](request, Progress(write))})
        except ProbatumError as error:
            said = {"type": type(error).__name__, "what": error.what, "where": error.where, "remedy": error.remedy}
            write({"error": said})


def _listen(requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Takes requests in while one is carried out; a server that is gone ends the process, whatever it is doing."""
    for line in sys.stdin:
        requests.put(json.loads(line))
    os._exit(0)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


if __name__ == "__main__":
    main()
