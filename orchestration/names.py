"""AWS's rules for the names that derive from the stack's, checked before anything is built."""

import re

from orchestration.errors import InvalidEndpointName, InvalidStackName

_MAX_BUCKET_NAME = 63
_MAX_ENDPOINT_NAME = 53  # SageMaker's 63, less the suffix of a rehearsal
_ACCOUNT_DIGITS = 12
_SHORTEST_REGION = "us-east-1"  # no region has a shorter name
# CloudFormation also takes upper case, but the stack's name is part of a bucket's.
_STACK_NAME = re.compile(r"[a-z](-?[a-z0-9])*")
_ENDPOINT_NAME = re.compile(r"[a-z0-9](-*[a-z0-9])*")


def check_stack_name(name: str, region: str = _SHORTEST_REGION) -> None:
    """Raise InvalidStackName where no bucket or function could have the name that derives from this one."""
    longest = _MAX_BUCKET_NAME - len(f"-data--{region}") - _ACCOUNT_DIGITS
    if len(name) > longest or not _STACK_NAME.fullmatch(name):
        raise InvalidStackName(name, longest)


def check_endpoint_name(name: str) -> None:
    """Raise InvalidEndpointName where SageMaker or the stack's policies could not have this name."""
    if len(name) > _MAX_ENDPOINT_NAME or not _ENDPOINT_NAME.fullmatch(name):
        raise InvalidEndpointName(name, _MAX_ENDPOINT_NAME)
