"""Augmentation of training images, a batch at a time, drawn from the generator that is passed in."""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from training.vehicle_net.hyperparameters import Hyperparameters


def _uniform(generator: Generator, count: int, amount: float) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * amount


def move(images: Tensor, hyperparameters: Hyperparameters, generator: Generator) -> Tensor:
    """Mirror, turn, zoom, shear and shift (N, 3, S, S); what comes into view is the mirrored edge."""
    count = len(images)
    angle = _uniform(generator, count, math.radians(hyperparameters.rotate))
    size = torch.exp(_uniform(generator, count, math.log1p(hyperparameters.zoom)))
    wide = torch.exp(_uniform(generator, count, math.log1p(hyperparameters.zoom) / 2))
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    shear = _uniform(generator, count, hyperparameters.shear)
    matrix = torch.empty(count, 2, 3)
    matrix[:, 0, 0] = angle.cos() * mirror * size * wide
    matrix[:, 0, 1] = (shear - angle.sin()) * size
    matrix[:, 1, 0] = angle.sin() * mirror * size * wide
    matrix[:, 1, 1] = angle.cos() * size
    matrix[:, :, 2] = _uniform(generator, 2 * count, 2 * hyperparameters.shift).view(count, 2)
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, "bilinear", "reflection", align_corners=False)


def recolour(images: Tensor, hyperparameters: Hyperparameters, generator: Generator) -> Tensor:
    """Change brightness, contrast and saturation of images in [-1, 1]."""
    brightness, contrast, saturation = (
        _uniform(generator, len(images), hyperparameters.colour).view(-1, 1, 1, 1) for _ in range(3)
    )
    mean = images.mean((1, 2, 3), keepdim=True)
    images = (images - mean) * (1 + contrast) + mean + brightness
    grey = images.mean(1, keepdim=True)
    return ((images - grey) * (1 + saturation) + grey).clamp(-1, 1)


def blank_out(images: Tensor, hyperparameters: Hyperparameters, generator: Generator) -> Tensor:
    """Paint a square grey in half of the images (https://arxiv.org/abs/1708.04552)."""
    side = images.shape[-1]
    half = hyperparameters.blank * side / 2
    centre = torch.rand(len(images), 2, 1, generator=generator) * side
    hit = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
    inside = (torch.arange(side) - centre).abs() < half
    square = inside[:, 0, :, None] & inside[:, 1, None, :]
    return images.masked_fill(square[:, None] & hit, 0.0)


def mixup(
    images: Tensor, targets: Tensor, hyperparameters: Hyperparameters, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Blend the batch with its own reverse order (https://arxiv.org/abs/1710.09412), targets (N, outputs) alike."""
    draws = torch._sample_dirichlet(torch.full((len(images), 2), hyperparameters.mix), generator)  # noqa: SLF001
    share = draws.amax(1)
    other = torch.arange(len(images) - 1, -1, -1)
    weight = share.view(-1, 1, 1, 1)
    mixed = images * weight + images[other] * (1 - weight)
    return mixed, targets * share[:, None] + targets[other] * (1 - share[:, None])


def augment(
    images: Tensor, targets: Tensor, hyperparameters: Hyperparameters, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Augment one batch for training."""
    images = recolour(move(images, hyperparameters, generator), hyperparameters, generator)
    if hyperparameters.blank:
        images = blank_out(images, hyperparameters, generator)
    return mixup(images, targets, hyperparameters, generator) if hyperparameters.mix else (images, targets)
