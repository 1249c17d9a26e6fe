"""Distributed Maps as AWS runs them: each item in its own execution, and readable result files.

LocalStack 4.14 runs the items as part of their parent, so that ``$$.Execution`` is the parent's inside them, lists
them in no result file, calls itself once more for each item of a worker, which ends at some thousand items, and reads
no more than the first thousand objects under a prefix.
Result files: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from localstack.services.stepfunctions.asl.component.common.error_name.failure_event import FailureEventException
from localstack.services.stepfunctions.asl.component.state.state_execution.state_map.item_reader.resource_eval import (
    resource_eval_s3 as reader_module,
)
from localstack.services.stepfunctions.asl.component.state.state_execution.state_map.iteration.itemprocessor import (
    distributed_item_processor_worker as worker_module,
)
from localstack.services.stepfunctions.asl.component.state.state_execution.state_map.result_writer.resource_eval import (  # noqa: E501
    resource_eval_s3 as writer_module,
)
from localstack.services.stepfunctions.asl.eval import program_state

_STATUS = {
    program_state.ProgramError: "FAILED",
    program_state.ProgramStopped: "ABORTED",
    program_state.ProgramTimedOut: "TIMED_OUT",
}
_COUNTER = {"SUCCEEDED": "succeeded", "FAILED": "failed", "ABORTED": "aborted", "TIMED_OUT": "timed_out"}
_RESULT_FILES = {"SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED", "TIMED_OUT": "FAILED", "ABORTED": "PENDING"}


def install() -> None:
    """Replace LocalStack's functions by this module's."""
    worker_module.DistributedItemProcessorWorker._eval_pool = _run_jobs  # noqa: SLF001 - LocalStack has no other way in
    worker_module.DistributedItemProcessorWorker._eval_job = _run_job  # noqa: SLF001
    reader_module.ResourceEvalS3._handle_list_objects_v2 = staticmethod(_list_objects)  # noqa: SLF001
    writer_module.ResourceEvalS3._handle_put_object = staticmethod(_write_results)  # noqa: SLF001


def _run_jobs(worker: Any, job: Any, worker_frame: Any) -> None:
    """Run jobs until there are no more; the frame goes before the last job is closed, for which the Map waits."""
    pool = worker._job_pool  # noqa: SLF001
    while job is not None:
        frame = worker_frame.open_inner_frame()
        worker._eval_job(env=frame, job=job)  # noqa: SLF001
        worker_frame.delete_frame(frame)
        following = None if worker.stopped() else pool.next_job()
        if following is None:
            worker._env.delete_frame(worker_frame)  # noqa: SLF001
        pool.close_job(job)
        job = following


def _run_job(worker: Any, env: Any, job: Any) -> None:
    """Run one item as an execution, count it and keep what the result files say of it."""
    record = worker._map_run_record  # noqa: SLF001
    counters = (record.item_counter, record.execution_counter)
    for counter in counters:
        counter.total.count()
        counter.running.count()
    result = _child(record.map_state_machine_arn)
    try:
        _select_item(worker, env, job, result)
        job.job_program.eval(env)
        state = env.program_state()
        result["Status"] = _STATUS.get(type(state), "SUCCEEDED")
        failure = (state.error or {}) if isinstance(state, program_state.ProgramError) else {}
        result |= {name.capitalize(): failure[name] for name in ("error", "cause") if failure.get(name) is not None}
    except FailureEventException as error:
        name, cause = error.extract_error_cause_pair() or ("States.Runtime", None)
        result |= {"Status": "FAILED", "Error": name, "Cause": cause}
    except Exception as error:  # noqa: BLE001 - whatever it is, the item is not lost
        status = "FAILED" if env.is_running() else "ABORTED"
        result |= {"Status": status, "Error": "States.Runtime", "Cause": f"{type(error).__name__}: {error}"}
    if result["Status"] == "SUCCEEDED":
        job.job_output = env.states.get_input()
        result |= {"Output": _text(job.job_output), "OutputDetails": {"Included": True}}
    result["StopDate"] = _now()
    for counter in counters:
        counter.running.offset(-1)
        getattr(counter, _COUNTER[result["Status"]]).count()
    _results(record).append(result)


def _child(state_machine_arn: str) -> dict[str, Any]:
    name = str(uuid.uuid4())
    return {
        "ExecutionArn": f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}",
        "Name": name,
        "StateMachineArn": state_machine_arn,
        "StartDate": _now(),
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
    }


def _select_item(worker: Any, env: Any, job: Any, result: dict[str, Any]) -> None:
    """Make the item the input of the child, whose context object knows the child and no longer the Map."""
    context = env.states.context_object.context_object_data
    context["Map"] = {"Item": {"Index": job.job_index, "Value": job.job_input}}
    env.states.reset(job.job_input)
    env.stack.append(env.states.get_input())
    worker._eval_input(env_frame=env)  # noqa: SLF001
    del context["Map"]
    item = env.states.get_input()
    result |= {"Input": _text(item), "InputDetails": {"Included": True}}
    context["Execution"] = context["Execution"] | {
        "Id": result["ExecutionArn"],
        "Name": result["Name"],
        "Input": item,
        "StartTime": result["StartDate"],
    }
    arn = result["StateMachineArn"]
    context["StateMachine"] = {"Id": arn, "Name": arn.rpartition(":")[2]}


def _list_objects(env: Any, resource_runtime_part: Any, state_credentials: Any) -> None:
    """Leave every object under the prefix as the Map's items, however many listings that takes."""
    s3 = reader_module.ResourceEvalS3._get_s3_client(resource_runtime_part, state_credentials)  # noqa: SLF001
    pages = s3.get_paginator("list_objects_v2").paginate(**env.stack.pop())
    env.stack.append([entry for page in pages for entry in page.get("Contents", [])])


def _write_results(env: Any, resource_runtime_part: Any, state_credentials: Any) -> None:
    """Write one file a status and the manifest that names them, and leave its address as the state's output."""
    parameters = env.stack.pop()
    env.stack.pop()
    record = env.map_run_record_pool_manager.get_all()[-1]
    bucket, prefix = parameters["Bucket"], parameters.get("Prefix", "")
    folder = f"{prefix.rstrip('/')}/{record.map_run_arn.rpartition(':')[2]}".lstrip("/")
    s3 = writer_module.ResourceEvalS3._get_s3_client(resource_runtime_part, state_credentials)  # noqa: SLF001
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for kind, listed in files.items():
        results = [result for result in _results(record) if _RESULT_FILES[result["Status"]] == kind]
        if results:
            key, body = f"{folder}/{kind}_0.json", json.dumps(results).encode()
            s3.put_object(Bucket=bucket, Key=key, Body=body)
            listed.append({"Key": key, "Size": len(body)})
            for counter in (record.item_counter, record.execution_counter):
                counter.results_written.count(len(results))
    manifest = {"DestinationBucket": bucket, "MapRunArn": record.map_run_arn, "ResultFiles": files}
    key = f"{folder}/manifest.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode())
    env.stack.append({"MapRunArn": record.map_run_arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}})


def _results(record: Any) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = record.__dict__.setdefault("scones_results", [])
    return results


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
