"""Errors of the inference server.

ServingError
├── ModelError                 the server has no model, and does not start
│   ├── ModelNotFound
│   ├── InvalidPreprocessing
│   └── InvalidModel
└── RequestError               the client's request cannot be served; carries the HTTP status
    ├── ImageError             400
    │   ├── EmptyImage
    │   ├── UnsupportedImage
    │   ├── BrokenImage
    │   └── ImageTooLarge      413
    ├── BodyTooLarge           413
    ├── BodyTimeout            408
    ├── UnsupportedMediaType   415
    ├── NotAcceptable          406
    ├── ServerBusy             503
    └── InferenceTimeout       504
"""

from typing import ClassVar, Final

from core.errors import SconesError

START_FAILED: Final = 3  # exit code where the port is taken or there is no model: a restart would not help


class ServingError(SconesError):
    """Base of what the inference server raises."""


class ModelError(ServingError):
    """The model directory has no model that this server can serve."""


class ModelNotFound(ModelError):
    """The model directory, or one of its two files, is missing."""


class InvalidPreprocessing(ModelError):
    """`preprocessing` in model.json has an unknown field or an impossible value."""


class InvalidModel(ModelError):
    """model.onnx or model.json cannot be read, or they do not belong together."""


class RequestError(ServingError):
    """A request without a prediction; `status` is the HTTP status of the response."""

    status: ClassVar[int] = 400

    def __init_subclass__(cls, status: int | None = None) -> None:
        cls.status = status or cls.status


class ImageError(RequestError):
    """The bytes are not an image that can be decoded."""


class EmptyImage(ImageError):
    """There are no bytes."""


class UnsupportedImage(ImageError):
    """The bytes are not an image of an accepted format."""


class BrokenImage(ImageError):
    """The bytes begin like an image, but are truncated or corrupt."""


class ImageTooLarge(ImageError, status=413):
    """Decoding the image would take too much memory or time."""


class BodyTooLarge(RequestError, status=413):
    """The request's body is longer than the limit."""


class BodyTimeout(RequestError, status=408):
    """The request's body did not arrive in time."""


class UnsupportedMediaType(RequestError, status=415):
    """The request's Content-Type is not an accepted image type."""


class NotAcceptable(RequestError, status=406):
    """The request's Accept has no type that the server can respond with."""


class ServerBusy(RequestError, status=503):
    """Too many requests are in progress; the client may try again."""


class InferenceTimeout(RequestError, status=504):
    """Decoding and inference took too long."""
