"""What speed is measured against: the ResNet-152 that the built-in algorithm trains by default, for 32x32 pixels."""

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 32
_STAGES = ((64, 3, 1), (128, 8, 2), (256, 36, 2), (512, 3, 2))


class ReferenceGraph:
    """Nodes of a residual network with random weights: speed does not depend on their values."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: int | list[int]) -> str:
        """Append a node of this ONNX operator; return the name of its output."""
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, None, None, None, **attributes))
        return name

    def weight(self, *shape: int) -> str:
        """Append random weights of this shape; return their name."""
        name = f"weight_{len(self.weights)}"
        fan_in = int(np.prod(shape[1:])) or 1
        values: npt.NDArray[np.float32] = self.random.standard_normal(shape, np.float32) * np.float32(fan_in**-0.5)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def convolution(self, features: str, inputs: int, outputs: int, kernel: int, stride: int = 1) -> str:
        """Append a convolution with bias; return the name of its output."""
        return self.add(
            "Conv",
            features,
            self.weight(outputs, inputs, kernel, kernel),
            self.weight(outputs),
            strides=[stride, stride],
            pads=[kernel // 2] * 4,
        )

    def bottleneck(self, features: str, inputs: int, middle: int, stride: int) -> str:
        """Append a residual block of three convolutions; return the name of its output."""
        inner = self.add("Relu", self.convolution(features, inputs, middle, 1))
        inner = self.add("Relu", self.convolution(inner, middle, middle, 3, stride))
        inner = self.convolution(inner, middle, middle * 4, 1)
        if stride != 1 or inputs != middle * 4:
            features = self.convolution(features, inputs, middle * 4, 1, stride)
        return self.add("Relu", self.add("Add", inner, features))


def resnet152(seed: int = 0) -> onnx.ModelProto:
    """ResNet-152 (https://arxiv.org/abs/1512.03385), 3x3 stem of stride 1, no pooling before the first stage."""
    body = ReferenceGraph(seed)
    features, channels = body.add("Relu", body.convolution("pixels", 3, 64, 3)), 64
    for middle, repeats, stride in _STAGES:
        for repeat in range(repeats):
            features = body.bottleneck(features, channels, middle, stride if repeat == 0 else 1)
            channels = middle * 4
    pooled = body.add("ReduceMean", features, axes=[2, 3], keepdims=0)
    logits = body.add("Gemm", pooled, body.weight(2, channels), body.weight(2), transB=1)
    body.nodes.append(helper.make_node("Softmax", [logits], ["probabilities"], axis=1))
    graph = helper.make_graph(
        body.nodes,
        "resnet152",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 2])],
        body.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model
