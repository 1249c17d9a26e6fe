"""The state of a running local environment, as ``environment.json`` has it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class EnvironmentState:
    """A running local environment: its supervising process, URLs, region and directories."""

    pid: int
    localstack_url: str
    sagemaker_url: str
    lambda_urls: Mapping[str, str]
    region: str
    logs: Path
    home: Path
    started: datetime

    def to_json(self) -> str:
        """Return the state as text."""
        return json.dumps(asdict(self), default=str, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a state; raises ValueError if the text is not one."""
        try:
            value = json.loads(text)
            return cls(
                pid=int(value["pid"]),
                localstack_url=value["localstack_url"],
                sagemaker_url=value["sagemaker_url"],
                lambda_urls=dict(value["lambda_urls"]),
                region=str(value["region"]),
                logs=Path(value["logs"]),
                home=Path(value["home"]),
                started=datetime.fromisoformat(value["started"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"Not the state of a local environment: {text[:200]!r}") from error


@dataclass(frozen=True)
class EnvironmentStatus:
    """Whether a local environment runs, its state, and the health of each component."""

    running: bool
    state: EnvironmentState | None
    health: Mapping[str, bool]
