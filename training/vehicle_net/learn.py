"""Fitting the network: AdamW with a rising and falling learning rate, mixup, a moving average of the weights."""

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.vehicle_net import checkpoint
from training.vehicle_net.augment import augment
from training.vehicle_net.calibrate import Floats
from training.vehicle_net.channels import Images, Material, training_side
from training.vehicle_net.degradation import degrade, resize
from training.vehicle_net.head import rows_for
from training.vehicle_net.hyperparameters import Hyperparameters
from training.vehicle_net.network import VehicleNet, pretrained

_MIN_DETAIL = 24
"""Smallest side that rendered images are reduced to."""
_AFTER_TRAINING = frozenset({"mirror", "folds", "calibration_folds", "members", "kept", "prior"})
"""Hyperparameters that do not change one network's weights before these are averaged."""

EpochReport: TypeAlias = Callable[[int, VehicleNet, float], None]
"""Called after each epoch with its number, the averaged network and the mean training loss."""


def normalised(pixels: Tensor) -> Tensor:
    """Pixels (N, S, S, 3) of 0 to 255 as the network takes them."""
    return (pixels.permute(0, 3, 1, 2).float() - 127) / 128


def logits_of(network: VehicleNet, images: Images, *, mirror: bool, batch: int = 25) -> Floats:
    """Logits (N, outputs); with `mirror` the mean of each image's and its mirror image's."""
    device = network.classifier.weight.device
    network.eval()
    logits: list[Tensor] = []
    with torch.inference_mode():
        for pixels in torch.split(torch.from_numpy(images.pixels), batch):
            straight = normalised(pixels.to(device))
            views = torch.cat([straight, straight.flip(3)]) if mirror else straight
            outputs = network(views.contiguous(memory_format=torch.channels_last))
            logits.append(outputs.view(-1, len(straight), outputs.shape[1]).mean(0).cpu())
    return torch.cat(logits).numpy().astype(np.float64)


def new_network(hyperparameters: Hyperparameters, device: str, *, neither: bool) -> VehicleNet:
    """The network before its first step: with ImageNet weights and normalisations folded, or from scratch."""
    rows = rows_for(of_vehicles=hyperparameters.of_vehicles, neither=neither, pretrained=hyperparameters.pretrained)
    if hyperparameters.pretrained:
        network = pretrained(hyperparameters.backbone, rows, of_vehicles=hyperparameters.of_vehicles)
        network.fold()
        network.freeze(hyperparameters.frozen)
    else:
        network = VehicleNet(hyperparameters.backbone, rows)
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _groups(network: VehicleNet, hyperparameters: Hyperparameters) -> list[dict[str, Any]]:
    trained = [weights for weights in network.parameters() if weights.requires_grad]
    return [
        {"params": [weights for weights in trained if weights.ndim > 1], "weight_decay": hyperparameters.weight_decay},
        {"params": [weights for weights in trained if weights.ndim == 1], "weight_decay": 0.0},
    ]


@dataclass(frozen=True)
class Pool:
    """Images of which each step draws `count`."""

    pixels: Tensor
    labels: Tensor
    count: int
    rendered: bool


def _tensors(images: Images) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(images.pixels), torch.from_numpy(images.labels)


def _pools(hyperparameters: Hyperparameters, material: Material) -> list[Pool]:
    pools = [(material.others, hyperparameters.others, False), (material.vehicles, hyperparameters.vehicles, True)]
    if material.knows_neither:
        pools.append((material.scenes, hyperparameters.scenes, True))
    return [
        Pool(*_tensors(images), count, is_rendered)
        for images, count, is_rendered in pools
        if images is not None and count
    ]


class Run:
    """The training of one network; `state` holds everything that a resumed run needs."""

    def __init__(self, hyperparameters: Hyperparameters, material: Material, *, seed: int, device: str = "cpu") -> None:
        self.hyperparameters, self.device = hyperparameters, device
        self.outputs = 3 if material.knows_neither else 2
        self.pixels, self.labels = _tensors(material.real)
        self.pools = _pools(hyperparameters, material)
        torch.manual_seed(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.network = new_network(hyperparameters, device, neither=material.knows_neither)
        self.averaged = new_network(hyperparameters, device, neither=material.knows_neither)
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(_groups(self.network, hyperparameters), lr=hyperparameters.learning_rate)
        self.epoch = 0
        self.identity = _identity(hyperparameters, seed, material)

    @property
    def epoch_steps(self) -> int:
        """Optimiser steps an epoch; the images that do not fill a batch wait for the next epoch's order."""
        return max(1, len(self.labels) // self.hyperparameters.batch)

    def state(self) -> dict[str, Any]:
        """Tensors and plain values from which `restore` continues as if nothing had happened."""
        state = {"epoch": self.epoch, "averaged": self.averaged.state_dict()}
        if self.epoch == self.hyperparameters.epochs:
            return state
        return state | {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "dropout": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.epoch = state["epoch"]
        self.averaged.load_state_dict(state["averaged"])
        if self.epoch < self.hyperparameters.epochs:
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.generator.set_state(state["generator"])
            torch.set_rng_state(state["dropout"])

    def _batches(self) -> Iterator[Tensor]:
        order = torch.randperm(len(self.labels), generator=self.generator)
        yield from torch.split(order, self.hyperparameters.batch)[: self.epoch_steps]

    def _rendered_side(self) -> int:
        """The side that rendered images of a step are reduced to before they are brought to size."""
        full = training_side(self.hyperparameters)
        sharp, share = torch.rand(2, generator=self.generator).tolist()
        if sharp < self.hyperparameters.full or full <= _MIN_DETAIL:
            return full
        return int(_MIN_DETAIL * math.exp(share * math.log(full / _MIN_DETAIL)))

    def _batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The chosen images of the train channel and those drawn from the pools, degraded and resized."""
        side, chance = training_side(self.hyperparameters), self.hyperparameters.spoil
        parts = [(self.pixels[chosen], self.labels[chosen], 0)]
        detail = self._rendered_side()
        for pool in self.pools:
            drawn = torch.randint(len(pool.labels), (pool.count,), generator=self.generator)
            parts.append((pool.pixels[drawn], pool.labels[drawn], detail if pool.rendered else 0))
        images = []
        for pixels, _, reduced in parts:
            stored = pixels.permute(0, 3, 1, 2).float()
            stored = resize(stored, reduced) if reduced else stored
            images.append(resize(degrade(stored, chance, self.generator) if chance else stored, side))
        order = torch.randperm(sum(map(len, images)), generator=self.generator)
        labels = torch.cat([labels for _, labels, _ in parts])
        return torch.cat(images)[order], labels[order]

    def _rate(self, step: int) -> float:
        done = step / (self.epoch_steps * self.hyperparameters.epochs)
        warmup = self.hyperparameters.warmup
        return self.hyperparameters.learning_rate * min(done / warmup if warmup else 1.0, (1 - done) / (1 - warmup))

    def _step(self, chosen: Tensor, step: int) -> float:
        images, labels = self._batch(chosen)
        targets = functional.one_hot(labels, self.outputs).float()
        images, targets = augment((images - 127) / 128, targets, self.hyperparameters, self.generator)
        images = images.to(self.device).contiguous(memory_format=torch.channels_last)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate(step)
        with torch.set_grad_enabled(not self.hyperparameters.pretrained):
            features = self.network.early(images, self.hyperparameters.frozen)
        logits = self.network.late(features, self.hyperparameters.frozen)
        loss = functional.cross_entropy(logits, targets.to(self.device))
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        self.optimiser.step()
        self._average(step)
        return loss.item()

    def _average(self, step: int) -> None:
        decay = min(self.hyperparameters.average, (1 + step) / (10 + step))
        averaged, latest = self.averaged.state_dict(), self.network.state_dict()
        for name, value in averaged.items():
            if value.is_floating_point():
                value.lerp_(latest[name], 1 - decay)
            else:
                value.copy_(latest[name])

    def one_epoch(self) -> float:
        """Go once through the images; the mean loss."""
        self.network.train()
        first = self.epoch * self.epoch_steps
        losses = [self._step(chosen, first + i) for i, chosen in enumerate(self._batches())]
        self.epoch += 1
        return sum(losses) / len(losses)


def fit(
    run: Run, *, checkpoints: Path | None = None, report: EpochReport | None = None, first_epoch: int = 0
) -> VehicleNet:
    """Train to the last epoch and return the averaged network; epochs are reported from the number `first_epoch` on.

    Where `checkpoints` holds this very run, continue it.
    """
    file = checkpoints / f"{run.identity}.pt" if checkpoints else None
    state = checkpoint.load(file) if file else None
    if state is not None:
        run.restore(state)
    while run.epoch < run.hyperparameters.epochs:
        loss = run.one_epoch()
        if file:
            checkpoint.save(file, run.state())
        if report:
            report(first_epoch + run.epoch - 1, run.averaged, loss)
    return run.averaged.eval()


def fit_members(
    hyperparameters: Hyperparameters,
    material: Material,
    *,
    seed: int,
    device: str = "cpu",
    checkpoints: Path | None = None,
    report: EpochReport | None = None,
) -> VehicleNet:
    """Train the members and return the mean of their weights, with a share of the weights that they began with.

    Epochs are counted over all members. Members continue from `checkpoints` as `fit` does.
    """
    weights: list[dict[str, Tensor]] = []
    for member, offset in enumerate(hyperparameters.member_seeds):
        run = Run(hyperparameters, material, seed=seed + offset, device=device)
        first = member * hyperparameters.epochs
        weights.append(fit(run, checkpoints=checkpoints, report=report, first_epoch=first).state_dict())
    network = new_network(hyperparameters, device, neither=material.knows_neither)
    kept = hyperparameters.kept if hyperparameters.pretrained else 0.0
    for name, value in network.state_dict().items():
        own = [each[name] for each in weights]
        value.copy_(torch.stack(own).mean(0).lerp(value, kept) if value.is_floating_point() else own[0])
    return network.eval()


def _identity(hyperparameters: Hyperparameters, seed: int, material: Material) -> str:
    """The same for the same recipe, seed and images: the name of the run's checkpoint."""
    relevant = {name: value for name, value in hyperparameters.to_dict().items() if name not in _AFTER_TRAINING}
    relevant["size"] = training_side(hyperparameters)
    identity = json.dumps({**relevant, "seed": seed, "images": material.digest()}, sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()[:16]
