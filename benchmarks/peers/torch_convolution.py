"""Residual dilated convolutions in PyTorch, channels last, as `probatum.learning.networks.convolutional` has them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import mse_loss, relu


class Block(torch.nn.Module):
    """x -> P x + C2 a(C1 a(x))."""

    def __init__(self, inputs: int, outputs: int, taps: int, dilation: int, last_gain: float):
        super().__init__()
        self.first = convolution(inputs, outputs, taps, dilation, 2.0)
        self.second = convolution(outputs, outputs, taps, dilation, last_gain)
        self.skip = None if inputs == outputs else convolution(inputs, outputs, 1, 1, 1.0, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch = self.second(relu(self.first(relu(x))))
        return (x if self.skip is None else self.skip(x)) + branch


class Convolutions(torch.nn.Module):
    """A stem, residual blocks of doubling dilation, the mean over positions, a linear head."""

    def __init__(self, widths: Sequence[int], taps: int, outputs: int):
        super().__init__()
        self.stem = convolution(1, widths[0], taps, 1, 1.0)
        pairs = pairwise([widths[0], *widths])
        self.blocks = torch.nn.Sequential(*(Block(a, b, taps, 2**k, 2 / len(widths)) for k, (a, b) in enumerate(pairs)))
        self.head = torch.nn.Linear(widths[-1], outputs)
        torch.nn.init.normal_(self.head.weight, std=widths[-1] ** -0.5)
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(relu(self.blocks(self.stem(x))).mean(dim=(2, 3)))


def convolution(
    inputs: int, outputs: int, taps: int, dilation: int, gain: float, *, bias: bool = True
) -> torch.nn.Conv2d:
    """One-dimensional, as a 2-D convolution of one row, which knows channels last."""
    layer = torch.nn.Conv2d(inputs, outputs, (1, taps), dilation=(1, dilation), padding="same", bias=bias)
    torch.nn.init.normal_(layer.weight, std=(gain / (taps * inputs)) ** 0.5)
    if layer.bias is not None:
        torch.nn.init.zeros_(layer.bias)
    return layer


def train(x, y, rows: np.ndarray, widths, taps: int, epochs: int, batch: int, rate: float, decay: float, seed: int):
    """One network, mini-batches as slices, fused AdamW; predictions of all rows."""
    torch.manual_seed(seed)
    model = Convolutions(widths, taps, y.shape[1]).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay, fused=True)
    mean, spread = x[rows].mean(axis=0), x[rows].std(axis=0)  # every point by the training rows, as ours
    signal = torch.as_tensor((x - mean) / spread)[:, None, None, :].contiguous(memory_format=torch.channels_last)
    y = torch.as_tensor(y)
    own_x, own_y = signal[rows], y[rows]
    for _ in range(epochs):
        for places in torch.randperm(len(own_x)).split(batch):
            optimiser.zero_grad()
            mse_loss(model(own_x[places]), own_y[places]).backward()
            optimiser.step()
    with torch.no_grad():
        return torch.cat([model(part) for part in signal.split(batch)]).numpy()
