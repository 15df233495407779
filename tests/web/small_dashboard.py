"""A campaign whose names try to be markup, and clients of its dashboard."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient

from probatum.web.access import Access
from probatum.web.application import application
from probatum.web.processes import Work

PORT = 8765
TOKEN = "a-token-for-the-tests"
HERE = f"http://127.0.0.1:{PORT}"
HOSTILE = "<img src=x onerror=alert(1)> & \"quoted\" 'too'"
CAMPAIGN = """\
problem = { kind = "table", path = "lab.csv", target = "yield", group = "batch" }

[protocol]
splits = "leave-one-group-out"
seeds = 1
baseline = "mean"

[run]
cores = 1

[[experiment]]
name = "mean"
model.kind = "mean"

[[experiment]]
name = "ridge"
parent = "mean"
hypothesis = "<script>alert('hypothesis')</script>"
model = { kind = "ridge", alpha = 1.0 }

[[experiment]]
name = "<img src=x onerror=alert(1)> & \\"quoted\\" 'too'"
parent = "ridge"
model.alpha = 30.0
"""


def lab_table(rows: int = 36) -> str:
    """Rows of 12 batches; the yield follows the temperature closely."""
    generator = np.random.default_rng(1)
    lines = ["temperature,pressure,batch,yield"]
    for row in range(rows):
        temperature, pressure = generator.uniform(20, 90), generator.uniform(1, 5)
        value = 0.2 + 0.008 * temperature + generator.normal(0, 0.01)
        lines.append(f"{temperature:.2f},{pressure:.2f},b{row % 12:02d},{value:.4f}")
    return "\n".join(lines) + "\n"


def write_lab(folder: Path, campaign: str = CAMPAIGN) -> Path:
    """The campaign's folder; returns its file."""
    (folder / "lab.csv").write_text(lab_table(), encoding="utf-8")
    path = folder / "lab.toml"
    path.write_text(campaign, encoding="utf-8")
    return path


def client_of(path: Path) -> TestClient:
    """A client of a campaign's dashboard; as a browser it says where its posts come from."""
    app = application(path, Access.of("127.0.0.1", PORT, TOKEN))
    return TestClient(app, base_url=HERE, follow_redirects=True, headers={"origin": HERE})


def answered(client: TestClient, address: str, seconds: float = 120) -> str:
    """The page of a work that has ended."""
    ended = time.monotonic() + seconds
    while "running</span>" in (text := client.get(address).text):
        assert time.monotonic() < ended, text
        time.sleep(0.1)
    return text


def waited(work: Work, seconds: float = 30) -> Work:
    """A work that has ended."""
    ended = time.monotonic() + seconds
    while work.running:
        assert time.monotonic() < ended, work.said
        time.sleep(0.02)
    return work
