"""The environment variables with which other AWS clients reach the local environment (`scones env`)."""

from pathlib import Path

from core.files import write_atomically
from emulation.session import SAGEMAKER_ENDPOINT_VARIABLES, LocalSession

_BUCKET = "sagemaker-{region}-000000000000"
_ROLE = "arn:aws:iam::000000000000:role/notebook"
_SDK_DEFAULTS = """SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      Session:
        DefaultS3Bucket: {bucket}
      TelemetryOptOut: true
  TrainingJob:
    RoleArn: {role}
  Model:
    ExecutionRoleArn: {role}
"""


def client_environment(session: LocalSession, sdk_defaults: Path) -> dict[str, str]:
    """Return the variables; ``sdk_defaults`` is written, for the SageMaker Python SDK.

    That SDK calls AWS, whatever its endpoints are: STS for the name of its default bucket, and S3 to report how it is
    used. Version 3 would also read a role's permissions from IAM. The role is for code that names none.
    """
    sdk_defaults.parent.mkdir(parents=True, exist_ok=True)
    bucket = _BUCKET.format(region=session.region_name)
    write_atomically(sdk_defaults, _SDK_DEFAULTS.format(bucket=bucket, role=_ROLE))
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": session.region_name,
        "AWS_REGION": session.region_name,
        "AWS_ENDPOINT_URL": session.localstack_url,
        **dict.fromkeys(SAGEMAKER_ENDPOINT_VARIABLES.values(), session.sagemaker_url),
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(sdk_defaults),
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }
