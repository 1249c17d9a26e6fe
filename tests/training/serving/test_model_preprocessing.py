import numpy as np
import pytest
from PIL import Image

from tests.training.serving.images import Encode
from training.serving.errors import InvalidPreprocessing
from training.serving.model import Preprocessing, decode, to_pixels


def test_a_png_of_the_networks_size_reaches_it_unchanged(encode: Encode) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    data = encode(Image.fromarray(pixels))
    assert np.array_equal(to_pixels(decode(data), Preprocessing(size=32)), pixels)
    assert np.array_equal(to_pixels(decode(data), Preprocessing(size=32, through=32)), pixels)


def test_going_through_a_smaller_size_makes_a_photograph_as_coarse_as_a_thumbnail() -> None:
    photograph = Image.fromarray(np.random.default_rng(3).integers(0, 256, (300, 400, 3), dtype=np.uint8))
    spec = Preprocessing(size=96, through=32)
    thumbnail = photograph.resize((32, 32), Image.Resampling.BICUBIC, reducing_gap=3.0)
    assert np.array_equal(to_pixels(photograph, spec), to_pixels(thumbnail, spec))
    direct = to_pixels(photograph, Preprocessing(size=96))
    assert direct.std() > 2 * to_pixels(photograph, spec).std()


def test_pixels_are_a_square_of_bytes_that_may_be_written_to() -> None:
    pixels = to_pixels(Image.new("RGB", (50, 20)), Preprocessing(size=24))
    assert pixels.shape == (24, 24, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable


def test_preprocessing_survives_model_json() -> None:
    spec = Preprocessing(size=96, resample="lanczos", through=32)
    assert spec.to_dict() == {"size": 96, "resample": "lanczos", "fit": "squash", "through": 32}
    assert Preprocessing.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "size"),
        ({"size": "96"}, "'96'"),
        ({"size": True}, "True"),
        ({"size": 96.0}, "96.0"),
        ({"size": 0}, "size is 0"),
        ({"size": 4096}, "4096"),
        ({"size": 96, "through": 1}, "through is 1"),
        ({"size": 96, "resample": "nearest"}, "nearest"),
        ({"size": 96, "fit": "crop"}, "crop"),
        ({"size": 96, "resample": ["bicubic"]}, "bicubic"),
        ({"size": 96, "fit": {}}, "fit is {}"),
        ({"size": 96, "mean": 0.5}, "mean"),
        ([96], "96"),
        (None, "None"),
    ],
)
def test_impossible_preprocessing_is_refused_and_named(fields: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidPreprocessing, match=named):
        Preprocessing.from_dict(fields)
