"""AWS services in memory, as far as commands use them; botocore's models hold what they answer."""

import hashlib
import io
from typing import Any

from botocore.response import StreamingBody

from tests import fake_aws
from tests.scones.fake_cloudformation import NOW


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


class Sns:
    """A topic with one subscription to alarms, which nobody has confirmed yet."""

    def list_subscriptions_by_topic(self, **_: str) -> dict[str, Any]:
        subscription = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "ops@example.com"}
        return {"Subscriptions": [subscription]}


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
