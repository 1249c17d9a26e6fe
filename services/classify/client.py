"""The SageMaker runtime client: botocore alone, made at the first call and kept for all later ones.

``sdk/`` beside this file, which the image build writes with ``slim_sdk``, is the part of botocore's data that
InvokeEndpoint needs with credentials from the environment, as Lambda gives them. Where it is missing, botocore's own is
used.
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import NoRegionError
from botocore.loaders import Loader
from errors import InvalidConfiguration

CONNECT_TIMEOUT = 3
READ_TIMEOUT = 30
_SDK = Path(__file__).with_name("sdk")


class EndpointRuntime(Protocol):
    """The part of the SageMaker runtime client that is called here."""

    def invoke_endpoint(self, **parameters: str | bytes) -> Mapping[str, Any]:
        """Return the answer's metadata and its body, a stream."""
        ...


@cache
def sagemaker_runtime() -> EndpointRuntime:
    """Return the client for this container: one attempt a call, since the state machine is what retries."""
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
        client = session.create_client(
            "sagemaker-runtime", region_name=os.environ.get("AWS_REGION") or None, config=config
        )
    except NoRegionError as error:
        raise InvalidConfiguration("no region is set: set AWS_REGION, as Lambda does") from error
    return cast(EndpointRuntime, client)
