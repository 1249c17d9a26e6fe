"""What a notebook does with version 3 of the SageMaker Python SDK: an image classifier from training to deletion.

Prints a line of JSON for each step; everything else that it prints is the SDK's. Runs in the SDK's own environment.
"""

import json
import logging
import sys
import time
from pathlib import Path

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, production_variant
from sagemaker.core.model_monitor import DataCaptureConfig
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TrainingJob
from sagemaker.core.s3 import S3Downloader
from sagemaker.core.shapes import (
    AlgorithmSpecification,
    Channel,
    ContainerDefinition,
    DataSource,
    ProductionVariant,
    ResourceConfig,
    S3DataSource,
)
from sagemaker.core.shapes import OutputDataConfig as JobOutput
from sagemaker.serve import ModelBuilder
from sagemaker.serve.builder.schema_builder import SchemaBuilder
from sagemaker.serve.spec.inference_spec import InferenceSpec
from sagemaker.serve.utils.types import ModelServer
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, SourceCode, StoppingCondition

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
folder, captures = Path(sys.argv[1]), Path(sys.argv[2])
ROLE = "arn:aws:iam::000000000000:role/notebook"
PREFIX = "notebook-v3"


def step(name: str, value: object) -> None:
    print(json.dumps({"step": name, "value": value}, default=str), flush=True)


session = Session()
bucket = session.default_bucket()
step("bucket", bucket)
for part in ("train", "validation"):
    session.upload_data(str(folder / part), bucket=bucket, key_prefix=f"{PREFIX}/{part}")
    session.upload_data(str(folder / f"{part}.lst"), bucket=bucket, key_prefix=PREFIX)

image = image_uris.retrieve(framework="image-classification", region=session.boto_region_name)
step("image", image)
count = len((folder / "train.lst").read_text().splitlines())
trainer = ModelTrainer(
    training_image=image,
    role=ROLE,
    sagemaker_session=session,
    base_job_name=PREFIX,
    compute=Compute(instance_type="ml.g5.xlarge", instance_count=1, volume_size_in_gb=30),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/{PREFIX}/models"),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=3600),
    hyperparameters={
        "image_shape": "3,32,32",
        "num_classes": 2,
        "num_training_samples": count,
        "epochs": 2,
        "mini_batch_size": 8,
    },
)
channels = {
    "train": f"{PREFIX}/train/",
    "validation": f"{PREFIX}/validation/",
    "train_lst": f"{PREFIX}/train.lst",
    "validation_lst": f"{PREFIX}/validation.lst",
}
inputs = [
    InputData(channel_name=name, data_source=f"s3://{bucket}/{key}", content_type="application/x-image")
    for name, key in channels.items()
]
print("LOG BEGINS", flush=True)
trainer.train(input_data_config=inputs, wait=True, logs=True)
print("LOG ENDS", flush=True)
job = next(TrainingJob.get_all(name_contains=PREFIX, sort_by="CreationTime", sort_order="Descending"))
job.refresh()
step("description", {"TrainingJobStatus": job.training_job_status, "SecondaryStatus": job.secondary_status})
step("metrics", {metric.metric_name: metric.value for metric in job.final_metric_data_list})
step("model", job.model_artifacts.s3_model_artifacts)

source = captures.with_name("source")
source.mkdir()
(source / "entry.py").write_text("""import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, required=True)
assert json.loads(os.environ["SM_HPS"]) == {"rate": parser.parse_args().rate}
open(os.path.join(os.environ["SM_MODEL_DIR"], "weights"), "w").close()
""")
(source / "requirements.txt").write_text("# none\n")
own = ModelTrainer(
    training_image=image_uris.retrieve(
        "pytorch",
        session.boto_region_name,
        version="2.8.0",
        py_version="py312",
        instance_type="ml.g5.xlarge",
        image_scope="training",
    ),
    source_code=SourceCode(source_dir=str(source), entry_script="entry.py", requirements="requirements.txt"),
    hyperparameters={"rate": 0.5},
    base_job_name="own-code",
    sagemaker_session=session,
)
own.train()
own_job = next(TrainingJob.get_all(name_contains="own-code"))
step("own code", own_job.training_job_status)

builder = ModelBuilder(
    image_uri=image,
    s3_model_data_url=job.model_artifacts.s3_model_artifacts,
    role_arn=ROLE,
    sagemaker_session=session,
    instance_type="ml.m5.xlarge",
)
builder.build(model_name=PREFIX)
endpoint = builder.deploy(
    endpoint_name=PREFIX,
    instance_type="ml.m5.xlarge",
    initial_instance_count=1,
    data_capture_config=DataCaptureConfig(
        enable_capture=True,
        sampling_percentage=100,
        destination_s3_uri=f"s3://{bucket}/{PREFIX}/capture",
        sagemaker_session=session,
    ),
)
step("endpoint", endpoint.endpoint_name)
images = sorted((folder / "validation").iterdir())


def invoke(content: bytes, accept: str) -> str:
    response = endpoint.invoke(body=content, content_type="image/png", accept=accept)
    return str(response.body.read().decode())


step("predictions", [invoke(path.read_bytes(), "application/json") for path in images])
step("jsonlines", invoke(images[0].read_bytes(), "application/jsonlines"))

uri = f"s3://{bucket}/{PREFIX}/capture/{PREFIX}"
deadline = time.monotonic() + 600
records: list[dict[str, dict[str, dict[str, str]]]] = []
while len(records) <= len(images) and time.monotonic() < deadline:
    time.sleep(0.5)
    if S3Downloader.list(uri, sagemaker_session=session):
        S3Downloader.download(uri, str(captures), sagemaker_session=session)
    records = [json.loads(line) for file in captures.rglob("*.jsonl") for line in file.read_text().splitlines()]
step("captures", [record["captureData"]["endpointOutput"]["data"] for record in records])


class Scaling(InferenceSpec):  # type: ignore[misc]  # the SDK has no types
    def load(self, model_dir: str) -> float:
        return float(Path(model_dir, "factor").read_text())

    def invoke(self, input_object: list[float], model: float) -> list[float]:
        return [model * number for number in input_object]


own_model = captures.with_name("own-model")
own_model.mkdir()
(own_model / "factor").write_text("2.5")
scaling = ModelBuilder(
    inference_spec=Scaling(),
    model_path=str(own_model),
    model_server=ModelServer.TORCHSERVE,
    schema_builder=SchemaBuilder([1.0], [2.5]),
    image_uri=image_uris.retrieve(
        "pytorch",
        session.boto_region_name,
        version="2.6.0",
        py_version="py312",
        instance_type="ml.m5.xlarge",
        image_scope="inference",
    ),
    dependencies={"auto": False},
    role_arn=ROLE,
    sagemaker_session=session,
)
scaling.build(model_name="own-model")
scaled = scaling.deploy(endpoint_name="own-model", instance_type="ml.m5.xlarge", initial_instance_count=1)
step("own model", json.loads(scaled.invoke(body="[1.0, 4.0]", content_type="application/json").body.read()))
scaled.delete()

table = captures.with_name("table.csv")
table.write_text("\n".join(f"{number % 2},{number % 2},{number}" for number in range(40)))
xgboost = image_uris.retrieve(framework="xgboost", region=session.boto_region_name, version="1.7-1")
boosted = TrainingJob.create(
    training_job_name="boosted",
    hyper_parameters={"objective": "binary:logistic", "num_round": "5", "eval_metric": "auc"},
    algorithm_specification=AlgorithmSpecification(training_image=xgboost, training_input_mode="File"),
    role_arn=ROLE,
    input_data_config=[
        Channel(
            channel_name="train",
            content_type="csv",
            data_source=DataSource(
                s3_data_source=S3DataSource(
                    s3_data_type="S3Prefix", s3_uri=session.upload_data(str(table), bucket=bucket, key_prefix=PREFIX)
                )
            ),
        )
    ],
    output_data_config=JobOutput(s3_output_path=f"s3://{bucket}/{PREFIX}/models"),
    resource_config=ResourceConfig(instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=30),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
)
boosted.wait()
boosted.refresh()
container = ContainerDefinition(image=xgboost, model_data_url=boosted.model_artifacts.s3_model_artifacts)
boosted_model = Model.create(model_name="boosted", primary_container=container, execution_role_arn=ROLE)
boosted_variant = ProductionVariant(
    variant_name="all", initial_instance_count=1, instance_type="ml.m5.xlarge", model_name=boosted_model
)
boosted_config = EndpointConfig.create(endpoint_config_name="boosted", production_variants=[boosted_variant])
booster = Endpoint.create(endpoint_name="boosted", endpoint_config_name=boosted_config)
booster.wait_for_status("InService")
scores = booster.invoke(body="0,4\n1,5", content_type="text/csv", accept="text/csv").body.read().decode()
step("xgboost", [[each.metric_name for each in boosted.final_metric_data_list], [float(x) for x in scores.split()]])
booster.delete()

variant = production_variant("a-model", "ml.m5.xlarge")
step("variant", [variant["VariantName"], variant["InstanceType"]])
step("listed", [each.endpoint_name for each in Endpoint.get_all(name_contains=PREFIX)])
step("others", [each.endpoint_name for each in Endpoint.get_all()])
step("jobs", [each.training_job_name for each in TrainingJob.get_all(name_contains=PREFIX)])
endpoint.delete()
endpoint.wait_for_delete(poll=1, timeout=600)
EndpointConfig.get(endpoint_config_name=PREFIX).delete()
Model.get(model_name=PREFIX).delete()
step("left", [each.endpoint_name for each in Endpoint.get_all(name_contains=PREFIX)])
