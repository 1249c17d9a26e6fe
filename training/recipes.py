"""The recipes of `scones train`: hyperparameters, and what a recipe requires of dataset and network.

Hyperparameters of the built-in algorithm: https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.defaults import TRAINING_INSTANCE_TYPE
from training.errors import InvalidHyperparameter, UnknownRecipe
from training.vehicle_net.errors import InvalidHyperparameter as InvalidVehicleNetHyperparameter
from training.vehicle_net.hyperparameters import Hyperparameters as VehicleNetHyperparameters

IMAGE_CONTENT_TYPE = "application/x-image"
_BUILTIN_HYPERPARAMETERS = frozenset(
    """augmentation_type beta_1 beta_2 checkpoint_frequency early_stopping early_stopping_min_epochs
    early_stopping_patience early_stopping_tolerance epochs eps gamma image_shape kv_store learning_rate
    lr_scheduler_factor lr_scheduler_step mini_batch_size momentum multi_label num_classes num_layers
    num_training_samples optimizer precision_dtype resize top_k use_pretrained_model use_weighted_loss
    weight_decay""".split()  # noqa: SIM905 - a list of 28 strings is longer and says no more
)


@dataclass(frozen=True)
class Recipe:
    """A kind of training job. ``min_side`` is the smallest image side in pixels that it accepts.

    ``isolated`` runs the container without network access: pretrained weights and source code need the network.
    """

    name: str
    description: str
    builtin: bool
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    min_side: int = 1
    isolated: bool = False
    instance_type: str = TRAINING_INSTANCE_TYPE


_PUBLISHED = {"image_shape": "3,32,32", "num_classes": "2", "epochs": "30"}
RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("vehicle-net", "our network, script mode on AWS's PyTorch image", builtin=False),
        Recipe(
            "builtin", "AWS's image classification as published", builtin=True, hyperparameters=_PUBLISHED,
            min_side=32, isolated=True,
        ),
        Recipe(
            "builtin-small", "AWS's image classification at a depth for 32 pixels, augmented, stopped early",
            builtin=True,
            hyperparameters=_PUBLISHED
            | {"num_layers": "20", "augmentation_type": "crop_color_transform", "early_stopping": "True"},
            min_side=32, isolated=True,
        ),
        Recipe(
            "builtin-transfer", "AWS's image classification from ImageNet weights, 224 pixels", builtin=True,
            hyperparameters=_PUBLISHED
            | {"image_shape": "3,224,224", "use_pretrained_model": "1", "num_layers": "18", "learning_rate": "0.001"},
            min_side=224,
        ),
    )
}  # fmt: skip


def get_recipe(name: str) -> Recipe:
    """Return a recipe. Raises UnknownRecipe."""
    if name not in RECIPES:
        raise UnknownRecipe(name, list(RECIPES))
    return RECIPES[name]


def build_hyperparameters(
    recipe: Recipe, training_images: int, epochs: int | None = None, overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the job's hyperparameters: the recipe's, the number of training images, ``epochs``, ``overrides``.

    Raises InvalidHyperparameter for one that the training program does not know: the job would fail minutes later.
    """
    values = dict(recipe.hyperparameters)
    if recipe.builtin:
        values["num_training_samples"] = str(training_images)
    values |= {} if epochs is None else {"epochs": str(epochs)}
    values |= overrides or {}
    if recipe.builtin:
        for name in values.keys() - _BUILTIN_HYPERPARAMETERS:
            raise InvalidHyperparameter(
                name, f"the built-in algorithm knows {', '.join(sorted(_BUILTIN_HYPERPARAMETERS))}"
            )
    else:
        try:
            VehicleNetHyperparameters.of(values)
        except InvalidVehicleNetHyperparameter as error:
            raise InvalidHyperparameter(f"{error.name}={error.value!r}", error.problem) from error
    return values


def max_epochs(recipe: Recipe, hyperparameters: Mapping[str, str]) -> int:
    """Return how many epochs a job with the hyperparameters of `build_hyperparameters` reports at most."""
    return (
        int(hyperparameters["epochs"]) if recipe.builtin else VehicleNetHyperparameters.of(hyperparameters).total_epochs
    )
