"""docs/sagemaker-calls.md: which calls the rehearsal made, and where."""

from collections.abc import Mapping

import boto3

from training.request_recorder import RequestRecorder

_PAGE = """# Which calls ran where
Written by `scones rehearse --write docs/sagemaker-calls.md`; a test runs the rehearsal and holds this page to it.

The script is `training/rehearsal.py`: it trains, serves, asks, finds the captures, scales, plans the end, updates and
deletes, and has no branch on where it runs. These are all the calls it made, in their first order, with the top-level
members that each carried. The test holds every request and every answer to botocore's model, field by field.

| service | call | ran at | said |
|---|---|---|---|
{rows}

**On AWS itself nothing of this has run yet.** `scones rehearse --target aws --write FILE` writes this page about AWS.
Two calls are made there alone, before anything is created: `ListServiceQuotas` and `GetProducts`; botocore's Stubber
holds them to their models.
"""


def hosts(session: boto3.Session) -> Mapping[str, str]:
    """Return the name of each host that this session's clients call instead of AWS, by its URL."""
    offline = {"sagemaker_url": "the SageMaker emulator", "localstack_url": "LocalStack"}
    return {getattr(session, name).rstrip("/"): host for name, host in offline.items() if hasattr(session, name)}


def page(recorder: RequestRecorder, hosts: Mapping[str, str]) -> str:
    """Return docs/sagemaker-calls.md: each call once, with every member that any of its requests had."""
    members: dict[tuple[str, str, str], set[str]] = {}
    for request in recorder.requests:
        key = (request.service, request.operation, hosts.get(request.endpoint_url, "AWS"))
        members.setdefault(key, set()).update(request.parameters)
    rows = [
        f"| {service} | {operation} | {host} | {', '.join(sorted(names))} |"
        for (service, operation, host), names in members.items()
    ]
    return _PAGE.format(rows="\n".join(rows))
