"""Tables of measurements for planted campaigns."""

from __future__ import annotations

import numpy as np


def line_table(
    rows: int = 60, noise: float = 0.1, seed: int = 0, idle: int = 1, slopes: tuple[float, float] = (2, -1)
) -> str:
    """Rows of two inputs, `idle` more that nothing depends on, and y: a line through the first two, and noise."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(rows, 2 + idle))
    y = inputs[:, :2] @ np.array(slopes) + generator.normal(0, noise, rows)
    return table({**{f"x{n}": column for n, column in enumerate(inputs.T)}, "y": y})


def table(columns: dict[str, np.ndarray]) -> str:
    """CSV text of columns."""
    rows = zip(*(c.tolist() for c in columns.values()), strict=True)
    lines = [",".join(f"{value:.6f}" if isinstance(value, float) else str(value) for value in row) for row in rows]
    return "\n".join([",".join(columns), *lines]) + "\n"
