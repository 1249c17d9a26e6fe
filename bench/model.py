"""The shipped network compared with what it replaces and with PyTorch: batch 1 and 32, one thread and two."""

import json
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch
from onnx import TensorProto, helper

from bench.results import Claim, Options, Section, Table
from training.vehicle_net.inference import session_of
from training.vehicle_net.network import VehicleNet
from training.vehicle_net.package import SHIPPED
from training.vehicle_net.reference_model import ReferenceGraph, resnet152

_STAGES_18 = ((64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2))
Predict = Callable[[], object]
_EAGER = "vehicle-net, PyTorch eager"


def measure(options: Options) -> Section:
    """Time every network alternately."""
    rounds = 2 if options.quick else 15
    rows: dict[str, list[str]] = {}
    figures: dict[str, float] = {}
    for batch in (1, 32):
        for threads in (1, 2):
            for name, median in _medians(_contenders(batch, threads), rounds).items():
                rows.setdefault(name, [name]).append(f"{median / batch:.2f}")
                figures[f"{name}, batch {batch}, {threads} threads"] = round(median / batch, 3)
    ours, theirs = (figures[f"{name}, batch 1, 1 threads"] for name in ("vehicle-net", "ResNet-152 at 32 px"))
    claims = [
        Claim("times faster than ResNet-152 at 32 px, batch 1, one thread", round(theirs / ours, 2), 1, at_least=True)
    ]
    method = (
        f"Milliseconds an image, by ONNX Runtime on the CPU: medians of {rounds} batches, alternately. The baselines "
        "have random weights, which speed does not depend on."
    )
    header = ["network", "batch 1, 1 thread", "batch 1, 2 threads", "batch 32, 1 thread", "batch 32, 2 threads"]
    return Section("Model", method, [Table(header, list(rows.values()))], claims, figures)


def _medians(predictors: dict[str, Predict], rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each call."""
    samples: dict[str, list[float]] = {name: [] for name in predictors}
    for number in range(rounds + 1):
        for name, predict in predictors.items():
            began = time.perf_counter()
            predict()
            if number:  # the first warms up
                samples[name].append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(each) for name, each in samples.items()}


def _resnet18(side: int, batch: int) -> bytes:
    """ResNet-18 (https://arxiv.org/abs/1512.03385) with random weights, as the built-in algorithm transfers from it."""
    body = ReferenceGraph(0)
    features = body.add("Relu", body.convolution("pixels", 3, 64, 7, 2))
    features, channels = body.add("MaxPool", features, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), 64
    for width, repeats, stride in _STAGES_18:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            inner = body.add("Relu", body.convolution(features, channels, width, 3, step))
            inner = body.convolution(inner, width, width, 3)
            if step != 1 or channels != width:
                features = body.convolution(features, channels, width, 1, step)
            features, channels = body.add("Relu", body.add("Add", inner, features)), width
    pooled = body.add("ReduceMean", features, axes=[2, 3], keepdims=0)
    logits = body.add("Gemm", pooled, body.weight(2, channels), body.weight(2), transB=1)
    body.nodes.append(helper.make_node("Softmax", [logits], ["probabilities"], axis=1))
    shape = [batch, 3, side, side]
    ends = [
        helper.make_tensor_value_info(*each)
        for each in (("pixels", TensorProto.FLOAT, shape), ("probabilities", TensorProto.FLOAT, [batch, 2]))
    ]
    model = helper.make_model(
        helper.make_graph(body.nodes, "resnet18", ends[:1], ends[1:], body.weights),
        opset_imports=[helper.make_opsetid("", 17)],
    )
    model.ir_version = 9
    return cast("bytes", model.SerializeToString())


def _resnet152(batch: int) -> bytes:
    """The built-in algorithm's default at 32 pixels, for a batch."""
    model = resnet152()
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = batch
    return cast("bytes", model.SerializeToString())


def _onnx(model: bytes | Path, pixels: object, threads: int) -> Predict:
    session = session_of(model, threads=threads)
    return lambda: session.run(["probabilities"], {"pixels": pixels})


def _backbone() -> str:
    text = (SHIPPED / "model.json").read_text("utf-8")
    return str(re.findall(r'"backbone": "([^"]+)"', text)[0])


def _eager(side: int, batch: int, threads: int) -> Predict:
    """The shipped network's own architecture in PyTorch, as it was trained."""
    torch.set_num_threads(threads)
    network = VehicleNet(_backbone())
    network.fold()
    network.eval()
    pixels = torch.zeros(batch, 3, side, side)

    def predict() -> object:
        with torch.inference_mode():
            return network(pixels)

    return predict


def _contenders(batch: int, threads: int) -> dict[str, Predict]:
    side = json.loads((SHIPPED / "model.json").read_text("utf-8"))["preprocessing"]["size"]
    generator = np.random.default_rng(0)
    floats = {size: generator.random((batch, 3, size, size), np.float32) for size in (32, 224)}
    return {
        "vehicle-net": _onnx(
            SHIPPED / "model.onnx", generator.integers(0, 256, (batch, side, side, 3), dtype=np.uint8), threads
        ),
        "ResNet-152 at 32 px": _onnx(_resnet152(batch), floats[32], threads),
        "ResNet-18 at 224 px": _onnx(_resnet18(224, batch), floats[224], threads),
        _EAGER: _eager(side, batch, threads),
    }
