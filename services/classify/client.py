"""The SageMaker runtime client: botocore without boto3, created at the first call and reused by all later ones.

``sdk/``, which the image build writes with ``slim_sdk``, is the part of botocore's data that InvokeEndpoint needs with
credentials from the environment, as on Lambda. Where it is missing, botocore uses its own.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

import botocore.session
import settings
from botocore.config import Config
from botocore.exceptions import NoRegionError
from botocore.loaders import Loader
from errors import InvalidConfiguration

CONNECT_TIMEOUT = 3
READ_TIMEOUT = 30
_SDK = Path(__file__).with_name("sdk")


class EndpointRuntime(Protocol):
    """The operation of the SageMaker runtime client that this function uses."""

    def invoke_endpoint(self, **parameters: str | bytes) -> Mapping[str, Any]:
        """Return the response's metadata and its body, a stream."""
        ...


@cache
def sagemaker_runtime() -> EndpointRuntime:
    """Return the client; it makes one attempt a call, because the state machine retries."""
    session = botocore.session.Session()
    if _SDK.is_dir():
        session.register_component("data_loader", Loader([str(_SDK)], include_default_search_paths=False))
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
    )
    try:
        client = session.create_client("sagemaker-runtime", region_name=settings.region(), config=config)
    except NoRegionError as error:
        raise InvalidConfiguration("AWS_REGION is not set: set it, as Lambda does") from error
    return cast(EndpointRuntime, client)
