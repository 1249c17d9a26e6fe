"""Deploys the stack with the defaults of the target, compares it with a deployment, and rolls it back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3

from orchestration import bootstrap, package, revisions, stack, stack_difference, stack_outputs
from orchestration.revisions import Revision
from orchestration.stack import Change, Deployment, DeploymentOptions, OnEvent
from orchestration.stack_difference import Difference
from scones.settings import Settings, Target


@dataclass(frozen=True)
class StackRevisions:
    """The stack of the settings, as it is deployed and as it would be with other parameters."""

    session: boto3.Session
    settings: Settings
    options: DeploymentOptions = field(default_factory=DeploymentOptions)

    def deploy(
        self,
        parameters: Mapping[str, str],
        on_changes: stack.OnChanges = lambda _: None,
        on_event: OnEvent = lambda _: None,
    ) -> Deployment:
        """Create or update the stack; a new one gets the endpoint name that derives from its own."""
        url = package.upload(self._s3, self._bucket)
        return self._deploy(url, self._values(parameters), self._initial, on_changes, on_event)

    def roll_back(self, on_changes: stack.OnChanges, on_event: OnEvent) -> Deployment:
        """Deploy the template and the parameters before the last change. Raises StackNotFound, RevisionMissing."""
        stack_outputs.output_values(self._cloudformation, self.settings.stack)
        before = revisions.previous(self._s3, self._bucket, self.settings.stack, self._deployed or Revision("", {}))
        url = package.upload_packaged(self._s3, self._bucket, before.template)
        return self._deploy(url, before.parameters, {}, on_changes, on_event)

    def compare(self, parameters: Mapping[str, str]) -> Difference:
        """Return what a deployment would change."""
        template = {"TemplateURL": package.upload(self._s3, self._bucket)}
        new = Revision(package.packaged(self._bucket), self._values(parameters))
        return stack_difference.compare(
            self._cloudformation,
            self.settings.stack,
            self._deployed,
            new,
            template,
            self._initial,
            poll=self.settings.poll_seconds,
        )

    def _deploy(
        self,
        url: str,
        parameters: Mapping[str, str],
        initial: Mapping[str, str],
        on_changes: stack.OnChanges,
        on_event: OnEvent,
    ) -> Deployment:
        def confirm_and_save(changes: tuple[Change, ...]) -> None:
            on_changes(changes)
            if (before := self._deployed) is not None:
                revisions.save(self._s3, self._bucket, self.settings.stack, before)

        return stack.deploy(
            self._cloudformation,
            self.settings.stack,
            {"TemplateURL": url},
            parameters,
            initial=initial,
            options=self.options,
            on_changes=confirm_and_save,
            on_event=on_event,
            poll=self.settings.poll_seconds,
        )

    @property
    def _deployed(self) -> Revision | None:
        return revisions.deployed(self._cloudformation, self.settings.stack)

    @property
    def _initial(self) -> dict[str, str]:
        local = stack.LOCAL_PARAMETERS if self.settings.target is Target.LOCAL else {}
        return {"EndpointName": self.settings.default_endpoint_name, **local}

    def _values(self, parameters: Mapping[str, str]) -> dict[str, str]:
        labels = {"Labels": ",".join(self.settings.labels)} if self.settings.labels else {}
        return {**labels, **parameters}

    @cached_property
    def _bucket(self) -> str:
        if self.settings.target is Target.LOCAL:
            return bootstrap.local_artifact_bucket(self._s3)
        return bootstrap.artifact_bucket(self._cloudformation)

    @cached_property
    def _cloudformation(self) -> Any:
        return self.session.client("cloudformation")

    @cached_property
    def _s3(self) -> Any:
        return self.session.client("s3")
