"""LocalStack, as its own environment runs it, that also writes down every request it serves: run, never imported.

``python recorded_localstack.py FILE``: a line of JSON for each request, those between its services included.
"""

import json
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from localstack.aws import handlers
from scones_localstack import hooks
from scones_localstack.__main__ import main
from scones_localstack.patches import gateway_guard


class Recorder:
    """The last handler of responses: by then the request has been parsed."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")  # open as long as the process runs
        self._lock = threading.Lock()

    def __call__(self, _chain: Any, context: Any, response: Any) -> None:
        """Write who has requested what, without the bytes of objects."""
        if not context.operation:
            return
        headers = context.request.headers
        members = {name: value for name, value in (context.service_request or {}).items() if name != "Body"}
        line = {
            "service": context.service.service_name,
            "operation": context.operation.name,
            "members": members,
            "access_key": headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0],
            "agent": headers.get("User-Agent", ""),
            "resource_provider": context.is_internal_call and _is_called_by_a_resource_provider(),
        }
        if line["operation"] == "AssumeRole" and context.service_response:
            line["assumed"] = context.service_response["Credentials"]["AccessKeyId"]
        with self._lock:
            self._file.write(json.dumps(line, default=str) + "\n")
            self._file.flush()


def _is_called_by_a_resource_provider() -> bool:
    """Whether CloudFormation is calling: its request is served in the thread that makes it."""
    return any("/resource_providers/" in frame.f_code.co_filename for frame, _ in traceback.walk_stack(None))


def _install_guard_and_recorder() -> None:
    _install_guard()
    handlers.run_custom_response_handlers.append(Recorder(Path(sys.argv[1])))


def _patch_services_but_one() -> None:
    """Leave to LocalStack how a state machine invokes a function: ours is a call that no gateway sees."""
    from scones_localstack.patches import function_invocation  # noqa: PLC0415 - what it changes is imported later

    function_invocation.install = lambda: None
    _patch_services()


_install_guard, gateway_guard.install = gateway_guard.install, _install_guard_and_recorder
_patch_services, hooks._patch_services = hooks._patch_services, _patch_services_but_one
main()
