"""What `scones rehearse` rehearses in a stack: a training job, and an endpoint next to the one in service."""

from dataclasses import replace

import boto3

from core.defaults import ENDPOINT_INSTANCE_TYPE
from orchestration.stack_outputs import StackOutputs
from scones import container_image_uris, training_jobs
from scones.endpoint_lifecycle import schedule_role
from scones.model_serving import LOCAL_IMAGE, capture_uri, container_environment
from scones.settings import Settings, Target
from training import jobs, recipes
from training.endpoint_spec import EndpointOptions
from training.jobs import TrainingJobSpec
from training.rehearsal import RehearsalPlan


def rehearsal_plan(
    session: boto3.Session, settings: Settings, outputs: StackOutputs, job: TrainingJobSpec
) -> RehearsalPlan:
    """Return the plan of a rehearsal of this job. Raises OutputMissing."""
    builtin = recipes.get_recipe(job.recipe.name).builtin
    inference_uri = container_image_uris.inference_uri(session, settings, ENDPOINT_INSTANCE_TYPE) or LOCAL_IMAGE
    return RehearsalPlan(
        job,
        training_jobs.job_environment(outputs),
        f"{outputs.endpoint_name}-rehearsal",
        image_uri=jobs.builtin_image(session) if builtin else inference_uri,
        role_arn=outputs.endpoint_role_arn,
        deletion=schedule_role(outputs),
        capture_uri=capture_uri(outputs),
        instance_type=ENDPOINT_INSTANCE_TYPE,
        options=EndpointOptions(tags=outputs.tags, environment=container_environment(outputs.labels)),
        job_waiter=replace(jobs.JOB_WAITER, poll_seconds=0.5 if settings.target is Target.LOCAL else 5.0),
    )
