"""Fitting the network: AdamW with a rising and falling learning rate, mixup, a moving average of the weights."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.vehicle_net import checkpoint
from training.vehicle_net.augment import vary
from training.vehicle_net.calibrate import Floats
from training.vehicle_net.data import Images
from training.vehicle_net.network import VehicleNet, pretrained
from training.vehicle_net.recipe import Recipe

_AFTERWARDS = frozenset({"size", "mirror", "folds", "calibration_folds"})
"""What does not bear on one network's weights."""

EpochReport: TypeAlias = Callable[[int, VehicleNet, float], None]
"""Called after each epoch with its number, the averaged network and the mean training loss."""


def normalised(pixels: Tensor) -> Tensor:
    """Pixels (N, S, S, 3) of 0 to 255 as the network takes them."""
    return (pixels.permute(0, 3, 1, 2).float() - 127) / 128


def margins(network: VehicleNet, images: Images, *, mirror: bool, batch: int = 25) -> Floats:
    """Motorcycle logit less bicycle logit, (N,); with `mirror` the mean of each image's and its mirror image's."""
    device = network.classifier.weight.device
    network.eval()
    found: list[Tensor] = []
    with torch.inference_mode():
        for pixels in torch.split(torch.from_numpy(images.pixels), batch):
            straight = normalised(pixels.to(device))
            views = torch.cat([straight, straight.flip(3)]) if mirror else straight
            logits = network(views.contiguous(memory_format=torch.channels_last))
            found.append((logits[:, 1] - logits[:, 0]).view(-1, len(straight)).mean(0).cpu())
    return torch.cat(found).numpy().astype(np.float64)


def built(recipe: Recipe, device: str) -> VehicleNet:
    """The network before its first step: with ImageNet weights and normalisations folded, or from scratch."""
    if recipe.pretrained:
        network = pretrained(recipe.backbone, of_vehicles=recipe.of_vehicles)
        network.fold()
        network.freeze(recipe.frozen)
    else:
        network = VehicleNet(recipe.backbone)
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _groups(network: VehicleNet, recipe: Recipe) -> list[dict[str, Any]]:
    trained = [weights for weights in network.parameters() if weights.requires_grad]
    return [
        {"params": [weights for weights in trained if weights.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [weights for weights in trained if weights.ndim == 1], "weight_decay": 0.0},
    ]


class Run:
    """One network on its way through the epochs; everything that a resumed run needs is in `state`."""

    def __init__(self, recipe: Recipe, real: Images, drawn: Images | None, *, seed: int, device: str = "cpu") -> None:
        self.recipe, self.real, self.drawn, self.device = recipe, len(real), drawn, device
        images = real + drawn if drawn is not None else real
        self.pixels, self.labels = torch.from_numpy(images.pixels), torch.from_numpy(images.labels)
        torch.manual_seed(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.network = built(recipe, device)
        self.averaged = built(recipe, device)
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(_groups(self.network, recipe), lr=recipe.learning_rate)
        self.epoch = 0
        self.identity = _identity(recipe, seed, images)

    @property
    def epoch_steps(self) -> int:
        """Optimiser steps an epoch; the images that do not fill a batch wait for the next epoch's order."""
        drawn = min(self.recipe.rendered_each_epoch, len(self.drawn)) if self.drawn else 0
        return max(1, (self.real + drawn) // self.recipe.batch)

    def state(self) -> dict[str, Any]:
        """Tensors and plain values from which `restore` continues as if nothing had happened."""
        kept = {"epoch": self.epoch, "averaged": self.averaged.state_dict()}
        if self.epoch == self.recipe.epochs:
            return kept
        return kept | {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "dropout": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.epoch = state["epoch"]
        self.averaged.load_state_dict(state["averaged"])
        if self.epoch < self.recipe.epochs:
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.generator.set_state(state["generator"])
            torch.set_rng_state(state["dropout"])

    def _batches(self) -> Iterator[Tensor]:
        order = torch.arange(self.real)
        if self.drawn:
            some = torch.randperm(len(self.drawn), generator=self.generator)[: self.recipe.rendered_each_epoch]
            order = torch.cat([order, self.real + some])
        order = order[torch.randperm(len(order), generator=self.generator)]
        yield from torch.split(order, self.recipe.batch)[: self.epoch_steps]

    def _rate(self, step: int) -> float:
        done = step / (self.epoch_steps * self.recipe.epochs)
        rising = self.recipe.warmup
        return self.recipe.learning_rate * min(done / rising if rising else 1.0, (1 - done) / (1 - rising))

    def _step(self, chosen: Tensor, step: int) -> float:
        targets = functional.one_hot(self.labels[chosen], 2).float()
        images, targets = vary(normalised(self.pixels[chosen]), targets, self.recipe, self.generator)
        images = images.to(self.device).contiguous(memory_format=torch.channels_last)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate(step)
        with torch.set_grad_enabled(not self.recipe.pretrained):
            features = self.network.early(images, self.recipe.frozen)
        logits = self.network.late(features, self.recipe.frozen)
        loss = functional.cross_entropy(logits, targets.to(self.device))
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        self.optimiser.step()
        self._average(step)
        return loss.item()

    def _average(self, step: int) -> None:
        decay = min(self.recipe.average, (1 + step) / (10 + step))
        ours, theirs = self.averaged.state_dict(), self.network.state_dict()
        for name, value in ours.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - decay)
            else:
                value.copy_(theirs[name])

    def one_epoch(self) -> float:
        """Go once through the images; the mean loss."""
        self.network.train()
        first = self.epoch * self.epoch_steps
        losses = [self._step(chosen, first + i) for i, chosen in enumerate(self._batches())]
        self.epoch += 1
        return sum(losses) / len(losses)


def fit(run: Run, *, checkpoints: Path | None = None, report: EpochReport | None = None) -> VehicleNet:
    """Train to the last epoch and return the averaged network; where `checkpoints` holds this very run, continue it."""
    kept = checkpoints / f"{run.identity}.pt" if checkpoints else None
    state = checkpoint.load(kept) if kept else None
    if state is not None:
        run.restore(state)
    while run.epoch < run.recipe.epochs:
        loss = run.one_epoch()
        if kept:
            checkpoint.save(kept, run.state())
        if report:
            report(run.epoch - 1, run.averaged, loss)
    return run.averaged.eval()


def _identity(recipe: Recipe, seed: int, images: Images) -> str:
    """The same for the same recipe, seed and images: the name of the run's checkpoint."""
    decisive = {name: value for name, value in recipe.to_dict().items() if name not in _AFTERWARDS}
    told = json.dumps({**decisive, "seed": seed, "images": images.digest()}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
