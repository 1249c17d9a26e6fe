"""The trained network as one ONNX graph: uint8 pixels in, calibrated probabilities out.

The graph is written node by node, so that it holds just what is served: normalisation, optionally the mirror image
next to the image, convolutions with batch normalisation folded in, calibration, and the probability of neither, spread
evenly over the two labels. Weights are kept small and
widened when the model is loaded, so that the arithmetic is in single precision: those of the largest layers as 8-bit
integers with a scale for each output channel, the others in half precision.
"""

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from training.vehicle_net.calibrate import Calibration
from training.vehicle_net.channels import Images
from training.vehicle_net.errors import ExportDiffers
from training.vehicle_net.head import Rows
from training.vehicle_net.inference import predict, session_of
from training.vehicle_net.learn import logits_of
from training.vehicle_net.network import BasicResidual, ConvNorm, InvertedResidual, VehicleNet, same_padding

OPSET = 17
IR_VERSION = 9
MANY_WEIGHTS = 100_000
"""From this size a layer is stored in 8 bits: two thirds of the file, and about 0.01 in probability at most."""
TOLERANCE = 0.02
"""Largest difference in probability between the graph and the PyTorch network that is let through."""
CHECKED = 200
"""Images that the two are compared on."""

Floats = npt.NDArray[np.floating[Any]]


@dataclass
class _Graph:
    """ONNX nodes and constants under construction; every method returns the name of the value it made."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: int | list[int]) -> str:
        name = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, None, None, None, **attributes))
        return name

    def constant(self, value: npt.NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def weight(self, value: Floats) -> str:
        """In 8 bits with a scale for each slice along the first axis where that saves much, else in 16 bits."""
        if value.size >= MANY_WEIGHTS:
            return self._in_8_bits(value)
        return self.add("Cast", self.constant(value.astype(np.float16)), to=TensorProto.FLOAT)

    def _in_8_bits(self, value: Floats) -> str:
        largest = np.abs(value).max(axis=tuple(range(1, value.ndim)), keepdims=True)
        scale = (np.maximum(largest, np.finfo(np.float32).tiny) / 127).astype(np.float32)
        whole = self.add("Cast", self.constant(np.rint(value / scale).astype(np.int8)), to=TensorProto.FLOAT)
        return self.add("Mul", whole, self.constant(scale))

    def floats(self, *values: float) -> str:
        return self.constant(np.array(values, np.float32))

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))


def _array(values: torch.Tensor) -> Floats:
    return values.detach().numpy()


def _relu6(graph: _Graph, features: str) -> str:
    return graph.add(
        "Clip", features, graph.constant(np.zeros((), np.float32)), graph.constant(np.full((), 6, np.float32))
    )


def _convolution(graph: _Graph, layer: ConvNorm, features: str, size: int) -> tuple[str, int]:
    weight, bias = _array(layer.convolution.weight), _array(cast("torch.Tensor", layer.convolution.bias))
    before, after = same_padding(size, layer.kernel, layer.stride)
    out = graph.add(
        "Conv",
        features,
        graph.weight(weight),
        graph.weight(bias),
        kernel_shape=[layer.kernel] * 2,
        strides=[layer.stride] * 2,
        pads=[before, before, after, after],
        group=layer.convolution.groups,
    )
    if not layer.linear:
        out = _relu6(graph, out)
    return out, -(-size // layer.stride)


def _block(graph: _Graph, block: InvertedResidual, features: str, size: int) -> tuple[str, int]:
    inner, inner_size = features, size
    for layer in (block.expand, block.depthwise, block.project):
        if layer is not None:
            inner, inner_size = _convolution(graph, layer, inner, inner_size)
    return (graph.add("Add", inner, features) if block.residual else inner), inner_size


def _input(graph: _Graph, *, mirror: bool) -> str:
    """Pixels (N, S, S, 3) to normalised images (N, 3, S, S) and, with `mirror`, their mirror images after them."""
    images = graph.add("Transpose", graph.add("Cast", "pixels", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    images = graph.add("Mul", graph.add("Sub", images, graph.floats(127)), graph.floats(1 / 128))
    if not mirror:
        return images
    mirrored = graph.add(
        "Slice",
        images,
        graph.integers(-1),
        graph.integers(np.iinfo(np.int64).min),
        graph.integers(3),
        graph.integers(-1),
    )
    return graph.add("Concat", images, mirrored, axis=0)


def _columns(graph: _Graph, values: str, first: int, last: int) -> str:
    return graph.add("Slice", values, graph.integers(first), graph.integers(last), graph.integers(1))


def _grouped(graph: _Graph, scores: str, rows: Rows) -> str:
    """Logits (N, outputs) of the scores of all rows, as the network groups them."""
    if set(rows) == {1}:
        return scores
    ends = np.cumsum(rows).tolist()
    parts = [
        graph.add("ReduceLogSumExp", _columns(graph, scores, end - count, end), axes=[1], keepdims=1)
        for count, end in zip(rows, ends, strict=True)
    ]
    return graph.add("Concat", *parts, axis=1)


def _output(graph: _Graph, logits: str, outputs: int, calibration: Calibration, *, mirror: bool) -> None:
    """Logits (N, outputs), or with `mirror` (2N, outputs), to probabilities (N, 2)."""
    if mirror:
        pairs = graph.add("Reshape", logits, graph.integers(2, -1, outputs))
        logits = graph.add("ReduceMean", pairs, axes=[0], keepdims=0)
    labels = _columns(graph, logits, 0, 2) if outputs == 3 else logits
    shifted = graph.add("Add", labels, graph.floats(calibration.shift, 0.0))
    scaled = graph.add("Mul", shifted, graph.floats(1 / calibration.temperature))
    if outputs == 2:
        graph.add("Softmax", scaled, output="probabilities", axis=1)
        return
    label_probabilities = graph.add("Softmax", scaled, axis=1)
    together = graph.add("ReduceLogSumExp", labels, axes=[1], keepdims=1)
    excess = graph.add("Sub", _columns(graph, logits, 2, 3), together)
    sloped = graph.add("Mul", excess, graph.floats(calibration.slope))
    neither = graph.add("Sigmoid", graph.add("Add", sloped, graph.floats(calibration.offset)))
    shown = graph.add("Mul", label_probabilities, graph.add("Sub", graph.floats(1.0), neither))
    graph.add("Add", shown, graph.add("Mul", neither, graph.floats(0.5)), output="probabilities")


def _basic_block(graph: _Graph, block: BasicResidual, features: str, size: int) -> tuple[str, int]:
    inner, side = _convolution(graph, block.first, features, size)
    inner, side = _convolution(graph, block.second, inner, side)
    shortcut = features if block.shortcut is None else _convolution(graph, block.shortcut, features, size)[0]
    added = graph.add("Add", inner, shortcut)
    return _relu6(graph, added), side


def graph_of(network: VehicleNet, size: int, calibration: Calibration, *, mirror: bool) -> onnx.ModelProto:
    """The network as an ONNX model for pixels of `size`."""
    network = copy.deepcopy(network).cpu().eval()
    network.fold()
    graph = _Graph()
    features, side = _convolution(graph, network.stem, _input(graph, mirror=mirror), size)
    for block in network.blocks:
        make = _basic_block if isinstance(block, BasicResidual) else _block
        features, side = make(graph, cast("Any", block), features, side)
    features, side = _convolution(graph, network.head, features, side)
    pooled = graph.add("ReduceMean", features, axes=[2, 3], keepdims=0)
    weight, bias = _array(network.classifier.weight), _array(network.classifier.bias)
    scores = graph.add("Gemm", pooled, graph.weight(weight), graph.weight(bias), transB=1)
    _output(graph, _grouped(graph, scores, network.rows), len(network.rows), calibration, mirror=mirror)
    body = helper.make_graph(
        graph.nodes,
        "vehicle_net",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", size, size, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2])],
        graph.constants,
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="scones")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model


def write(
    network: VehicleNet, size: int, calibration: Calibration, path: Path, *, mirror: bool, check: Images
) -> float:
    """Write the graph to `path` once its predictions equal the network's; the largest difference in probability.

    Raises ExportDiffers if that is above TOLERANCE on the first images of `check`, and writes nothing.
    """
    model = graph_of(network, size, calibration, mirror=mirror)
    few = check.where(np.arange(len(check)) < CHECKED)
    theirs = predict(session_of(model.SerializeToString()), few.pixels)
    difference = float(np.abs(theirs - calibration.probabilities(logits_of(network, few, mirror=mirror))).max())
    if difference > TOLERANCE:
        raise ExportDiffers(difference, TOLERANCE)
    partial = path.with_name(f"{path.name}.partial")
    onnx.save(model, partial)
    partial.replace(path)
    return difference
