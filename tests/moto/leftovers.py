"""What an account still has, each API listed by itself."""

import jmespath

from tests.moto.accounts import Account

LISTS: dict[str, tuple[str, str, str]] = {
    "buckets": ("s3", "list_buckets", "Buckets[].Name"),
    "repositories": ("ecr", "describe_repositories", "repositories[].repositoryName"),
    "functions": ("lambda", "list_functions", "Functions[].FunctionName"),
    "state machines": ("stepfunctions", "list_state_machines", "stateMachines[].name"),
    "queues": ("sqs", "list_queues", "QueueUrls"),
    "topics": ("sns", "list_topics", "Topics[].TopicArn"),
    "log groups": ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "roles": ("iam", "list_roles", "Roles[].RoleName"),
    "rules": ("events", "list_rules", "Rules[].Name"),
    "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    "dashboards": ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    "endpoints": ("sagemaker", "list_endpoints", "Endpoints[].EndpointName"),
    "endpoint configurations": ("sagemaker", "list_endpoint_configs", "EndpointConfigs[].EndpointConfigName"),
    "models": ("sagemaker", "list_models", "Models[].ModelName"),
    "schedules": ("scheduler", "list_schedules", "Schedules[].Name"),
}


def leftovers(account: Account) -> dict[str, list[str]]:
    """Return what is left, by kind; kinds of which nothing is left are not in it."""
    left = {
        kind: jmespath.search(path, getattr(account.client(service), operation)()) or []
        for kind, (service, operation, path) in LISTS.items()
    }
    policies = account.client("iam").list_policies(Scope="Local")["Policies"]
    targets = account.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    stacks = account.client("cloudformation").list_stacks()["StackSummaries"]
    left["policies"] = [policy["PolicyName"] for policy in policies]
    left["scalable targets"] = [target["ResourceId"] for target in targets["ScalableTargets"]]
    left["stacks"] = [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"]
    return {kind: names for kind, names in left.items() if names}
