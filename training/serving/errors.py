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


class ImageError(RequestError):
    """The bytes are not an image that can be decoded."""


class EmptyImage(ImageError):
    """There are no bytes."""


class UnsupportedImage(ImageError):
    """The bytes are not an image of an accepted format."""


class BrokenImage(ImageError):
    """The bytes begin like an image, but are truncated or corrupt."""


class ImageTooLarge(ImageError):
    """Decoding the image would take too much memory or time."""

    status = 413


class BodyTooLarge(RequestError):
    """The request's body is longer than the limit."""

    status = 413


class BodyTimeout(RequestError):
    """The request's body did not arrive in time."""

    status = 408


class UnsupportedMediaType(RequestError):
    """The request's Content-Type is not an accepted image type."""

    status = 415


class NotAcceptable(RequestError):
    """The request's Accept has no type that the server can respond with."""

    status = 406


class ServerBusy(RequestError):
    """Too many requests are in progress; the client may try again."""

    status = 503


class InferenceTimeout(RequestError):
    """Decoding and inference took too long."""

    status = 504
