"""What can go wrong between an image's bytes and its probabilities.

ServingError
├── ModelError                 the server has no model to answer with, and does not start
│   ├── ModelNotFound
│   ├── InvalidPreprocessing
│   └── InvalidModel
└── RequestError               the caller's to mend; carries the HTTP status of the answer
    ├── ImageError             400
    │   ├── EmptyImage
    │   ├── UnsupportedImage
    │   ├── BrokenImage
    │   └── ImageTooLarge      413
    ├── BodyTooLarge           413
    ├── BodyTimeout            408
    ├── UnsupportedMediaType   415
    ├── NotAcceptable          406
    └── ServerBusy             503
"""

from typing import ClassVar, Final

START_FAILED: Final = 3  # exit code where the port is taken or there is no model: starting again would not help


class ServingError(Exception):
    """Anything this package raises on purpose."""


class ModelError(ServingError):
    """The model directory does not hold a model that this server can serve."""


class ModelNotFound(ModelError):
    """The model directory, or one of its two files, is not there."""


class InvalidPreprocessing(ModelError):
    """`preprocessing` in model.json asks for something this server cannot do."""


class InvalidModel(ModelError):
    """model.onnx and model.json are there, but are not the pair that the server expects."""


class RequestError(ServingError):
    """A request that gets no probabilities; `status` is the HTTP status it is answered with."""

    status: ClassVar[int] = 400


class ImageError(RequestError):
    """The bytes do not make an image that the network can look at."""


class EmptyImage(ImageError):
    """There are no bytes at all."""


class UnsupportedImage(ImageError):
    """The bytes are no image of an accepted format."""


class BrokenImage(ImageError):
    """The bytes begin as an image but are truncated or corrupt."""


class ImageTooLarge(ImageError):
    """Decoding the image would take more memory than one request may have."""

    status = 413


class BodyTooLarge(RequestError):
    """The request's body is longer than the server reads."""

    status = 413


class BodyTimeout(RequestError):
    """The request's body did not arrive in time."""

    status = 408


class UnsupportedMediaType(RequestError):
    """The request's Content-Type is not an image type that the server accepts."""

    status = 415


class NotAcceptable(RequestError):
    """The request's Accept names no type that the server can answer with."""

    status = 406


class ServerBusy(RequestError):
    """Too many requests wait already; the caller may try again."""

    status = 503
