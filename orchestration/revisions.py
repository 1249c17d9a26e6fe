"""The template and the parameters of a stack's earlier deployments, to which a rollback returns.

CloudFormation remembers neither. They are kept in the artifact bucket, next to the definitions that the templates name;
the images that the parameters name by digest are in ECR.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.s3_uris import S3Uri, read_object
from orchestration import stack
from orchestration.errors import RevisionMissing

_KEPT = 5


@dataclass(frozen=True)
class Revision:
    """A template and the values of its parameters."""

    template: str
    parameters: Mapping[str, str]


def deployed(cloudformation: Any, name: str) -> Revision | None:
    """Return what is deployed, or None if there is no stack, or one that has a change set only."""
    if stack.status(cloudformation, name) in {None, "REVIEW_IN_PROGRESS"}:
        return None
    template = cloudformation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    return Revision(str(template), stack.parameters_of(cloudformation, name))


def save(s3: Any, bucket: str, name: str, revision: Revision) -> None:
    """Remember a revision as the newest before a deployment."""
    revisions = [revision, *(each for each in _read(s3, bucket, name) if each != revision)][:_KEPT]
    s3.put_object(Bucket=bucket, Key=_key(name), Body=json.dumps([asdict(each) for each in revisions]).encode())


def previous(s3: Any, bucket: str, name: str, current: Revision) -> Revision:
    """Return the newest revision that is not ``current``. Raises RevisionMissing."""
    for revision in _read(s3, bucket, name):
        if revision != current:
            return revision
    raise RevisionMissing(name)


def _read(s3: Any, bucket: str, name: str) -> list[Revision]:
    content = read_object(s3, S3Uri(bucket, _key(name)))
    return [Revision(**each) for each in json.loads(content or b"[]")]


def _key(name: str) -> str:
    return f"revisions/{name}.json"
