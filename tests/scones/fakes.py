"""AWS services in memory, as far as commands use them; botocore's models hold what they answer."""

import hashlib
import io
from datetime import UTC, datetime
from typing import Any

from botocore.response import StreamingBody

from orchestration import bootstrap
from tests import fake_aws

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARN = "arn:aws:iam::000000000000:role/"
OUTPUTS = {
    "StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:scones",
    "BatchStateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:scones-batch",
    "DataBucket": "data",
    "ReviewQueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/review",
    "FailureQueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/failure",
    "EndpointName": "scones-vehicles",
    "EndpointRoleArn": f"{ARN}endpoint",
    "TrainingRoleArn": f"{ARN}training",
    "EndpointDeletionRoleArn": f"{ARN}deletion",
    "DeadLetterQueueArn": "arn:aws:sqs:us-east-1:000000000000:dead-letter",
    "Threshold": "0.94",
    "Labels": "bicycle,motorcycle",
}
CHANGE = {"Action": "Modify", "LogicalResourceId": "FilterFunction", "ResourceType": "AWS::Lambda::Function"}
TEMPLATE_PARAMETERS = (
    "Threshold", "Architecture", "WorkflowType", "AlarmEmail", "InferenceRepository", "EndpointName", "BatchItemType",
    "Dashboard", "WorkflowLogLevel", "SerializeImageUri", "ClassifyImageUri", "FilterImageUri", "GitHubRepository",
)  # fmt: skip


class CloudFormation:
    """A stack that is deployed, or with ``exists=False`` not yet; the account is bootstrapped."""

    def __init__(
        self, *, exists: bool = True, bootstrapped: bool = True, changes: tuple[dict[str, str], ...] = (CHANGE,)
    ) -> None:
        self.exists = exists
        self.bootstrapped = bootstrapped
        self.changes = changes
        self.status = "UPDATE_COMPLETE"
        self.deleted: set[str] = set()
        self.current = {"Threshold": "0.94"}
        self.outputs = OUTPUTS

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        outputs = {"ArtifactBucket": "artifacts"} if StackName == bootstrap.STACK else self.outputs
        if not (self.bootstrapped if StackName == bootstrap.STACK else self.exists):
            raise fake_aws.error("ValidationError", f"Stack with id {StackName} does not exist")
        stack = {
            "StackName": StackName,
            "StackId": StackName,
            "StackStatus": "DELETE_COMPLETE" if StackName in self.deleted else self.status,
            "CreationTime": NOW,
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in self.current.items()],
        }
        return {"Stacks": [stack]}

    def describe_stack_events(self, **_: str) -> dict[str, Any]:
        return {"StackEvents": []}

    def validate_template(self, **_: str) -> dict[str, Any]:
        return {"Parameters": [{"ParameterKey": name} for name in TEMPLATE_PARAMETERS]}

    def create_change_set(self, **_: Any) -> dict[str, str]:
        return {"Id": "change-set"}

    def describe_change_set(self, **_: str) -> dict[str, Any]:
        if not self.changes:
            return {"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."}
        return {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": change} for change in self.changes]}

    def execute_change_set(self, StackName: str, **_: str) -> None:  # noqa: N803
        if StackName == bootstrap.STACK:
            self.bootstrapped = True
        else:
            self.exists = True

    def delete_change_set(self, **_: str) -> None: ...

    def delete_stack(self, StackName: str, **_: str) -> None:  # noqa: N803
        self.deleted.add(StackName)

    def list_stack_resources(self, **_: str) -> dict[str, Any]:
        kinds = {"data": "AWS::S3::Bucket", "/aws/lambda/f": "AWS::Logs::LogGroup"}
        summaries = [
            {
                "LogicalResourceId": "Resource",
                "PhysicalResourceId": name,
                "ResourceType": kind,
                "ResourceStatus": "CREATE_COMPLETE",
                "LastUpdatedTimestamp": NOW,
            }
            for name, kind in kinds.items()
        ]
        return {"StackResourceSummaries": summaries}


class S3:
    """Objects by bucket and key."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = {tuple(name.split("/", 1)): body for name, body in objects.items()}

    def list_buckets(self) -> dict[str, Any]:
        return {"Buckets": [{"Name": "data"}]}

    def create_bucket(self, **_: Any) -> None: ...

    def put_object(self, Bucket: str, Key: str, Body: Any, **_: Any) -> dict[str, str]:  # noqa: N803
        self.objects[Bucket, Key] = Body if isinstance(Body, bytes) else Body.read()
        return {"ETag": self._etag(Bucket, Key)}

    def head_object(self, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._existing(Bucket, Key)
        return {"ETag": self._etag(Bucket, Key), "ContentLength": len(self.objects[Bucket, Key])}

    def get_object(self, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        body = self._existing(Bucket, Key)
        etag = self._etag(Bucket, Key)
        return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentLength": len(body), "ETag": etag}

    def list_objects_v2(self, Bucket: str, Prefix: str = "", Delimiter: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        contents = [{"Key": key, "Size": len(self.objects[Bucket, key])} for key in keys]
        prefixes = {Prefix + key.removeprefix(Prefix).split("/")[0] + "/" for key in keys} if Delimiter else set()
        return {
            "Contents": contents,
            "KeyCount": len(keys),
            "CommonPrefixes": [{"Prefix": prefix} for prefix in sorted(prefixes)],
        }

    def list_object_versions(self, **_: Any) -> dict[str, Any]:
        return {}

    def list_multipart_uploads(self, **_: Any) -> dict[str, Any]:
        return {}

    def _existing(self, bucket: str, key: str) -> bytes:
        if (bucket, key) not in self.objects:
            raise fake_aws.error("NoSuchKey", "The specified key does not exist.")
        return self.objects[bucket, key]

    def _etag(self, bucket: str, key: str) -> str:
        return f'"{hashlib.md5(self.objects[bucket, key], usedforsecurity=False).hexdigest()}"'


class Ecr:
    """A registry that has every image already, so that no Docker engine is needed."""

    DIGEST = "sha256:" + "b" * 64

    def describe_repositories(self, repositoryNames: list[str]) -> dict[str, Any]:  # noqa: N803
        return {"repositories": [{"repositoryName": name, "repositoryUri": f"ecr/{name}"} for name in repositoryNames]}

    def describe_images(self, **_: Any) -> dict[str, Any]:
        return {"imageDetails": [{"imageDigest": self.DIGEST}]}

    def list_images(self, **_: Any) -> dict[str, Any]:
        return {"imageIds": [{"imageDigest": self.DIGEST, "imageTag": "t"}]}

    def batch_delete_image(self, **_: Any) -> dict[str, Any]:
        return {}


class Logs:
    """CloudWatch Logs with every group that is named."""

    def delete_log_group(self, **_: str) -> None: ...


class SageMaker:
    """One endpoint and one training job at most, each as it was created."""

    def __init__(self) -> None:
        self.endpoint: dict[str, Any] | None = None
        self.config: dict[str, Any] = {}
        self.model: dict[str, Any] = {}
        self.job: dict[str, Any] = {}

    def create_model(self, **members: Any) -> dict[str, str]:
        self.model = members
        return {"ModelArn": self._arn("model", "m")}

    def describe_model(self, **_: str) -> dict[str, Any]:
        members = {name: value for name, value in self.model.items() if name != "Tags"}
        return {**members, "ModelArn": self._arn("model", "m"), "CreationTime": NOW}

    def list_models(self, **_: Any) -> dict[str, Any]:
        return {"Models": []}

    def create_endpoint_config(self, **members: Any) -> dict[str, str]:
        self.config = members
        return {"EndpointConfigArn": self._arn("endpoint-config", "c")}

    def describe_endpoint_config(self, **_: str) -> dict[str, Any]:
        members = {name: value for name, value in self.config.items() if name != "Tags"}
        return {**members, "EndpointConfigArn": self._arn("endpoint-config", "c"), "CreationTime": NOW}

    def list_endpoint_configs(self, **_: Any) -> dict[str, Any]:
        return {"EndpointConfigs": []}

    def create_endpoint(self, **members: Any) -> dict[str, str]:
        self.endpoint = {name: value for name, value in members.items() if name != "Tags"}
        return {"EndpointArn": self._arn("endpoint", "e")}

    def update_endpoint(self, **members: Any) -> dict[str, str]:
        assert self.endpoint is not None
        self.endpoint["EndpointConfigName"] = members["EndpointConfigName"]
        return {"EndpointArn": self._arn("endpoint", "e")}

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        if self.endpoint is None or self.endpoint["EndpointName"] != EndpointName:
            raise fake_aws.error("ValidationException", f'Could not find endpoint "{EndpointName}".')
        times = {"CreationTime": NOW, "LastModifiedTime": NOW}
        return {**self.endpoint, "EndpointArn": self._arn("endpoint", "e"), "EndpointStatus": "InService", **times}

    def delete_endpoint(self, **_: str) -> None:
        self.endpoint = None

    def create_training_job(self, **members: Any) -> dict[str, str]:
        self.job = members
        return {"TrainingJobArn": self._arn("training-job", members["TrainingJobName"])}

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803
        members = {name: value for name, value in self.job.items() if name != "Tags"}
        return {
            **members,
            "TrainingJobArn": self._arn("training-job", TrainingJobName),
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": "Starting",
            "ModelArtifacts": {"S3ModelArtifacts": "s3://data/training/model.tar.gz"},
            "CreationTime": NOW,
        }

    @staticmethod
    def _arn(kind: str, name: str) -> str:
        return f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/{name}"


class Scaling:
    """Application Auto Scaling."""

    def register_scalable_target(self, **_: Any) -> dict[str, str]:
        return {}

    def put_scaling_policy(self, **_: Any) -> dict[str, str]:
        return {"PolicyARN": "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:p"}

    def deregister_scalable_target(self, **_: Any) -> dict[str, str]:
        return {}


class Scheduler:
    """EventBridge Scheduler: the schedules by their names."""

    def __init__(self) -> None:
        self.schedules: dict[str, dict[str, Any]] = {}

    def create_schedule(self, Name: str, **members: Any) -> dict[str, str]:  # noqa: N803
        if Name in self.schedules:
            raise fake_aws.error("ConflictException", "Schedule already exists.")
        return self._put(Name, members)

    def update_schedule(self, Name: str, **members: Any) -> dict[str, str]:  # noqa: N803
        return self._put(Name, members)

    def delete_schedule(self, Name: str, **_: str) -> None:  # noqa: N803
        if self.schedules.pop(Name, None) is None:
            raise fake_aws.error("ResourceNotFoundException", "Schedule does not exist.")

    def _put(self, name: str, members: dict[str, Any]) -> dict[str, str]:
        self.schedules[name] = members
        return {"ScheduleArn": f"arn:aws:scheduler:us-east-1:000000000000:schedule/default/{name}"}


class ServiceQuotas:
    """The quota of every instance type for endpoints."""

    def __init__(self, value: float) -> None:
        self.value = value

    def list_service_quotas(self, **_: Any) -> dict[str, Any]:
        return {"Quotas": []}

    def list_aws_default_service_quotas(self, **_: Any) -> dict[str, Any]:
        name = "ml.m5.xlarge for endpoint usage"
        return {"Quotas": [{"QuotaName": name, "QuotaCode": "L-2F737F8D", "Value": self.value}]}


class Pricing:
    """A price list without prices."""

    def get_products(self, **_: Any) -> dict[str, Any]:
        return {"PriceList": []}
