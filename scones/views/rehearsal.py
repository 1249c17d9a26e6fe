"""docs/sagemaker-calls.md: which calls the rehearsal made, and where."""

from collections.abc import Mapping

import boto3

from training.request_recorder import RequestRecorder

_PAGE = """# API calls of the rehearsal
Written by `scones rehearse --write docs/sagemaker-calls.md`; a test runs the rehearsal and compares this page.

`training/rehearsal.py` trains, deploys, invokes, reads captures, scales, schedules the deletion, updates and deletes,
without a branch on the target. The table lists all its calls in the order of their first use, with the top-level
parameters of the requests. The test validates every request and every response against botocore's model, by field.

| service | call | run on | parameters |
|---|---|---|---|
{rows}

**The rehearsal has not been run on AWS yet.** `scones rehearse --target aws --write FILE` writes this page about AWS.
Two calls are made on AWS only, before anything is created: `ListServiceQuotas` and `GetProducts`. Tests validate them
with botocore's Stubber.
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
