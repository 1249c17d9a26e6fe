"""Which container serves which function: named after the image, listed in one environment variable."""

from collections.abc import Mapping

from .errors import UnknownFunction
from .function_container import FunctionContainer
from .settings import CONTAINERS_VARIABLE


class FunctionContainers:
    """The containers by name, as ``serialize=http://127.0.0.1:41233,classify=http://…`` lists them."""

    def __init__(self, listed: str) -> None:
        pairs = (entry.strip().partition("=") for entry in listed.split(",") if entry.strip())
        self._by_name: Mapping[str, FunctionContainer] = {
            name: FunctionContainer(url.rstrip("/")) for name, _, url in pairs
        }

    def for_image(self, image_uri: str) -> FunctionContainer:
        """Return the container of an image such as ``1234.dkr.ecr.us-east-1.amazonaws.com/scones/serialize:tag``.

        Raises UnknownFunction where the last segment of the repository is not listed.
        """
        name = function_of(image_uri)
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(self._by_name) or "none"
            raise UnknownFunction(
                f"no container runs the image {image_uri}: start one, add {name}=URL to {CONTAINERS_VARIABLE}, which "
                f"lists {known}, and start the local environment again; or deploy a zip archive"
            ) from None


def function_of(image_uri: str) -> str:
    """Return the last segment of the image's repository, without tag or digest."""
    return image_uri.rpartition("/")[2].partition("@")[0].partition(":")[0]
