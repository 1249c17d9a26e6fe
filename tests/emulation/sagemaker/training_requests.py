"""Training jobs for tests: what is in S3 for them, and the requests that create them."""

import io
import zipfile
from typing import Any

from PIL import Image

from tests.emulation.fakes.s3 import FakeS3
from tests.emulation.sagemaker.emulator import ROLE, Emulator, archive, wait_until

BUILTIN = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6.0-gpu-py312"
ENOUGH = {"num_classes": "2", "num_training_samples": "4", "image_shape": "3,32,32"}
ENDED = {"Completed", "Failed", "Stopped"}


def channel(name: str, uri: str, content_type: str = "application/x-image", **source: Any) -> dict[str, Any]:
    """A channel of File mode."""
    source_of_data = {"S3DataType": "S3Prefix", "S3Uri": uri, **source}
    return {"ChannelName": name, "ContentType": content_type, "DataSource": {"S3DataSource": source_of_data}}


def image_bytes(side: int = 32) -> bytes:
    content = io.BytesIO()
    Image.effect_noise((side, side), 60).convert("RGB").save(content, "PNG")
    return content.getvalue()


def stage(s3: FakeS3, name: str, listing: str | None = None, image: bytes | None = None) -> list[dict[str, Any]]:
    """Four images and their .lst files under ``s3://data/name/``; return the channels."""
    lines = "".join(f"{index}\t{index % 2}\t{index}.png\n" for index in range(4))
    for part in ("train", "validation"):
        s3.objects[f"data/{name}/{part}.lst"] = (lines if listing is None else listing).encode()
        for index in range(4):
            s3.objects[f"data/{name}/{part}/{index}.png"] = image_bytes() if image is None else image
    folders = [channel(part, f"s3://data/{name}/{part}/") for part in ("train", "validation")]
    lists = [channel(f"{part}_lst", f"s3://data/{name}/{part}.lst") for part in ("train", "validation")]
    return folders + lists


def request(name: str, image: str = PYTORCH, seconds: int = 60, **more: Any) -> dict[str, Any]:
    """What CreateTrainingJob takes."""
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File", **more.pop("algorithm", {})}
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": algorithm,
        "OutputDataConfig": {"S3OutputPath": "s3://out/jobs/"},
        "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
        **more,
    }


def wheel(module: str, source: str) -> bytes:
    """A wheel with one module."""
    content = io.BytesIO()
    info = f"{module}-1.dist-info"
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr(f"{module}.py", source)
        packed.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
        packed.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{info}/RECORD", "")
    return content.getvalue()


def script(
    s3: FakeS3, title: str, source: str, files: dict[str, bytes] | None = None, **hyperparameters: str
) -> dict[str, str]:
    """The hyperparameters of a job in script mode that runs ``source``, with these files beside it."""
    s3.objects[f"code/{title}.tar.gz"] = archive({"entry.py": source.encode(), **(files or {})})
    source_of_data = {"sagemaker_program": "entry.py", "sagemaker_submit_directory": f"s3://code/{title}.tar.gz"}
    return source_of_data | hyperparameters


def run(
    emulator: Emulator,
    name: str,
    source: str,
    told: dict[str, str] | None = None,
    files: dict[str, bytes] | None = None,
    **more: Any,
) -> Any:
    """Run a script as a job to its end and return its description."""
    hyperparameters = script(emulator.s3, name, source, files, **(told or {}))
    emulator.client("sagemaker").create_training_job(**request(name, HyperParameters=hyperparameters, **more))
    return ended(emulator, name)


def ended(emulator: Emulator, name: str) -> Any:
    """Wait for a job's end and return its description."""
    client = emulator.client("sagemaker")
    wait_until(lambda: status(emulator, name)[0] in ENDED, emulator.log.read_text)
    return client.describe_training_job(TrainingJobName=name)


def status(emulator: Emulator, name: str) -> tuple[str, str]:
    """Status and secondary status."""
    described = emulator.client("sagemaker").describe_training_job(TrainingJobName=name)
    return described["TrainingJobStatus"], described["SecondaryStatus"]


def states(described: Any) -> list[str]:
    """The states that a job went through."""
    return [transition["Status"] for transition in described["SecondaryStatusTransitions"]]


def logged(s3: FakeS3, name: str) -> list[str]:
    """The job's messages in CloudWatch Logs."""
    prefix = f"/aws/sagemaker/TrainingJobs:{name}/algo-1-"
    return [line for stream, lines in s3.logs.items() if stream.startswith(prefix) for line in lines]
