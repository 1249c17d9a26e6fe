"""The commands: one module each, named after it; a folder is a group of commands.

What a command does is in the modules beside this package, which can be called without the command line.
"""

COMMANDS = {
    "demo": "Run test images, four of them broken, through the whole pipeline on this machine.",
    "doctor": "Check what this machine has of what each mode needs.",
    "evaluate": "Measure the deployed endpoint's accuracy on labelled images.",
    "report": "Write one HTML page on recent executions and captured inferences.",
    "up": "Start LocalStack, the SageMaker emulator and the three Lambdas.",
    "down": "Stop what `scones up` started.",
    "status": "Show what is running, where, and whether it is healthy.",
    "stage": "Write images and .lst files and upload them to the stack's bucket.",
    "train": "Train a model as a SageMaker training job and follow its log.",
    "rehearse": "Train, deploy, invoke, scale, update and delete, all on an endpoint of its own.",
    "deploy": "Create or update the stack.",
    "destroy": "Delete the endpoint, the stack, its objects and its logs.",
    "cost": "Compute what images cost on AWS.",
    "run": "Classify images, each in an execution of its own.",
    "show": "Show one execution, state by state.",
    "batch": "Classify a folder, a prefix or a manifest as one batch.",
    "review": "List the images in the review queue on a page, or record their labels.",
    "redrive": "Start the executions in the failure queue again.",
    "monitor": "Compare what the endpoint captured with the baseline.",
    "baseline": "Write the baseline that `scones monitor` compares with.",
}
"""The one-line help of each command, in the order of `scones --help`."""

HIDDEN = {"keep": "The reconcile loop of docker-compose.yml's service `deploy`."}

ENDPOINT = {
    "deploy": "Create or update the endpoint and wait until it is in service.",
    "status": "Show what the endpoint serves and its state.",
    "invoke": "Send one image to the endpoint, past the workflow.",
    "delete": "Delete the endpoint, its configuration, model, scaling and schedule.",
}

IMAGES = {
    "build": "Build all four container images under their local names.",
    "push": "Build the container images that ECR does not have yet, and push them.",
}
