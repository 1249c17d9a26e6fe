from botocore.stub import Stubber

from tests.training.clients import client
from training.job_logs import JobLogReader, completed_epochs

GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = "job-1/algo-1-1700000000"


def test_an_epoch_counts_as_done_once_its_line_is_there() -> None:
    assert completed_epochs("Epoch[0] Validation-accuracy=0.505208") == 1
    assert completed_epochs("[09:00:00] INFO Epoch[29] Time cost=2.1") == 30
    assert completed_epochs("nothing of the kind") is None


def test_lines_are_read_once_over_several_pages() -> None:
    logs = client("logs")
    streams = {"logStreams": [{"logStreamName": STREAM}]}
    asked = {"logGroupName": GROUP, "logStreamName": STREAM, "startFromHead": True}

    def page(token: str, *lines: str) -> dict[str, object]:
        return {"events": [{"message": line} for line in lines], "nextForwardToken": token}

    with Stubber(logs) as stub:
        stub.add_response("describe_log_streams", streams, {"logGroupName": GROUP, "logStreamNamePrefix": "job-1/"})
        stub.add_response("get_log_events", page("f/1", "one", "two"), asked)
        stub.add_response("get_log_events", page("f/2", "three"), {**asked, "nextToken": "f/1"})
        stub.add_response("get_log_events", page("f/2"), {**asked, "nextToken": "f/2"})
        stub.add_response("describe_log_streams", streams)
        stub.add_response("get_log_events", page("f/3", "four"), {**asked, "nextToken": "f/2"})
        stub.add_response("get_log_events", page("f/3"), {**asked, "nextToken": "f/3"})
        log = JobLogReader(logs, "job-1")
        assert log.read_new_lines() == ["one", "two", "three"]
        assert log.read_new_lines() == ["four"]


def test_a_job_without_a_log_has_no_lines_yet() -> None:
    logs = client("logs")
    with Stubber(logs) as stub:
        stub.add_client_error("describe_log_streams", "ResourceNotFoundException")
        assert JobLogReader(logs, "job-1").read_new_lines() == []
