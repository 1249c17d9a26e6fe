"""The inputs of the demo in addition to the dataset's images: rendered images of neither class, and invalid ones."""

from typing import Any

from orchestration.executions import S3Image
from scones.images_of_neither import render_one
from training.data.synthetic import Kind

_OF_NEITHER: dict[Kind, int] = {"car": 3, "neither": 2}


def upload_images_of_neither(s3: Any, bucket: str, prefix: str) -> list[S3Image]:
    """Render and upload five images that show neither a bicycle nor a motorcycle, and return them."""
    bodies = {
        f"{prefix}/neither/{kind}-{number}.png": render_one(kind, number)
        for kind, count in _OF_NEITHER.items()
        for number in range(count)
    }
    return _upload(s3, bucket, bodies)


def upload_invalid(s3: Any, bucket: str, prefix: str, image: S3Image) -> list[S3Image]:
    """Upload three objects that are not images, one of them half of ``image``; return them and a key without object."""
    content = s3.get_object(Bucket=image.s3_bucket, Key=image.s3_key)["Body"].read()
    bodies = {"corrupt.png": content[: len(content) // 2], "text.png": b"not an image\n", "empty.png": b""}
    invalid = _upload(s3, bucket, {f"{prefix}/{name}": body for name, body in bodies.items()})
    return [*invalid, S3Image(bucket, f"{prefix}/missing.png")]


def _upload(s3: Any, bucket: str, bodies: dict[str, bytes]) -> list[S3Image]:
    for key, body in bodies.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    return [S3Image(bucket, key) for key in bodies]
