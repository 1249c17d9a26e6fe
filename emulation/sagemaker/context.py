"""What every operation works on."""

from collections.abc import Callable
from dataclasses import dataclass

from emulation.sagemaker.artefacts import Artefacts
from emulation.sagemaker.container import Scripted
from emulation.sagemaker.fleet import Fleet
from emulation.sagemaker.state import Store
from emulation.sagemaker.training import Training


@dataclass(frozen=True)
class Emulator:
    """One account in one region: its records, live endpoints, jobs under way, where its models come from, its clock."""

    store: Store
    fleet: Fleet
    training: Training
    source: Artefacts | Scripted
    now: Callable[[], float]
