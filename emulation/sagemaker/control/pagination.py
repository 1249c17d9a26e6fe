"""The List operations: filter, sort, and pages whose token says where the next one starts."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from emulation.sagemaker.errors import ValidationException
from emulation.sagemaker.store import Record
from emulation.sagemaker.validation import Params

DEFAULT_PAGE = 10

Item = TypeVar("Item")

_KEYS: dict[str, Callable[[Record], tuple[Any, ...]]] = {
    "Name": lambda record: (record.name,),
    "CreationTime": lambda record: (record.created, record.name),
    "Status": lambda record: (status(record), record.name),
}


def status(record: Record) -> str | None:
    """Return the state of an endpoint or a training job."""
    return record.described.get("EndpointStatus") or record.described.get("TrainingJobStatus")


def page(records: Iterable[Record], request: Params) -> tuple[list[Record], dict[str, str]]:
    """Return one page of what the request's filters leave, and the ``NextToken`` member if there is more."""
    descending = request.get("SortOrder", "Descending") == "Descending"
    chosen = sorted(
        (record for record in records if _passes(record, request)),
        key=_KEYS[request.get("SortBy", "CreationTime")],
        reverse=descending,
    )
    return cut(chosen, request, DEFAULT_PAGE)


def cut(items: list[Item], request: Params, default: int) -> tuple[list[Item], dict[str, str]]:
    """Return ``MaxResults`` items from the request's ``NextToken`` on, and the next token if there is more."""
    start = _position(request["NextToken"]) if "NextToken" in request else 0
    end = start + request.get("MaxResults", default)
    return items[start:end], {"NextToken": _token(end)} if end < len(items) else {}


def _passes(record: Record, request: Params) -> bool:
    return (
        request.get("NameContains", "").lower() in record.name.lower()
        and record.created < request.get("CreationTimeBefore", float("inf"))
        and record.created >= request.get("CreationTimeAfter", 0)
        and record.modified < request.get("LastModifiedTimeBefore", float("inf"))
        and record.modified >= request.get("LastModifiedTimeAfter", 0)
        and request.get("StatusEquals") in {None, status(record)}
    )


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"from": position}).encode()).decode()


def _position(token: str) -> int:
    try:
        position = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))["from"]
        if isinstance(position, int) and 0 <= position < 2**31:
            return position
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        pass
    raise ValidationException("Invalid pagination token given.")
