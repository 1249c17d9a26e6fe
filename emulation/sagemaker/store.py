"""The account's resources, each in its own JSON file."""

import enum
import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.files import write_atomically
from emulation.sagemaker.errors import ResourceInUse, ResourceLimitExceeded, ValidationException

log = logging.getLogger(__name__)

MAX_RECORDS = 1000


class Kind(enum.Enum):
    """A kind of resource; the value is its word in an ARN."""

    MODEL = "model"
    ENDPOINT_CONFIG = "endpoint-config"
    ENDPOINT = "endpoint"
    TRAINING_JOB = "training-job"
    SCHEDULE = "schedule"

    @property
    def noun(self) -> str:
        """The kind as AWS's messages call it."""
        nouns = {Kind.ENDPOINT_CONFIG: "endpoint configuration", Kind.TRAINING_JOB: "training job"}
        return nouns.get(self, self.value)


@dataclass(frozen=True)
class Account:
    """Whose resources these are, and where."""

    region: str
    number: str = "000000000000"

    def arn(self, kind: Kind, name: str) -> str:
        """Return the resource's ARN; SageMaker writes names in it in lower case."""
        return f"arn:aws:sagemaker:{self.region}:{self.number}:{kind.value}/{name.lower()}"


@dataclass
class Record:
    """One resource: what its Describe operation returns besides name, ARN and time, and the emulator's private data."""

    name: str
    arn: str
    created: float
    modified: float
    described: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)


class Store:
    """The records of every kind, by name; names differ by more than case, as in SageMaker."""

    def __init__(self, directory: Path, account: Account) -> None:
        self.account = account
        self._directory = directory
        self._records: dict[Kind, dict[str, Record]] = {kind: self._load(kind) for kind in Kind}

    def require_absent(self, kind: Kind, name: str) -> None:
        """Raise unless one more record of this name may be added."""
        if name.lower() in self._records[kind]:
            if kind is Kind.TRAINING_JOB:
                raise ResourceInUse(
                    "Training job names must be unique within an AWS account and Region, and a training job with this "
                    f"name already exists ({self.account.arn(kind, name)})"
                )
            raise ValidationException(f'Cannot create already existing {kind.noun} "{self.account.arn(kind, name)}".')
        if len(self._records[kind]) >= MAX_RECORDS:
            raise ResourceLimitExceeded(
                f"The account-level service limit 'Number of {kind.noun}s' is {MAX_RECORDS}, with current utilization "
                f"of {MAX_RECORDS} and a request delta of 1."
            )

    def find(self, kind: Kind, name: str) -> Record | None:
        """Return the record, or None."""
        return self._records[kind].get(name.lower())

    def get(self, kind: Kind, name: str) -> Record:
        """Return the record, or raise as AWS does."""
        record = self.find(kind, name)
        if record is None and kind is Kind.TRAINING_JOB:
            raise ValidationException("Requested resource not found.")
        if record is None:
            raise ValidationException(f'Could not find {kind.noun} "{self.account.arn(kind, name)}".')
        return record

    def by_arn(self, arn: str) -> tuple[Kind, Record]:
        """Return the record that an ARN names, or raise as AWS does."""
        word, _, name = arn.split(":", 5)[5].partition("/")
        try:
            kind = Kind(word)
        except ValueError:
            raise ValidationException(f'Could not find resource "{arn}".') from None
        record = self.get(kind, name)
        if record.arn != arn.lower():
            raise ValidationException(f'Could not find {kind.noun} "{arn}".')
        return kind, record

    def all(self, kind: Kind) -> list[Record]:
        """Return every record of a kind."""
        return list(self._records[kind].values())

    def save(self, kind: Kind, record: Record) -> None:
        """Keep the record, in memory and on disk."""
        path = self._path(kind, record.name)
        write_atomically(path, json.dumps(asdict(record), allow_nan=False).encode())
        self._records[kind][record.name.lower()] = record

    def remove(self, kind: Kind, name: str) -> None:
        """Forget the record."""
        self._path(kind, name).unlink(missing_ok=True)
        self._records[kind].pop(name.lower(), None)

    def _path(self, kind: Kind, name: str) -> Path:
        return self._directory / kind.value / f"{name.lower()}.json"

    def _load(self, kind: Kind) -> dict[str, Record]:
        records: dict[str, Record] = {}
        for path in _files(self._directory / kind.value):
            try:
                record = Record(**json.loads(path.read_bytes()))
            except (ValueError, TypeError) as error:
                log.warning("%s is not a record of a %s and is ignored: %s", path, kind.noun, error)
                continue
            records[record.name.lower()] = record
        return records


def _files(directory: Path) -> Iterable[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    return sorted(path for path in directory.glob("*.json") if not path.name.startswith("."))
