"""Multilayer perceptrons in PyTorch: the loop that people write, tensor slices, and torch.func over all replicas."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.utils.data import DataLoader, TensorDataset


def network(sizes: Sequence[int], seed: int) -> torch.nn.Sequential:
    """Dense layers with ReLU between them, started as ours are: He's variance before a ReLU, biases of zero."""
    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for place, (inputs, outputs) in enumerate(pairwise(sizes)):
        layer = torch.nn.Linear(inputs, outputs)
        last = place == len(sizes) - 2
        torch.nn.init.normal_(layer.weight, std=((1 if last else 2) / inputs) ** 0.5)
        torch.nn.init.zeros_(layer.bias)
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def with_loader(x, y, rows: np.ndarray, sizes, epochs: int, batch: int, rate: float, decay: float, seed: int):
    """One network, mini-batches from a DataLoader."""
    model = network(sizes, seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    loader = DataLoader(TensorDataset(x[rows], y[rows]), batch_size=batch, shuffle=True)
    for _ in range(epochs):
        for inputs, targets in loader:
            optimiser.zero_grad()
            torch.nn.functional.mse_loss(model(inputs), targets).backward()
            optimiser.step()
    with torch.no_grad():
        return model(x).numpy()


def with_slices(x, y, rows: np.ndarray, sizes, epochs: int, batch: int, rate: float, decay: float, seed: int):
    """One network, mini-batches as slices of a permutation, fused AdamW."""
    model = network(sizes, seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay, fused=True)
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    own_x, own_y = x[rows], y[rows]
    for _ in range(epochs):
        for places in torch.randperm(len(own_x)).split(batch):
            optimiser.zero_grad()
            torch.nn.functional.mse_loss(model(own_x[places]), own_y[places]).backward()
            optimiser.step()
    with torch.no_grad():
        return model(x).numpy()


def with_vmap(x, y, row_sets: Sequence[np.ndarray], sizes, epochs: int, batch: int, rate: float, decay: float):
    """All networks at once by torch.func; row sets are cut to the length of the shortest."""
    models = [network(sizes, seed) for seed in range(len(row_sets))]
    parameters, _ = stack_module_state(models)  # type: ignore[arg-type]
    base = models[0].to("meta")
    x, y = torch.as_tensor(x), torch.as_tensor(y)

    def loss(weights, inputs, targets):
        return torch.nn.functional.mse_loss(functional_call(base, weights, (inputs,)), targets)

    gradients = vmap(grad(loss))
    leaves = {name: leaf.detach().clone() for name, leaf in parameters.items()}
    optimiser = torch.optim.AdamW(list(leaves.values()), lr=rate, weight_decay=decay, fused=True)
    shortest = min(len(rows) for rows in row_sets)
    own = torch.as_tensor(np.stack([rows[:shortest] for rows in row_sets]))
    for _ in range(epochs):
        order = torch.gather(own, 1, torch.rand(own.shape).argsort(dim=1))
        for places in order.split(batch, dim=1):
            for name, gradient in gradients(leaves, x[places], y[places]).items():
                leaves[name].grad = gradient
            optimiser.step()
    with torch.no_grad():
        return vmap(lambda weights: functional_call(base, weights, (x,)))(leaves).cpu().numpy()
