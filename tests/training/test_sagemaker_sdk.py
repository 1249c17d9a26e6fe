import os
import subprocess
import sys

import pytest

from training.errors import ContainerImageNotFound, SageMakerRefused, translate_errors
from training.sagemaker_sdk import image_uri, load_sdk


def test_a_region_without_the_builtin_algorithm_is_named() -> None:
    with pytest.raises(ContainerImageNotFound, match=r"image-classification.*mx-central-7"):
        image_uri("image-classification", "mx-central-7")


def test_what_the_sdks_own_models_refuse_is_a_named_error() -> None:
    shapes = load_sdk().shapes
    with pytest.raises(SageMakerRefused, match="ParamValidation"), translate_errors("deploy"):
        shapes.StoppingCondition(max_runtime_in_seconds="for ever")


def test_the_sdk_is_imported_whatever_the_profile() -> None:
    code = "from training.sagemaker_sdk import load_sdk; load_sdk(); import os; print(os.environ['AWS_PROFILE'])"
    environment = {**os.environ, "AWS_PROFILE": "nowhere", "AWS_CONFIG_FILE": os.devnull}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "nowhere\n"


def test_another_value_error_is_a_defect_and_stays_one() -> None:
    with pytest.raises(ValueError, match="a defect"), translate_errors("deploy"):
        raise ValueError("a defect")
