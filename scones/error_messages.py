"""What the command line prints about an expected error: one line, with the remedy where there is one."""

import errno

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
)
from botocore.parsers import ResponseParserError

from core.errors import SconesError

EXPECTED = (SconesError, OSError, BotoCoreError, ClientError, ResponseParserError)
"""The errors that are no fault of the program."""

_LONGEST = 500
_FULL = "free some space or choose another directory"
_FORBIDDEN = "change its permissions or choose another path"
_REMEDIES = {
    errno.EACCES: _FORBIDDEN,
    errno.EDQUOT: _FULL,
    errno.EEXIST: "choose a path at which there is no file",
    errno.EFBIG: _FULL,
    errno.EISDIR: "specify a file",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "correct the path",
    errno.ENOSPC: _FULL,
    errno.ENOTDIR: "choose a path that leads through no file",
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: "choose another path",
}


def sentence(error: Exception) -> str:
    """Return the line about an expected error; a text of AWS's or botocore's, which may repeat a request, is cut."""
    match error:
        case SconesError():
            text = str(error)
        case EndpointConnectionError():
            text = f"cannot connect to {error.kwargs['endpoint_url']}: {_connection_remedy(error)}"
        case ProxyConnectionError():
            text = f"{error}: it refuses the connection or is not there; correct HTTPS_PROXY"
        case NoCredentialsError():
            text = "no AWS credentials found: set AWS_PROFILE or run `aws configure`; `--target local` needs none"
        case ProfileNotFound():
            text = f"{error}: correct AWS_PROFILE, or create it with `aws configure --profile NAME`"
        case InvalidRegionError():
            text = f"'{error.kwargs['region_name']}' is not a region: correct AWS_REGION, or the profile's region"
        case OSError():
            text = _disk_error(error)
        case _:
            text = str(error) if len(str(error)) <= _LONGEST else f"{str(error)[:_LONGEST]}…"
    return " ".join(text.split()) or type(error).__name__


def _connection_remedy(error: EndpointConnectionError) -> str:
    if ".amazonaws.com" in error.kwargs["endpoint_url"]:
        return "check the region, the network, HTTPS_PROXY and AWS_CA_BUNDLE"
    return "start it with `scones up`"


def _disk_error(error: OSError) -> str:
    path = error.filename2 or error.filename  # the second is what a file was to be renamed to
    message = f"{path}: {error.strerror}" if path and error.strerror else str(error)
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{message}: {remedy}" if remedy == _FULL or (remedy and path) else message
