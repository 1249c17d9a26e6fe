"""What a notebook does with version 2 of the SageMaker Python SDK: an image classifier from training to deletion.

Prints a line of JSON for each step; everything else that it prints is the SDK's. Runs in the SDK's own environment.
"""

import json
import sys
import time
from pathlib import Path

import boto3
import sagemaker
from sagemaker import image_uris
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.predictor import Predictor
from sagemaker.s3 import S3Downloader
from sagemaker.serializers import IdentitySerializer
from sagemaker.session import production_variant

folder, captures = Path(sys.argv[1]), Path(sys.argv[2])
ROLE = "arn:aws:iam::000000000000:role/notebook"
PREFIX = "notebook-v2"


def step(name: str, value: object) -> None:
    print(json.dumps({"step": name, "value": value}, default=str), flush=True)


session = sagemaker.Session()
bucket = session.default_bucket()
step("bucket", bucket)
for part in ("train", "validation"):
    session.upload_data(str(folder / part), bucket=bucket, key_prefix=f"{PREFIX}/{part}")
    session.upload_data(str(folder / f"{part}.lst"), bucket=bucket, key_prefix=PREFIX)

image = image_uris.retrieve(framework="image-classification", region=session.boto_region_name)
step("image", image)
estimator = Estimator(
    image_uri=image,
    role=ROLE,
    instance_count=1,
    instance_type="ml.p3.2xlarge",
    output_path=f"s3://{bucket}/{PREFIX}/models",
    sagemaker_session=session,
)
count = len((folder / "train.lst").read_text().splitlines())
estimator.set_hyperparameters(
    image_shape="3,32,32", num_classes=2, num_training_samples=count, epochs=2, mini_batch_size=8, learning_rate=0.01
)
channels = {
    "train": f"{PREFIX}/train/",
    "validation": f"{PREFIX}/validation/",
    "train_lst": f"{PREFIX}/train.lst",
    "validation_lst": f"{PREFIX}/validation.lst",
}
inputs = {
    name: TrainingInput(s3_data=f"s3://{bucket}/{key}", content_type="application/x-image")
    for name, key in channels.items()
}
print("LOG BEGINS", flush=True)
estimator.fit(inputs=inputs, logs="All")
print("LOG ENDS", flush=True)
job = estimator.latest_training_job
step("description", {key: job.describe()[key] for key in ("TrainingJobStatus", "SecondaryStatus", "RoleArn")})
step("metrics", {each["MetricName"]: each["Value"] for each in job.describe()["FinalMetricDataList"]})
step("model", estimator.model_data)
step("analytics", sorted(set(TrainingJobAnalytics(job.name, ["validation:accuracy"]).dataframe()["metric_name"])))
attached = Estimator.attach(job.name, sagemaker_session=session)
step("attached", [attached.latest_training_job.name == job.name, attached.model_data == estimator.model_data])

capture = DataCaptureConfig(
    enable_capture=True,
    sampling_percentage=100,
    destination_s3_uri=f"s3://{bucket}/{PREFIX}/capture",
    capture_options=["Input", "Output"],
)
deployed = estimator.deploy(
    initial_instance_count=1, instance_type="ml.m5.xlarge", endpoint_name=PREFIX, data_capture_config=capture
)
step("endpoint", deployed.endpoint_name)
predictor = Predictor(endpoint_name=PREFIX, sagemaker_session=session, serializer=IdentitySerializer("image/png"))
images = sorted((folder / "validation").iterdir())
predictions = [predictor.predict(image.read_bytes()).decode() for image in images]
step("predictions", predictions)
lines = predictor.predict(images[0].read_bytes(), initial_args={"Accept": "application/jsonlines"}).decode()
step("jsonlines", lines)

uri = f"s3://{bucket}/{PREFIX}/capture/{PREFIX}"
deadline = time.monotonic() + 600
records: list[dict[str, dict[str, dict[str, str]]]] = []
while len(records) <= len(images) and time.monotonic() < deadline:
    time.sleep(0.5)
    if S3Downloader.list(uri, sagemaker_session=session):
        S3Downloader.download(uri, str(captures), sagemaker_session=session)
    records = [json.loads(line) for file in captures.rglob("*.jsonl") for line in file.read_text().splitlines()]
step("captures", [record["captureData"]["endpointOutput"]["data"] for record in records])

client = boto3.client("sagemaker")
variant = production_variant("a-model", "ml.m5.xlarge")
step("variant", [variant["VariantName"], variant["InstanceType"]])
step("listed", [each["EndpointName"] for each in client.list_endpoints(NameContains=PREFIX)["Endpoints"]])
jobs = session.list_training_jobs() if hasattr(session, "list_training_jobs") else client.list_training_jobs()
step("jobs", [each["TrainingJobName"] for each in jobs["TrainingJobSummaries"]])
predictor.delete_endpoint()
deadline = time.monotonic() + 600
while client.list_endpoints(NameContains=PREFIX)["Endpoints"] and time.monotonic() < deadline:
    time.sleep(0.2)
step("left", client.list_endpoints(NameContains=PREFIX)["Endpoints"])
