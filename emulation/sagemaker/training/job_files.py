"""A training job's files: its channels from S3, what its container finds under /opt/ml, what goes back to S3."""

import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import InvalidS3Uri
from core.s3_uris import S3Uri
from emulation.sagemaker import aws_clients
from emulation.sagemaker.errors import TrainingFailed

_WORKERS = 8
_MAX_KEYS = 200_000
_MAX_MANIFEST_BYTES = 32 * 1024 * 1024
_COMPLETE = "complete"
UNAVAILABLE = (ClientError, BotoCoreError, OSError)
"""What a call to S3, or the disk, fails with."""
Request = Mapping[str, Any]


@dataclass(frozen=True)
class JobDirectory:
    """What stands for /opt/ml; it lies in the state directory and goes with the job."""

    root: Path

    @property
    def data(self) -> Path:
        """The channels, a folder each."""
        return self.root / "input" / "data"

    @property
    def config(self) -> Path:
        """hyperparameters.json and its like."""
        return self.root / "input" / "config"

    @property
    def model(self) -> Path:
        """What becomes model.tar.gz."""
        return self.root / "model"

    @property
    def output(self) -> Path:
        """``failure``, the program's last words, and ``data``, which becomes output.tar.gz."""
        return self.root / "output"

    @property
    def checkpoints(self) -> Path:
        """What survives an interruption."""
        return self.root / "checkpoints"

    @property
    def code(self) -> Path:
        """The unpacked source archive of a job in script mode."""
        return self.root / "code"

    @property
    def packages(self) -> Path:
        """The packages of the job's requirements.txt."""
        return self.root / "packages"

    @property
    def installer_failure(self) -> Path:
        """Why the job's own command could not install a package."""
        return self.root / "installer-failure"

    def prepare(self, request: Request) -> None:
        """Make the folders, empty but for channels and checkpoints, and write the configuration."""
        for fresh in (self.model, self.output, self.config, self.code, self.packages):
            shutil.rmtree(fresh, ignore_errors=True)
        for folder in (self.data, self.config, self.model, self.output / "data", self.checkpoints):
            folder.mkdir(parents=True, exist_ok=True)
        channels = {
            channel["ChannelName"]: {
                "TrainingInputMode": "File",
                "ContentType": channel.get("ContentType", ""),
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            }
            for channel in request.get("InputDataConfig", ())
        }
        host = {
            "current_host": "algo-1",
            "current_instance_type": request.get("ResourceConfig", {}).get("InstanceType", ""),
            "hosts": ["algo-1"],
            "network_interface_name": "lo",
        }
        for name, content in (
            ("hyperparameters", request.get("HyperParameters", {})),
            ("inputdataconfig", channels),
            ("resourceconfig", host),
        ):
            (self.config / f"{name}.json").write_text(json.dumps(content))

    def remove(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self.root, ignore_errors=True)


def require(client: aws_clients.S3, request: Request) -> str | None:
    """Return what is wrong, in AWS's words, where a channel names no object in S3."""
    for channel in request.get("InputDataConfig", ()):
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        try:
            bucket, prefix = S3Uri.parse(uri)
            objects = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents")
        except (ClientError, BotoCoreError, InvalidS3Uri):
            bucket, objects = uri.removeprefix("s3://").partition("/")[0], None
        if not objects:
            return (
                f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
                f"exists in the selected region, that objects exist under that S3 prefix, and that the role "
                f'"{request["RoleArn"]}" has "s3:ListBucket" permissions on bucket "{bucket}".'
            )
    return None


def download(client: aws_clients.S3, request: Request, folder: JobDirectory) -> None:
    """Bring every channel, and checkpoints of an earlier job, from S3. Raises TrainingFailed.

    Channels that are there already from before an interruption are left as they are.
    """
    done = folder.root / _COMPLETE
    if done.exists():
        return
    shutil.rmtree(folder.data, ignore_errors=True)
    try:
        for channel in request.get("InputDataConfig", ()):
            into = folder.data / channel["ChannelName"]
            into.mkdir(parents=True)
            _fetch(client, _objects(client, channel["DataSource"]["S3DataSource"]), into)
        if "CheckpointConfig" in request:
            bucket, prefix = S3Uri.parse(request["CheckpointConfig"]["S3Uri"])
            _fetch(client, _below(client, bucket, prefix), folder.checkpoints)
    except (ClientError, BotoCoreError, OSError, ValueError, InvalidS3Uri) as error:
        raise TrainingFailed(f"ClientError: Data download failed:{error}") from error
    done.touch()


def model_uri(request: Request, name: str) -> str:
    """Return where the job's model goes, which is described from the job's beginning."""
    bucket, base = _output(request, name)
    return f"s3://{bucket}/{base}/model.tar.gz"


def upload(client: aws_clients.S3, request: Request, name: str, folder: JobDirectory, *, model: bool) -> None:
    """Write output.tar.gz where there is something in it and, with ``model``, model.tar.gz."""
    bucket, base = _output(request, name)
    kms_key = request["OutputDataConfig"].get("KmsKeyId")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    archives = {"model": folder.model} if model else {}
    if any((folder.output / "data").iterdir()):
        archives["output"] = folder.output / "data"
    try:
        for stem, directory in archives.items():
            packed = folder.root / f"{stem}.tar.gz"
            with tarfile.open(packed, "w:gz") as archive:
                for path in sorted(directory.iterdir()):
                    archive.add(path, path.name)
            with packed.open("rb") as body:
                client.put_object(Bucket=bucket, Key=f"{base}/{stem}.tar.gz", Body=body, **encryption)
    except (ClientError, BotoCoreError, OSError) as error:
        raise TrainingFailed(f"ClientError: Artifact upload failed:{error}") from error


def _output(request: Request, name: str) -> tuple[str, str]:
    bucket, prefix = S3Uri.parse(request["OutputDataConfig"]["S3OutputPath"])
    return bucket, "/".join(part for part in (prefix.strip("/"), name, "output") if part)


@dataclass
class Checkpoints:
    """Uploads the files of a folder to S3 as they change."""

    client: aws_clients.S3
    folder: Path
    uri: str
    _sent: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def send(self) -> None:
        """Upload every file that is new or has changed. Raises what UNAVAILABLE names."""
        bucket, prefix = S3Uri.parse(self.uri)
        for path in sorted(self.folder.rglob("*")):
            if not path.is_file() or path.name.endswith(".partial"):
                continue
            state = path.stat()
            seen = (state.st_mtime_ns, state.st_size)
            if self._sent.get(path) == seen:
                continue
            key = "/".join(part for part in (prefix.strip("/"), path.relative_to(self.folder).as_posix()) if part)
            with path.open("rb") as body:
                self.client.put_object(Bucket=bucket, Key=key, Body=body)
            self._sent[path] = seen


_Object = tuple[str, str, str]


def _objects(client: aws_clients.S3, source: Mapping[str, Any]) -> Iterator[_Object]:
    """Yield bucket, key and path in the channel of every object of a data source."""
    bucket, key = S3Uri.parse(source["S3Uri"])
    if source["S3DataType"] != "ManifestFile":
        yield from _below(client, bucket, key)
        return
    with client.get_object(Bucket=bucket, Key=key)["Body"] as body:
        content = body.read(_MAX_MANIFEST_BYTES + 1)
    if len(content) > _MAX_MANIFEST_BYTES:
        raise ValueError(f"the manifest {source['S3Uri']} is over {_MAX_MANIFEST_BYTES} bytes")
    entries = json.loads(content)
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict) or "prefix" not in entries[0]:
        raise ValueError(f'the manifest {source["S3Uri"]} does not begin with {{"prefix": "s3://…"}}')
    bucket, prefix = S3Uri.parse(str(entries[0]["prefix"]))
    for entry in entries[1:]:
        yield bucket, prefix + str(entry), str(entry)


def _below(client: aws_clients.S3, bucket: str, prefix: str) -> Iterator[_Object]:
    for count, key in enumerate(aws_clients.keys(client, bucket, prefix)):
        if count == _MAX_KEYS:
            raise ValueError(f"s3://{bucket}/{prefix} has more than {_MAX_KEYS} objects")
        # A prefix may end within a name: what counts then is the folder that the name lies in.
        start = len(prefix) if prefix.endswith("/") or key.startswith(f"{prefix}/") else prefix.rfind("/") + 1
        yield bucket, key, key[start:].removeprefix("/")


def _fetch(client: aws_clients.S3, objects: Iterator[_Object], into: Path) -> None:
    def fetch(source: _Object) -> None:
        bucket, key, name = source
        path = PurePosixPath(name)
        if "//" in name or not name or path.is_absolute() or ".." in path.parts or "\0" in name:
            raise ValueError(f"S3 key: s3://{bucket}/{key} has an illegal char sub-sequence in it")
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with client.get_object(Bucket=bucket, Key=key)["Body"] as body, target.open("wb") as file:
            shutil.copyfileobj(body, file, 1024 * 1024)

    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in pool.map(fetch, objects):
            pass
