"""The outputs of the deployed CloudFormation stack."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from botocore.exceptions import ClientError

from core.aws_errors import error_code
from core.labels import VEHICLES, Labels, parse_labels
from orchestration.errors import OutputMissing, StackNotFound


@dataclass(frozen=True)
class StackOutputs:
    """The outputs of a deployed stack. ``roles`` has those whose name ends in RoleArn, by that name.

    ``tags`` are the stack's, and one with its name, for what belongs to it without being its resource.
    """

    state_machine_arn: str
    batch_state_machine_arn: str
    data_bucket: str
    review_queue_url: str
    failure_queue_url: str
    endpoint_name: str
    endpoint_role_arn: str
    threshold: float
    labels: Labels = VEHICLES
    image_bucket: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    dead_letter_queue_arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, outputs: Mapping[str, str]) -> Self:
        """Read the outputs as CloudFormation lists them."""
        return cls(
            state_machine_arn=outputs["StateMachineArn"],
            batch_state_machine_arn=outputs["BatchStateMachineArn"],
            data_bucket=outputs["DataBucket"],
            review_queue_url=outputs["ReviewQueueUrl"],
            failure_queue_url=outputs["FailureQueueUrl"],
            endpoint_name=outputs["EndpointName"],
            endpoint_role_arn=outputs["EndpointRoleArn"],
            threshold=float(outputs["Threshold"]),
            labels=parse_labels(outputs["Labels"]),
            image_bucket=outputs.get("ImageBucket"),
            dead_letter_queue_arn=outputs.get("DeadLetterQueueArn"),
            roles={name: value for name, value in outputs.items() if name.endswith("RoleArn")},
        )

    def require_role(self, output: str) -> str:
        """Return the role of this output. Raises OutputMissing, as for a stack of an older template."""
        if output not in self.roles:
            raise OutputMissing(output)
        return self.roles[output]


def read_stack_outputs(cloudformation: Any, name: str) -> StackOutputs:
    """Return the outputs of our stack of this name. Raises StackNotFound."""
    stack = _require_stack(cloudformation, name)
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    return replace(StackOutputs.parse(_values(stack)), tags={**tags, "scones:stack": name})


def output_values(cloudformation: Any, name: str) -> dict[str, str]:
    """Return the outputs of any stack by name. Raises StackNotFound."""
    return _values(_require_stack(cloudformation, name))


def describe_stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """Return what DescribeStacks returns about a stack, or None if it does not exist."""
    try:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _require_stack(cloudformation: Any, name: str) -> dict[str, Any]:
    stack = describe_stack(cloudformation, name)
    if stack is None:
        raise StackNotFound(name, cloudformation.meta.region_name)
    return stack


def _values(stack: Mapping[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
