"""The S3 client: botocore without boto3, created at the first call and reused by all later ones.

``sdk/``, which the image build writes with ``slim_sdk``, is the part of botocore's data that GetObject needs with
credentials from the environment, as on Lambda. Where it is missing, botocore uses its own.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

import botocore.session
import settings
from botocore.config import Config
from botocore.loaders import Loader

_SDK = Path(__file__).with_name("sdk")


class ObjectStore(Protocol):
    """The operation of the S3 client that this function uses."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        """Return the object's metadata and its body, a stream."""
        ...


@cache
def s3() -> ObjectStore:
    """Return the client; it makes three quick attempts a call, and the state machine retries after that."""
    session = botocore.session.Session()
    if _SDK.is_dir():
        session.register_component("data_loader", Loader([str(_SDK)], include_default_search_paths=False))
    config = Config(
        connect_timeout=2,
        read_timeout=8,
        retries={"mode": "standard", "total_max_attempts": 3},
        tcp_keepalive=True,
    )
    return cast(ObjectStore, session.create_client("s3", region_name=settings.region(), config=config))
