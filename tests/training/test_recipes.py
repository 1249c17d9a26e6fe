import pytest

from training.errors import InvalidHyperparameter, UnknownRecipe
from training.recipes import RECIPES, build_hyperparameters, get_recipe, max_epochs
from training.vehicle_net.hyperparameters import Hyperparameters as VehicleNetHyperparameters


def test_the_builtin_recipe_has_the_published_hyperparameters() -> None:
    values = build_hyperparameters(get_recipe("builtin"), 1000)
    assert values == {"image_shape": "3,32,32", "num_classes": "2", "epochs": "30", "num_training_samples": "1000"}


def test_overrides_win_over_epochs_and_epochs_over_the_recipe() -> None:
    recipe = get_recipe("builtin")
    assert build_hyperparameters(recipe, 4, 2)["epochs"] == "2"
    assert build_hyperparameters(recipe, 4, 2, {"epochs": "3", "num_layers": "20"})["epochs"] == "3"


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_an_unknown_hyperparameter_is_named(recipe: str) -> None:
    with pytest.raises(InvalidHyperparameter, match=r"^hyperparameter nonsense"):
        build_hyperparameters(get_recipe(recipe), 4, overrides={"nonsense": "1"})


def test_an_unknown_recipe_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownRecipe, match=r"'alexnet'.*builtin-transfer"):
        get_recipe("alexnet")


def test_the_number_of_epochs_is_the_hyperparameter_or_the_networks_own() -> None:
    ours, own = get_recipe("vehicle-net"), VehicleNetHyperparameters()
    assert max_epochs(get_recipe("builtin"), {"epochs": "7"}) == 7
    assert max_epochs(ours, {}) == own.epochs * own.members
    assert max_epochs(ours, {"epochs": "7", "members": "3"}) == 21
    assert max_epochs(ours, {"epochs": "7", "members": "3", "pretrained": "false"}) == 7
