"""The instances behind endpoints: created, replaced on update without a failed request, deleted."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from emulation.sagemaker.capture import CaptureBuffer, CaptureWriter
from emulation.sagemaker.errors import LaunchFailed
from emulation.sagemaker.hosting.alarms import Alarms
from emulation.sagemaker.hosting.deployment import Deployment, EndpointPlan, Variant
from emulation.sagemaker.hosting.model_containers import ContainerFactory
from emulation.sagemaker.store import Kind, Record, Store

log = logging.getLogger(__name__)

_MAX_REASON = 1024


class EndpointInstances:
    """Moves endpoints through their states; each endpoint has at most one transition under way."""

    def __init__(
        self,
        store: Store,
        containers: ContainerFactory,
        capture_buffer: CaptureBuffer,
        alarms: Alarms,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._containers = containers
        self._capture_buffer = capture_buffer
        self._alarms = alarms
        self._now = now
        self._in_service: dict[str, Deployment] = {}
        self._retiring: list[Deployment] = []
        self._closing = False
        self._transitions: dict[str, asyncio.Task[None]] = {}
        self._random = random.Random()  # noqa: S311 - sampling and traffic shares, no secrets

    def serving(self, name: str) -> Deployment | None:
        """Return the deployment in service under exactly this name, if any."""
        return self._in_service.get(name)

    def restarts(self) -> int:
        """Return how often a model server had to be started again."""
        return sum(
            variant.container.restarts for deployment in self._in_service.values() for variant in deployment.variants
        )

    def begin_create(self, record: Record) -> None:
        """Bring a new endpoint into service in the background."""
        self._begin(record, self._create(record))

    def begin_update(self, record: Record) -> None:
        """Bring the endpoint's pending plan into service in the background, then stop the previous deployment."""
        self._begin(record, self._update(record))

    def begin_update_weights(self, record: Record, plan: EndpointPlan) -> None:
        """Give the variants in service the weights and instance counts of ``plan`` in the background."""
        self._begin(record, self._update_weights(record, plan))

    def begin_delete(self, record: Record) -> None:
        """Delete the endpoint in the background, after its captures are in S3."""
        self._begin(record, self._delete(record))

    def restore(self) -> None:
        """Restore each endpoint after a restart."""
        self._delete_unused_models()
        for record in self._store.all(Kind.ENDPOINT):
            status = record.described["EndpointStatus"]
            if status == "Deleting":
                self._store.remove(Kind.ENDPOINT, record.name)
            elif status == "Creating":
                self.begin_create(record)
            elif status != "Failed":
                self._begin(record, self._restore(record))

    async def close(self) -> None:
        """Stop every transition and every model server; the records keep what is to be restored."""
        self._closing = True
        transitions = list(self._transitions.values())
        for task in transitions:
            task.cancel()
        await asyncio.gather(*transitions, return_exceptions=True)
        remaining = [*self._in_service.values(), *self._retiring]
        self._in_service.clear()
        await asyncio.gather(*(deployment.stop(drain_seconds=0) for deployment in remaining), return_exceptions=True)

    def _begin(self, record: Record, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._run_transition(record, work), name=f"endpoint {record.name}")
        self._transitions[record.name] = task
        task.add_done_callback(lambda done: self._finished(record.name, done))

    def _finished(self, name: str, task: asyncio.Task[None]) -> None:
        if self._transitions.get(name) is task:
            del self._transitions[name]

    async def _run_transition(self, record: Record, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            log.exception("endpoint %s: %s failed", record.name, record.described["EndpointStatus"])
            self._set_final_status(
                record, "Failed", reason=f"An internal failure occurred. ({type(error).__name__}: {error})"
            )

    async def _create(self, record: Record) -> None:
        plan = EndpointPlan.from_dict(record.private["Pending"])
        try:
            self._in_service[record.name] = await self._start_deployment(record.name, plan)
        except LaunchFailed as error:
            self._set_final_status(record, "Failed", reason=str(error))
        else:
            self._set_final_status(record, "InService", plan=plan)

    async def _update(self, record: Record) -> None:
        plan = EndpointPlan.from_dict(record.private["Pending"])
        try:
            fresh = await self._start_deployment(record.name, plan)
        except LaunchFailed as error:
            self._set_final_status(record, "InService", reason=str(error))  # AWS rolls back to the previous deployment
            self._delete_unused_models()
            return
        before = self._in_service.get(record.name)
        self._in_service[record.name] = fresh
        alarm = await self._observe(record, before)
        if alarm is None or before is None:
            self._set_final_status(record, "InService", plan=plan)
            await self._retire(before)
            return
        self._in_service[record.name] = before
        record.described["EndpointStatus"] = "RollingBack"
        await self._retire(fresh)
        self._set_final_status(
            record, "InService", reason=f"The deployment was rolled back: the alarm {alarm} is in ALARM."
        )
        self._delete_unused_models()

    async def _observe(self, record: Record, before: Deployment | None) -> str | None:
        """Return the first alarm in ALARM while the previous instances are kept, if any."""
        if before is None:
            return None
        self._retiring.append(before)
        try:
            return await self._alarms.first_in_alarm(record.described.get("LastDeploymentConfig", {}))
        finally:
            if not self._closing:
                self._retiring.remove(before)

    async def _update_weights(self, record: Record, plan: EndpointPlan) -> None:
        planned = {variant.name: variant for variant in plan.variants}
        deployment = self._in_service[record.name]
        for variant in deployment.variants:
            variant.plan.weight = planned[variant.plan.name].weight
            variant.plan.instances = planned[variant.plan.name].instances
        self._set_final_status(record, "InService", plan=plan)

    async def _delete(self, record: Record) -> None:
        await self._retire(self._in_service.pop(record.name, None))
        self._store.remove(Kind.ENDPOINT, record.name)
        self._delete_unused_models()

    async def _retire(self, deployment: Deployment | None) -> None:
        """Stop a deployment after its last request, and upload its captures to S3."""
        if deployment is None:
            return
        self._retiring.append(deployment)
        await deployment.stop()
        self._retiring.remove(deployment)
        await self._capture_buffer.flush()
        self._delete_unused_models()

    async def _restore(self, record: Record) -> None:
        record.described["EndpointStatus"] = "SystemUpdating"
        try:
            self._in_service[record.name] = await self._start_deployment(
                record.name, EndpointPlan.from_dict(record.private["Serving"])
            )
        except LaunchFailed as error:
            self._set_final_status(record, "Failed", reason=str(error))
            return
        if record.private.get("Pending") is None:
            self._set_final_status(record, "InService", plan=EndpointPlan.from_dict(record.private["Serving"]))
            return
        record.described["EndpointStatus"] = "Updating"
        await self._update(record)

    def _set_final_status(
        self, record: Record, status: str, plan: EndpointPlan | None = None, reason: str | None = None
    ) -> None:
        record.modified = self._now()
        record.described["EndpointStatus"] = status
        record.described.pop("FailureReason", None)
        record.private["Pending"] = None
        if reason is not None:
            record.described["FailureReason"] = reason[:_MAX_REASON]
        if plan is not None:
            record.described["EndpointConfigName"] = plan.config_name
            record.private["Serving"] = plan.to_dict()
        self._store.save(Kind.ENDPOINT, record)

    async def _start_deployment(self, endpoint: str, plan: EndpointPlan) -> Deployment:
        variants: list[Variant] = []
        try:
            for planned in plan.variants:
                container = await self._containers.make(endpoint, planned)
                variants.append(Variant(planned, container, self._capture(endpoint, planned.name, plan.capture)))
                await container.start()
        except BaseException:
            with contextlib.suppress(Exception):
                await asyncio.gather(*(variant.container.stop() for variant in variants))
            raise
        return Deployment(plan, variants, self._random)

    def _capture(self, endpoint: str, variant: str, config: Mapping[str, Any] | None) -> CaptureWriter | None:
        return CaptureWriter(dict(config), endpoint, variant, self._capture_buffer, self._random) if config else None

    def _delete_unused_models(self) -> None:
        """Delete unpacked models that no endpoint is or may soon be served from."""
        others = (task for task in self._transitions.values() if task is not asyncio.current_task())
        if any(not task.done() for task in others):
            return  # one of them may be unpacking right now; the last to finish deletes them
        self._containers.delete_unused(
            EndpointPlan.from_dict(plan)
            for record in self._store.all(Kind.ENDPOINT)
            for plan in (record.private.get("Serving"), record.private.get("Pending"))
            if plan is not None
        )
