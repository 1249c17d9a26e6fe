"""What every operation works on."""

from collections.abc import Callable
from dataclasses import dataclass

from emulation.sagemaker.artefacts import Artefacts
from emulation.sagemaker.container import Scripted
from emulation.sagemaker.fleet import Fleet
from emulation.sagemaker.state import Store


@dataclass(frozen=True)
class Emulator:
    """One account in one region: its records, its live endpoints, where its models come from, its clock."""

    store: Store
    fleet: Fleet
    source: Artefacts | Scripted
    now: Callable[[], float]
