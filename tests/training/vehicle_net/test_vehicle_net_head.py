import numpy as np
import pytest
import torch

from training.vehicle_net.head import BICYCLES, CLUSTERS, MOTORCYCLES, grouped, initial_weights, rows_for

pytestmark = pytest.mark.torch

WEIGHT = torch.randn(1000, 6, generator=torch.Generator().manual_seed(0))
BIAS = torch.arange(1000).float() / 1000


def test_only_vehicles_with_imagenet_weights_get_several_rows_for_an_output() -> None:
    assert rows_for(of_vehicles=True, neither=True, pretrained=True) == (2, 2, CLUSTERS)
    assert rows_for(of_vehicles=True, neither=True, pretrained=False) == (1, 1, 1)
    assert rows_for(of_vehicles=False, neither=True, pretrained=True) == (1, 1, 1)
    assert rows_for(of_vehicles=True, neither=False, pretrained=True) == (1, 1)


def test_scores_are_summed_within_an_output_as_probabilities_are() -> None:
    scores = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]])
    shares = grouped(scores, (2, 1, 2)).softmax(1)
    expected = torch.split(scores.softmax(1)[0], [2, 1, 2])
    np.testing.assert_allclose(shares[0].numpy(), [float(part.sum()) for part in expected], rtol=1e-6)
    assert grouped(scores, (1, 1, 1, 1, 1)) is scores


def test_the_classifier_of_three_outputs_starts_from_two_wheelers_and_means_of_everything_else() -> None:
    weight, bias = initial_weights(WEIGHT, BIAS, (2, 2, CLUSTERS), of_vehicles=True)
    torch.testing.assert_close(weight[:4], WEIGHT[[*BICYCLES, *MOTORCYCLES]])
    assert weight.shape == (4 + CLUSTERS, 6)
    assert bias.shape == (4 + CLUSTERS,)
    again, _ = initial_weights(WEIGHT, BIAS, (2, 2, CLUSTERS), of_vehicles=True)
    assert torch.equal(weight, again)


def test_two_outputs_start_from_the_mean_of_their_classes_and_other_labels_from_zero() -> None:
    weight, _ = initial_weights(WEIGHT, BIAS, (1, 1), of_vehicles=True)
    torch.testing.assert_close(weight[0], WEIGHT[list(BICYCLES)].mean(0))
    weight, bias = initial_weights(WEIGHT, BIAS, (1, 1, 1), of_vehicles=False)
    assert weight.shape == (3, 6)
    assert not weight.any()
    assert not bias.any()
