"""What every operation works on."""

from collections.abc import Callable
from dataclasses import dataclass

from emulation.sagemaker.hosting.endpoint_instances import EndpointInstances
from emulation.sagemaker.hosting.model_artifacts import ModelArtifacts
from emulation.sagemaker.hosting.model_containers import StubContainer
from emulation.sagemaker.store import Store
from emulation.sagemaker.training.job_runner import JobRunner


@dataclass(frozen=True)
class OperationContext:
    """One account in one region: its records, live endpoints, jobs under way, where its models come from, its clock."""

    store: Store
    instances: EndpointInstances
    training: JobRunner
    source: ModelArtifacts | StubContainer
    now: Callable[[], float]
