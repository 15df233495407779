"""What stands on a figure, and values that figures are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text

PROTOCOL = {"metric": "mse", "margin": 0.1, "alpha": 0.1, "scoring": "pooled"}
VALUES: dict[str, Any] = {"campaign": "c.toml", "protocol": PROTOCOL, "units": ["fraction"], "baseline": "base"}


def texts(figure: Figure) -> str:
    """Everything that can be read on a figure, one text a line."""
    figure.draw_without_rendering()
    return "\n".join(t.get_text() for t in figure.findobj(Text) if t.get_visible() and t.get_text())


def verdict(arm: str, score: float, interval: list[float] | None, outcome: str | None = None) -> dict[str, Any]:
    return {
        "arm": arm, "score": score, "difference": score - 1, "interval": interval, "units": 5, "seeds": 2,
        "outcome": outcome or ("undecided" if interval else "no evidence"),
    }  # fmt: skip


def experiment(name: str, score: float | None, parent: str | None = None) -> dict[str, Any]:
    status = "done" if score is not None else "planned"
    return {"name": name, "parent": parent, "score": score, "status": status}


def campaign(experiments: Sequence[dict[str, Any]], outcomes: dict[str, str], champion: str | None) -> dict[str, Any]:
    """A campaign whose baseline is 'base', with these verdicts."""
    scores = {e["name"]: e["score"] for e in experiments}
    return {
        **VALUES,
        "experiments": list(experiments),
        "verdicts": [verdict(name, scores[name] or 0.0, [-1, 1], outcome) for name, outcome in outcomes.items()],
        "arms": [{"name": n, "seed_spread": 0.01} for n, s in scores.items() if s is not None],
        "champion": None if champion is None else {"name": champion},
        "blocked": {},
        "champions_of_rounds": [],
    }
