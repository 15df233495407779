"""The network of a log on rocking curves in PyTorch, as its description says: 50 epochs on 1000 curves of 701 points.

log10(I + 1e-10) stretched to 0..1 with a channel for the position; six residual blocks of convolutions of width 15,
dilated 1 to 32, 32 to 128 channels; attention pool; a branch that sees the spectrum; dense 160-256-128-7; sigmoid.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import relu, smooth_l1_loss

from peers.torch_convolution import convolution

WIDTHS, TAPS, SPECTRUM, HIDDEN = (32, 32, 32, 32, 64, 128), 15, 32, (256, 128)


class Block(torch.nn.Module):
    """x -> P x + C2 a(n2(C1 a(n1(x))))."""

    def __init__(self, inputs: int, outputs: int, dilation: int):
        super().__init__()
        self.norms = torch.nn.ModuleList([torch.nn.BatchNorm2d(inputs), torch.nn.BatchNorm2d(outputs)])
        self.first = convolution(inputs, outputs, TAPS, dilation, 2.0)
        self.second = convolution(outputs, outputs, TAPS, dilation, 2 / len(WIDTHS))
        self.skip = None if inputs == outputs else convolution(inputs, outputs, 1, 1, 1.0, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch = self.second(relu(self.norms[1](self.first(relu(self.norms[0](x))))))
        return (x if self.skip is None else self.skip(x)) + branch


class RockingNetwork(torch.nn.Module):
    """Curves [row, point] to seven shares [row, 7]."""

    def __init__(self, points: int):
        super().__init__()
        self.register_buffer("place", torch.linspace(-1, 1, points))
        self.stem = convolution(2, WIDTHS[0], TAPS, 1, 1.0)
        pairs = pairwise([WIDTHS[0], *WIDTHS])
        self.blocks = torch.nn.Sequential(*(Block(a, b, 2**k) for k, (a, b) in enumerate(pairs)))
        self.norm = torch.nn.BatchNorm2d(WIDTHS[-1])
        self.score = torch.nn.Linear(WIDTHS[-1], 1)
        frequencies = points // 2 + 1
        self.spectrum = torch.nn.Sequential(
            torch.nn.BatchNorm1d(frequencies), torch.nn.Linear(frequencies, SPECTRUM), torch.nn.ReLU()
        )
        sizes = [WIDTHS[-1] + SPECTRUM, *HIDDEN]
        layers = [part for a, b in pairwise(sizes) for part in (torch.nn.Linear(a, b), torch.nn.ReLU())]
        self.dense = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], 7))

    def forward(self, curves: torch.Tensor) -> torch.Tensor:
        x = torch.stack([curves, self.place.expand_as(curves)], dim=1)[:, :, None]
        x = x.contiguous(memory_format=torch.channels_last)
        x = relu(self.norm(self.blocks(self.stem(x))))[:, :, 0].transpose(1, 2)
        pooled = (torch.softmax(self.score(x), dim=1) * x).sum(dim=1)
        amplitudes = torch.log(torch.fft.rfft(curves).abs() ** 2 / curves.shape[1] + 1e-6) / 2
        return torch.sigmoid(self.dense(torch.cat([pooled, self.spectrum(amplitudes)], dim=1)))


class Training:
    """The network and its optimiser, trained epoch by epoch.

    Args:
        curves: [row, point] as the network sees them.
        shares: [row, 7].
        seed: of weights and order.
    """

    def __init__(self, curves: np.ndarray, shares: np.ndarray, seed: int, batch: int = 32, rate: float = 1.5e-3):
        torch.manual_seed(seed)
        self.model = RockingNetwork(curves.shape[1]).to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=rate, weight_decay=1e-4, fused=True)
        self.curves, self.shares = (torch.as_tensor(a.astype(np.float32)) for a in (curves, shares))
        self.batch = batch

    def epoch(self, most: int | None = None) -> int:
        """One pass over the rows, or over `most` mini-batches of it; how many mini-batches it was."""
        self.model.train()
        places = torch.randperm(len(self.curves)).split(self.batch)[:most]
        for rows in places:
            self.optimiser.zero_grad()
            smooth_l1_loss(self.model(self.curves[rows]), self.shares[rows]).backward()
            self.optimiser.step()
        return len(places)

    def predict(self, curves: np.ndarray) -> np.ndarray:
        """[row, 7] shares."""
        self.model.eval()
        with torch.no_grad():
            parts = torch.as_tensor(curves.astype(np.float32)).split(100)
            return torch.cat([self.model(part) for part in parts]).numpy()
