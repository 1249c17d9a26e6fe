"""The commands: one module each, named after it; a folder is a group of commands.

The modules of `scones/` do the work; they can be called without the command line.
"""

COMMANDS = {
    "demo": "Run held-out images, five of neither class and four invalid ones through the whole pipeline, locally.",
    "doctor": "Check whether this machine has what each mode needs.",
    "evaluate": "Measure the deployed endpoint's accuracy on labelled images.",
    "report": "Write an HTML report on recent executions and captured inferences.",
    "up": "Start the local environment: LocalStack, the SageMaker emulator, three Lambda functions.",
    "down": "Stop the local environment.",
    "status": "Show the local environment's components, their URLs and whether they are healthy.",
    "env": "Print the environment variables with which other AWS clients use the local environment.",
    "stage": "Convert a dataset to PNG and .lst files and upload them to the stack's bucket.",
    "train": "Train a model as a SageMaker training job and follow its log.",
    "rehearse": "Run the whole lifecycle of a model on a temporary endpoint.",
    "bootstrap": "Create the bootstrap stack: artifact bucket, ECR repositories, optional GitHub role.",
    "deploy": "Create or update the stack.",
    "rollback": "Return the stack to its template, images and parameters before the last change.",
    "destroy": "Delete the endpoint, the stack, its objects and its logs.",
    "cost": "Estimate the cost of classifying images on AWS.",
    "run": "Classify images, each in its own execution.",
    "show": "Show the history of one execution.",
    "batch": "Classify many images in one execution: a folder, a prefix or a manifest.",
    "review": "Write or serve a page with the images in the review queue, or record labels.",
    "redrive": "Restart the executions of the images in the failure queue.",
    "monitor": "Compare captured inferences with the baseline.",
    "baseline": "Create the baseline that `scones monitor` compares with.",
}
"""The one-line help of each command, in the order of `scones --help`."""

HIDDEN = {"keep": "Keep the stack deployed; docker-compose.yml runs this as its service `deploy`."}

ENDPOINT = {
    "deploy": "Create or update the endpoint and wait until it is in service.",
    "status": "Show the endpoint's status, model and configuration.",
    "invoke": "Invoke the endpoint with one image, without the workflow.",
    "delete": "Delete the endpoint, its configuration, model, scaling and schedule.",
}

IMAGES = {
    "build": "Build the four container images.",
    "push": "Build the container images that are missing in ECR, and push them.",
}
