"""The commands: one module each, named after it; a folder is a group of commands.

What a command does is in the modules beside this package, which can be called without the command line.
"""

COMMANDS = {
    "demo": "Run held-out test images and four invalid ones through the whole pipeline, locally.",
    "doctor": "Check whether this machine has what each mode needs.",
    "evaluate": "Measure the deployed endpoint's accuracy on labelled images.",
    "report": "Write an HTML page about recent executions and captured inferences.",
    "up": "Start the local environment: LocalStack, the SageMaker emulator, three Lambda functions.",
    "down": "Stop the local environment.",
    "status": "Show the local environment's components, their URLs and whether they are healthy.",
    "env": "Print the environment variables by which other AWS clients use the local environment.",
    "stage": "Convert a dataset to PNG and .lst files and upload them to the stack's bucket.",
    "train": "Train a model as a SageMaker training job and follow its log.",
    "rehearse": "Train, deploy, invoke, scale, update and delete, with an endpoint of its own.",
    "bootstrap": "Create what an AWS account and region needs once.",
    "deploy": "Create or update the stack.",
    "destroy": "Delete the endpoint, the stack, its objects and its logs.",
    "cost": "Estimate what images cost on AWS.",
    "run": "Classify images, each in its own execution.",
    "show": "Show the history of one execution.",
    "batch": "Classify many images in one execution: a folder, a prefix or a manifest.",
    "review": "Show the images in the review queue on a page, or record their labels.",
    "redrive": "Start the failed images in the failure queue again.",
    "monitor": "Compare captured inferences with the baseline.",
    "baseline": "Create the baseline that `scones monitor` compares with.",
}
"""The one-line help of each command, in the order of `scones --help`."""

HIDDEN = {"keep": "The reconcile loop of docker-compose.yml's service `deploy`."}

ENDPOINT = {
    "deploy": "Create or update the endpoint and wait until it is in service.",
    "status": "Show the endpoint's status, model and configuration.",
    "invoke": "Invoke the endpoint with one image, without the workflow.",
    "delete": "Delete the endpoint, its configuration, model, scaling and schedule.",
}

IMAGES = {
    "build": "Build the four container images.",
    "push": "Build the container images that ECR does not have, and push them.",
}
