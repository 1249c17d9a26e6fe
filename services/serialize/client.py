"""The S3 client: botocore alone, made at the first call and kept for all later ones.

``sdk/`` beside this file, which the image build writes with ``slim_sdk``, is the part of botocore's data that GetObject
needs with credentials from the environment, as Lambda gives them. Where it is missing, botocore's own is used.
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

_SDK = Path(__file__).with_name("sdk")


class ObjectStore(Protocol):
    """The part of the S3 client that is called here."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        """Return the object's metadata and its body, a stream."""
        ...


@cache
def s3() -> ObjectStore:
    """Return the client for this container: three quick attempts a call, the rest is the state machine's."""
    session = botocore.session.Session()
    if _SDK.is_dir():
        session.register_component("data_loader", Loader([str(_SDK)], include_default_search_paths=False))
    config = Config(
        connect_timeout=2,
        read_timeout=8,
        retries={"mode": "standard", "total_max_attempts": 3},
        tcp_keepalive=True,
    )
    return cast(
        ObjectStore, session.create_client("s3", region_name=os.environ.get("AWS_REGION") or None, config=config)
    )
