import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from monitoring.capture import EVALUATION
from monitoring.report import Content
from scones.endpoint_evaluation import classify, figures
from scones.errors import EndpointReturnedNothing
from scones.images_of_neither import write_images
from scones.staged_datasets import LabelledFile
from training.data.staging import stage
from training.data.synthetic import SyntheticSource


class Session:
    """Hands out one client, which is stubbed."""

    def __init__(self) -> None:
        self.runtime: Any = boto3.client(
            "sagemaker-runtime", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )

    def client(self, _service: str, **_options: Any) -> Any:
        return self.runtime


def answer(body: bytes) -> dict[str, Any]:
    return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentType": "application/json"}


@pytest.fixture
def images(tmp_path: Path) -> list[LabelledFile]:
    paths = [tmp_path / f"{n}.png" for n in range(4)]
    for path in paths:
        path.write_bytes(b"image")
    return [LabelledFile(path, n % 2) for n, path in enumerate(paths)]


def classified(images: list[LabelledFile], bodies: list[bytes | str]) -> Content:
    session: Any = Session()
    with Stubber(session.runtime) as stub:
        for body in bodies:
            if isinstance(body, bytes):
                stub.add_response("invoke_endpoint", answer(body))
            else:
                stub.add_client_error("invoke_endpoint", body, "no")
        result = classify(
            session, "vehicles", images, 0.94, lambda _done, _total: None, workers=1
        )  # the stub answers in order
    return Content("", datetime.now(UTC), 0.94, result)


def test_the_predictions_are_compared_with_the_labels(images: list[LabelledFile]) -> None:
    result = figures(
        classified(images, [b"[0.99, 0.01]", b"[0.03, 0.97]", b"[0.4, 0.6]", b'{"prediction": [0.02, 0.98]}'])
    )
    assert (result["accuracy"]["successes"], result["accuracy"]["n"]) == (3, 4)
    assert (result["accepted"]["successes"], result["accuracy_accepted"]["value"]) == (3, 1.0)
    assert result["confusion"] == ((1, 1), (0, 2))


def test_an_image_without_a_prediction_is_counted_apart(images: list[LabelledFile]) -> None:
    content = classified(images, [b"[0.99, 0.01]", "ModelError", b"[NaN, 1]", b"[0.02, 0.98]"])
    assert [image.error for image in content.images] == [None, "ModelError", "MalformedInference", None]
    assert (figures(content)["images"], figures(content)["answered"]) == (4, 2)


def test_an_endpoint_without_predictions_is_an_error_that_says_why(images: list[LabelledFile]) -> None:
    with pytest.raises(EndpointReturnedNothing, match=r"any of 4 images \(no\)"):
        classified(images, ["ValidationError"] * 4)


def test_questions_bear_an_id_that_tells_them_from_traffic(images: list[LabelledFile]) -> None:
    session: Any = Session()
    asked_with: list[str] = []
    session.runtime.meta.events.register(
        "provide-client-params.sagemaker-runtime.InvokeEndpoint",
        lambda params, **_: asked_with.append(params["InferenceId"]),
    )
    with Stubber(session.runtime) as stub:
        for _ in images:
            stub.add_response("invoke_endpoint", answer(b"[0.99, 0.01]"))
        classify(session, "vehicles", images, 0.94, lambda _done, _total: None, workers=1)
    assert len(set(asked_with)) == len(images)
    assert all(each.startswith(EVALUATION) and len(each) <= 64 for each in asked_with)


def test_images_of_neither_class_are_rendered_and_taken_from_what_is_staged(tmp_path: Path) -> None:
    staged = stage(SyntheticSource(train=2, test=2, others=8), tmp_path / "data", tool="test")
    images = write_images(tmp_path, staged, 3)
    assert {kind: len(own) for kind, own in images.items()} == {
        "rendered cars": 3,
        "rendered scenes": 3,
        "other classes, test split": 3,
    }
    assert all(image.label is None and image.path.is_file() for own in images.values() for image in own)


def test_the_figures_say_how_many_of_neither_class_are_accepted(images: list[LabelledFile]) -> None:
    content = classified(images, [b"[0.99, 0.01]", b"[0.03, 0.97]", b"[0.6, 0.4]", b"[0.02, 0.98]"])
    shown = figures(replace(content, neither={"rendered cars": [0.5, 0.96]}))
    cars = shown["neither_accepted"]["rendered cars"]
    assert (cars["successes"], cars["n"], shown["advice"]["threshold"]) == (1, 2, 0.97)
