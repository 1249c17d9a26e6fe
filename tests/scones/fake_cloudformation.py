"""CloudFormation in memory, as far as commands use it."""

from datetime import UTC, datetime
from typing import Any

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
    "AlarmTopicArn": "arn:aws:sns:us-east-1:000000000000:alarms",
    "DeadLetterQueueArn": "arn:aws:sqs:us-east-1:000000000000:dead-letter",
    "Threshold": "0.94",
    "Labels": "bicycle,motorcycle",
}
CHANGE = {"Action": "Modify", "LogicalResourceId": "FilterFunction", "ResourceType": "AWS::Lambda::Function"}
TEMPLATE_PARAMETERS = (
    "Threshold", "Architecture", "WorkflowType", "AlarmEmail", "InferenceRepository", "EndpointName", "BatchItemType",
    "Dashboard", "WorkflowLogLevel", "SerializeImageUri", "ClassifyImageUri", "FilterImageUri", "GitHubRepository",
    "PermissionsBoundary",
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
        self.template = "Resources: {}"
        self.protected = False

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        outputs = {"ArtifactBucket": "artifacts"} if StackName == bootstrap.STACK else self.outputs
        if not (self.bootstrapped if StackName == bootstrap.STACK else self.exists):
            raise fake_aws.error("ValidationError", f"Stack with id {StackName} does not exist")
        stack = {
            "StackName": StackName,
            "StackId": StackName,
            "StackStatus": "DELETE_COMPLETE" if StackName in self.deleted else self.status,
            "CreationTime": NOW,
            "Tags": [{"Key": "CostCenter", "Value": "42"}],
            "EnableTerminationProtection": self.protected,
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in self.current.items()],
        }
        return {"Stacks": [stack]}

    def describe_stack_events(self, **_: str) -> dict[str, Any]:
        return {"StackEvents": []}

    def get_template(self, StackName: str, **_: str) -> dict[str, Any]:  # noqa: N803
        self.describe_stacks(StackName)
        return {"TemplateBody": self.template}

    def update_termination_protection(self, EnableTerminationProtection: bool, **_: str) -> None:  # noqa: N803
        self.protected = EnableTerminationProtection

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
