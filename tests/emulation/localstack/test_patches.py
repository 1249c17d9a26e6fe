"""What each performance patch is there for, seen in LocalStack's own environment, first without it and then with it.

The first half of a test fails once LocalStack no longer needs the patch. The results change with LocalStack's pinned
version and with the patches, so that these tests have a tox environment of their own.
"""

import platform
import subprocess
from pathlib import Path

import pytest

from emulation.localstack.environment import ensure_environment

pytestmark = [pytest.mark.integration, pytest.mark.patches]

STATE_EXECUTION = "services/stepfunctions/asl/component/state/state_execution"
PATCHES = "from scones_localstack.patches import "
TASKS = "localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service"


@pytest.fixture(scope="session")
def localstack_python(cache: Path) -> Path:
    return ensure_environment(cache)


def test_tasks_of_aws_batch_are_imported_on_their_first_use(localstack_python: Path) -> None:
    loaded = f"""
import sys
from {TASKS}.state_task_service_factory import state_task_service_for
print("moto.ec2" in sys.modules)
"""
    used = f"""
task = state_task_service_for("batch")
print("moto.ec2" in sys.modules)
from {TASKS} import state_task_service_batch
print(type(task) is state_task_service_batch.StateTaskServiceBatch)
"""
    assert _run(localstack_python, loaded) == ["True"]
    install = PATCHES + "postponed_imports; postponed_imports.install()"
    assert _run(localstack_python, install + loaded + used) == ["False", "True", "True"]


def test_ec2_and_serverless_templates_are_imported_on_their_first_use(localstack_python: Path) -> None:
    loaded = """
import sys
import localstack.services.cloudformation.v2.provider as provider
print(len(sys.modules["localstack.aws.api.ec2"].__dict__) > 1000, "samtranslator.translator.translator" in sys.modules)
"""
    used = """
import os
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
from localstack.aws.api.ec2 import AttributeBooleanValue, AvailabilityZoneList
from localstack.services.cloudformation.engine import transformers
template = {"Resources": {"Table": {"Type": "AWS::Serverless::SimpleTable"}}}
print(isinstance(AvailabilityZoneList, type), len(AttributeBooleanValue.__annotations__))
print(transformers.transform_sam(template, {}, type("NoPolicies", (), {"load": dict}))["Resources"]["Table"]["Type"])
"""
    assert _run(localstack_python, loaded) == ["True True"]
    install = PATCHES + "postponed_imports; postponed_imports.install()"
    assert _run(localstack_python, install + loaded)[0] == "False False"
    assert _run(localstack_python, install + loaded + used)[1:] == ["False 1", "AWS::DynamoDB::Table"]


def test_a_data_file_of_botocore_is_read_once(localstack_python: Path) -> None:
    reads = """
import collections, botocore.loaders, botocore.session
read, load = collections.Counter(), botocore.loaders.JSONFileLoader._load_file
def counted(loader, path, open_method):
    data = load(loader, path, open_method)
    read[path] += data is not None
    return data
botocore.loaders.JSONFileLoader._load_file = counted
regions = [tuple(botocore.session.Session().get_available_regions("sqs")) for _ in range(2)]
print(max(read.values()), len(set(regions)), len(regions[0]) > 20)
"""
    assert _run(localstack_python, reads) == ["2 1 True"]
    assert _run(localstack_python, PATCHES + "service_models; service_models.install()" + reads) == ["1 1 True"]


def test_a_definition_is_parsed_once_and_an_invalid_one_is_still_refused(localstack_python: Path) -> None:
    parsed = """
from localstack.services.stepfunctions.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException
text = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
print(AmazonStateLanguageParser.parse(text)[0] is AmazonStateLanguageParser.parse(text)[0])
for _ in range(2):
    try:
        AmazonStateLanguageParser.parse("{")
    except ASLParserException:
        print("refused")
"""
    assert _run(localstack_python, parsed) == ["False", "refused", "refused"]
    install = PATCHES + "parsed_definitions; parsed_definitions.install()"
    assert _run(localstack_python, install + parsed) == ["True", "refused", "refused"]


def test_a_stack_that_waits_for_a_resource_looks_often(localstack_python: Path) -> None:
    waits = """
from localstack.services.cloudformation import resource_provider
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
waits = []
resource_provider.config.CFN_NO_WAIT_ITERATIONS = 5  # as the provider sets it
resource_provider.time.sleep = waits.append
statuses = [OperationStatus.IN_PROGRESS] * 8 + [OperationStatus.FAILED]
class Executor(resource_provider.ResourceProviderExecutor):
    def execute_action(self, provider, payload):
        return ProgressEvent(statuses.pop(0), {})
payload = {"resourceType": "AWS::Lambda::Function", "action": "Add", "callbackContext": {},
           "requestData": {"resourceProperties": {}}}
event = Executor(stack_name="s", stack_id="s").deploy_loop(None, {}, payload)
print(event.status.name, set(waits))
"""
    assert _run(localstack_python, waits) == ["FAILED {1}"]
    assert _run(localstack_python, PATCHES + "resource_polling; resource_polling.install()" + waits) == [
        "FAILED {0.05}"
    ]


def test_what_a_start_has_loaded_is_not_collected_again(localstack_python: Path) -> None:
    enabled = "\nimport gc, localstack.runtime.main; print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    assert _run(localstack_python, enabled) == ["True False"]
    postpone = PATCHES + "garbage_collection; garbage_collection.postpone()"
    assert _run(localstack_python, postpone + enabled) == ["False False"]
    resume = "\ngarbage_collection.resume()"
    assert _run(localstack_python, postpone + enabled + resume + enabled)[1] == "True True"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc returns memory on request")
def test_memory_that_becomes_free_is_returned(localstack_python: Path) -> None:
    freed = """
import pathlib, time
def mebibytes():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20
blocks = [bytes(2000) for _ in range(50_000)]
held, full = blocks[-1], mebibytes()
del blocks
print(full - mebibytes() < 50)
"""
    collected = """
garbage_collection._SECONDS = 0.01
garbage_collection.resume()
deadline = time.monotonic() + 60
while full - mebibytes() < 50 and time.monotonic() < deadline:
    time.sleep(0.01)
print(full - mebibytes() >= 50)
"""
    assert _run(localstack_python, freed) == ["True"]
    assert _run(localstack_python, PATCHES + "garbage_collection" + freed + collected) == ["True", "True"]


def test_connections_to_the_database_of_metrics_are_closed(localstack_python: Path, tmp_path: Path) -> None:
    written = f"""
import gc, sqlite3
from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase
CloudwatchDatabase.CLOUDWATCH_DATA_ROOT = {str(tmp_path)!r}
CloudwatchDatabase.METRICS_DB = {str(tmp_path / "metrics.db")!r}
CloudwatchDatabase.METRICS_DB_READ_ONLY = "file:{tmp_path}/metrics.db?mode=ro"
gc.disable()
database = CloudwatchDatabase()
database.add_metric_data("account", "region", "space", [{{"MetricName": "name", "Value": 1.0}}] * 3)
print([metric["v"] for metric in database.get_all_metric_data()])
def is_open(connection):
    try:
        return connection.total_changes >= 0
    except sqlite3.ProgrammingError:
        return False
print(sum(is_open(each) for each in gc.get_objects() if isinstance(each, sqlite3.Connection)))
"""
    assert _run(localstack_python, written) == ["[1, 1, 1]", "5"]
    (tmp_path / "metrics.db").unlink()
    install = PATCHES + "metric_connections; metric_connections.install()"
    assert _run(localstack_python, install + written) == ["[1, 1, 1]", "0"]


def test_the_content_of_s3_objects_is_in_files(localstack_python: Path) -> None:
    written = """
import io, os, pathlib, tempfile, tracemalloc
from localstack.services.s3.models import S3Object
from localstack.services.s3.storage.ephemeral import EphemeralS3ObjectStore
store = EphemeralS3ObjectStore(tempfile.mkdtemp())
store.create_bucket("bucket")
objects = [S3Object(str(number)) for number in range(20)]
tracemalloc.start()
for number, named in enumerate(objects):
    with store.open("bucket", named, mode="w") as stored:
        stored.write(io.BytesIO(bytes([number]) * 100_000))
print(tracemalloc.get_traced_memory()[0] > 2_000_000)
with store.open("bucket", objects[7], mode="w") as stored:
    stored.write(io.BytesIO(b"shorter"))
copied = S3Object("copy")
store.copy("bucket", objects[7], "bucket", copied).close()
store.remove("bucket", objects[1:])
with store.open("bucket", copied) as stored, store.open("bucket", objects[0]) as other:
    print(stored.read(), stored.seek(-3, os.SEEK_END), stored.read(2), len(other.read()), other.read())
print(len(list(pathlib.Path(store.root_directory, "bucket").iterdir())))
store.delete_bucket("bucket")
"""
    contents = "b'shorter' 4 b'te' 100000 b''"
    assert _run(localstack_python, written) == ["True", contents, "0"]
    install = PATCHES + "object_files; object_files.install()"
    assert _run(localstack_python, install + written) == ["False", contents, "2"]


def test_what_an_ended_execution_has_processed_is_in_a_file(localstack_python: Path) -> None:
    ended = """
import datetime, tracemalloc
from types import SimpleNamespace
from localstack.services.stepfunctions.asl.component.state.state_execution.state_map.iteration.itemprocessor import (
    map_run_record)
from localstack.services.stepfunctions.asl.eval.callback.callback import CallbackPoolManager
from localstack.services.stepfunctions.asl.eval.event.event_manager import EventManager
from localstack.services.stepfunctions.asl.eval.program_state import ProgramEnded
from localstack.services.stepfunctions.backend.execution import BaseExecutionWorkerCommunication, Execution
Execution.publish_execution_status_change_event = lambda execution: None
machine = SimpleNamespace(arn="machine", revision_id=None, create_date=None)
tracemalloc.start()
execution = Execution("name", "STANDARD", "role", "arn", "account", "region", machine, datetime.datetime.now(), None,
                      {}, {"image": "A" * 1_000_000}, "trace")
execution.exec_status = "RUNNING"
execution.exec_worker = SimpleNamespace(env=SimpleNamespace(
    program_state=ProgramEnded, states=SimpleNamespace(get_input=lambda: {"image": "B" * 1_000_000}),
    event_manager=EventManager(), callback_pool_manager=CallbackPoolManager({}),
    map_run_record_pool_manager=map_run_record.MapRunRecordPoolManager()))
BaseExecutionWorkerCommunication(execution).terminated()
print(tracemalloc.get_traced_memory()[0] > 1_000_000)
described = execution.to_describe_output()
print(described["status"], described["input"][-3:], described["output"][-3:], described["traceHeader"])
print(execution.to_execution_list_item()["name"], execution.to_history_output())
"""
    requested = ['SUCCEEDED A"} B"} trace', "name {'events': []}"]
    assert _run(localstack_python, ended) == ["True", *requested]
    install = PATCHES + "execution_memory; execution_memory.install()"
    assert _run(localstack_python, install + ended) == ["False", *requested]


@pytest.mark.parametrize(
    ("module", "unpatched"),
    [
        ("runtime/server/twisted.py", "endpoints.TCP4ServerEndpoint(reactor, host_and_port.port)"),
        ("services/stepfunctions/asl/utils/boto_client.py", "client_factory = connect_to.with_assumed_role("),
        ("services/lambda_/invocation/logs.py", "log_item = self.log_queue.get()"),
        ("services/lambda_/invocation/version_manager.py", "lambda *args, **kwargs: record_cw_metric_invocation("),
        (
            f"{STATE_EXECUTION}/state_task/lambda_eval_utils.py",
            "invocation_response: InvocationResponse = lambda_client.invoke(**parameters)",
        ),
        (
            f"{STATE_EXECUTION}/state_task/service/state_task_service.py",
            "service = load_service(service=boto_service_name)",
        ),
        ("services/stepfunctions/backend/execution_worker.py", "TMP_THREADS.append(execution_logic_thread)"),
        (
            f"{STATE_EXECUTION}/state_map/iteration/distributed_iteration_component.py",
            "env.event_manager = EventManager()",
        ),
        ("services/logs/provider.py", "self.events += events"),
        ("services/s3/notifications.py", "events_client.put_events(Entries=[entry])"),
        ("services/stepfunctions/backend/execution.py", "self._get_events_client().put_events(Entries=[entry])"),
        ("services/stepfunctions/provider.py", "execution.exec_worker.env.map_run_record_pool_manager"),
        ("../twisted/web/http.py", "key = _parseContentType(ctype)"),
    ],
    ids=[
        "gateway_interface",
        "assumed_roles",
        "function_logs",
        "function_metrics",
        "function_invocation",
        "operation_models",
        "execution_memory-threads",
        "execution_memory-events",
        "function_logs-lines",
        "internal_events-s3",
        "internal_events-stepfunctions",
        "pending_executions",
        "content_types",
    ],
)
def test_a_patched_statement_is_as_it_was_when_the_patch_was_written(
    localstack_python: Path, module: str, unpatched: str
) -> None:
    (package,) = localstack_python.parents[1].glob("lib/python*/site-packages/localstack")
    assert unpatched in (package / module).read_text()


def _run(python: Path, program: str) -> list[str]:
    """Return what a program prints that runs where LocalStack is installed."""
    done = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
