"""The classifier on top of the backbone: one or several rows for each output, from ImageNet's classifier."""

from collections.abc import Sequence

import torch
from torch import Tensor

BICYCLES = (671, 444)
"""ImageNet classes: mountain bike, tandem."""
MOTORCYCLES = (665, 670)
"""ImageNet classes: moped, motor scooter."""
AMBIGUOUS = frozenset({518, 870, 880})
"""Crash helmet, tricycle, unicycle: what ImageNet's classifier often calls a motorcycle or a bicycle."""
CLUSTERS = 16
"""Rows for neither: so many means of ImageNet's other classes."""

_ROUNDS = 30

Rows = tuple[int, ...]
"""How many rows of the classifier stand for each output."""


def rows_for(*, of_vehicles: bool, neither: bool, pretrained: bool) -> Rows:
    """The rows of a network that tells two labels apart and, with `neither`, both from everything else."""
    if of_vehicles and neither and pretrained:
        return len(BICYCLES), len(MOTORCYCLES), CLUSTERS
    return (1, 1, 1) if neither else (1, 1)


def grouped(scores: Tensor, rows: Rows) -> Tensor:
    """Logits (N, outputs) of the scores (N, rows) of all rows: the log of the sum of each output's exponentials."""
    if set(rows) == {1}:
        return scores
    return torch.stack([part.logsumexp(1) for part in torch.split(scores, list(rows), dim=1)], dim=1)


def _centres(vectors: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Means (count, D) of clusters of `vectors` (N, D), by k-means, and the cluster of each vector (N,)."""
    order = torch.randperm(len(vectors), generator=torch.Generator().manual_seed(0))
    centres = vectors[order[:count]]
    nearest = torch.cdist(vectors, centres).argmin(1)
    for _ in range(_ROUNDS):
        members = [vectors[nearest == cluster] for cluster in range(count)]
        centres = torch.stack([own.mean(0) if len(own) else centres[k] for k, own in enumerate(members)])
        nearest = torch.cdist(vectors, centres).argmin(1)
    return centres, nearest


def _neither(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Rows for everything that ImageNet knows besides two-wheelers, a cluster of classes each."""
    known = AMBIGUOUS.union(BICYCLES, MOTORCYCLES)
    others = [row for row in range(len(weight)) if row not in known]
    centres, nearest = _centres(weight[others].double(), CLUSTERS)
    sizes = torch.bincount(nearest, minlength=CLUSTERS).clamp(min=1)
    means = torch.zeros(CLUSTERS, dtype=torch.float64).index_add(0, nearest, bias[others].double()) / sizes
    return centres.to(weight.dtype), (means + sizes.log()).to(bias.dtype)


def initial_weights(weight: Tensor, bias: Tensor, rows: Rows, *, of_vehicles: bool) -> tuple[Tensor, Tensor]:
    """Weight and bias of a classifier with `rows`, from ImageNet's (1000, D) and (1000,), or zero."""
    if not of_vehicles:
        return torch.zeros(sum(rows), weight.shape[1]), torch.zeros(sum(rows))
    if len(rows) == 3:
        wheels = [*BICYCLES, *MOTORCYCLES]
        centres, biases = _neither(weight, bias)
        return torch.cat([weight[wheels], centres]), torch.cat([bias[wheels], biases])
    return _means(weight, (BICYCLES, MOTORCYCLES)), _means(bias, (BICYCLES, MOTORCYCLES))


def _means(values: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    return torch.stack([values[list(group)].mean(0) for group in groups])
