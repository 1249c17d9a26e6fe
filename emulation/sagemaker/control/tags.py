"""AddTags, ListTags, DeleteTags."""

from emulation.sagemaker.control import pagination
from emulation.sagemaker.control.context import OperationContext
from emulation.sagemaker.errors import ValidationException
from emulation.sagemaker.validation import Params

MAX_TAGS = 50


def as_mapping(tags: list[dict[str, str]]) -> dict[str, str]:
    """Return a request's tags by key, or raise as AWS does."""
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise ValidationException("Duplicate tag keys found. Please note that tag keys are case sensitive.")
    for key in keys:
        if key.lower().startswith("aws:"):
            raise ValidationException("aws: prefixed tag key names are not allowed for external use.")
    return {tag["Key"]: tag["Value"] for tag in tags}


async def add(context: OperationContext, request: Params) -> Params:
    """AddTags: set these keys, keep the others."""
    kind, record = context.store.by_arn(request["ResourceArn"])
    merged = record.tags | as_mapping(request["Tags"])
    if len(merged) > MAX_TAGS:
        raise ValidationException(f"Tag limit exceeded: a resource may have {MAX_TAGS} tags, not {len(merged)}.")
    record.tags = merged
    context.store.save(kind, record)
    return {"Tags": _as_list(merged)}


async def list_all(context: OperationContext, request: Params) -> Params:
    """ListTags."""
    _, record = context.store.by_arn(request["ResourceArn"])
    tags, more = pagination.cut(_as_list(record.tags), request, MAX_TAGS)
    return {"Tags": tags, **more}


async def delete(context: OperationContext, request: Params) -> Params:
    """DeleteTags: a key that is not there is no error."""
    kind, record = context.store.by_arn(request["ResourceArn"])
    gone = set(request["TagKeys"])
    record.tags = {key: value for key, value in record.tags.items() if key not in gone}
    context.store.save(kind, record)
    return {}


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
