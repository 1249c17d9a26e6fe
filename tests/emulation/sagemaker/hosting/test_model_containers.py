"""A stub container returns probabilities without a model."""

import asyncio
import json
import statistics
from typing import Any

from emulation.sagemaker.hosting.model_containers import StubContainer


def test_the_stubs_predictions_are_the_set_number_or_derived_from_the_image() -> None:
    def ask(stub_emulator: StubContainer, body: bytes) -> Any:
        return json.loads(asyncio.run(stub_emulator.invoke({}, body)).body)

    assert ask(StubContainer(0.97), b"x") == [0.97, 0.03]
    responses = [ask(StubContainer(), f"image {index}".encode()) for index in range(200)]
    assert responses == [ask(StubContainer(), f"image {index}".encode()) for index in range(200)]
    assert all(abs(first + second - 1) < 1e-6 for first, second in responses)
    assert 0.4 < statistics.fmean(first for first, _ in responses) < 0.6
