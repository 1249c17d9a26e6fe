"""What every operation works on."""

from collections.abc import Callable
from dataclasses import dataclass

from emulation.sagemaker.hosting.model_artifacts import Artefacts
from emulation.sagemaker.hosting.model_server import Scripted
from emulation.sagemaker.hosting.variant_instances import Fleet
from emulation.sagemaker.store import Store
from emulation.sagemaker.training.job_runner import Training


@dataclass(frozen=True)
class Emulator:
    """One account in one region: its records, live endpoints, jobs under way, where its models come from, its clock."""

    store: Store
    fleet: Fleet
    training: Training
    source: Artefacts | Scripted
    now: Callable[[], float]
