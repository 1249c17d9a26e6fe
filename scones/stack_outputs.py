"""The outputs of the deployed CloudFormation stack."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import boto3

from core.labels import VEHICLES, Labels, parse_labels
from orchestration import stack
from scones.settings import Settings
from training.endpoint_ttl import ScheduleRole
from training.errors import RoleMissing


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
        """Return the role of this output. Raises RoleMissing, as for a stack of an older template."""
        if output not in self.roles:
            raise RoleMissing(output)
        return self.roles[output]

    def schedule_role(self) -> ScheduleRole:
        """Return what deletes an endpoint on schedule. Raises RoleMissing."""
        role_arn = self.require_role("EndpointDeletionRoleArn")
        if self.dead_letter_queue_arn is None:
            raise RoleMissing("DeadLetterQueueArn")
        return ScheduleRole(role_arn, self.dead_letter_queue_arn)


def read_stack_outputs(session: boto3.Session, settings: Settings) -> StackOutputs:
    """Describe the stack. Raises StackNotFound."""
    outputs, tags = stack.outputs_and_tags(session.client("cloudformation"), settings.stack)
    return replace(StackOutputs.parse(outputs), tags={**tags, "scones:stack": settings.stack})
