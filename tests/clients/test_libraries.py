"""boto3's resources, localstack-client and s3fs, a table of calls each, against one local environment."""

from collections.abc import Sequence

import pytest

from tests.clients.conftest import Clients
from tests.integration.local_deployment import LocalDeployment

pytestmark = pytest.mark.clients

Calls = Sequence[tuple[str, str]]
BOTO3: Calls = [
    ("s3.create_bucket(Bucket=bucket).name", "resources"),
    ("s3.Bucket(bucket).put_object(Key='a.txt', Body=b'one').key", "a.txt"),
    ("s3.Object(bucket, 'a.txt').get()['Body'].read()", "b'one'"),
    ("s3.Object(bucket, 'a.txt').content_length", "3"),
    ("s3.Bucket(bucket).Object('up.lst').upload_file(file)", "None"),
    ("[each.key for each in s3.Bucket(bucket).objects.filter(Prefix='up')]", "up.lst"),
    ("[each.key for each in s3.Bucket(bucket).objects.all()]", "a.txt"),
    ("s3.Object(bucket, 'b.txt').copy_from(CopySource=bucket + '/a.txt')['CopyObjectResult']['ETag']", '"'),
    ("s3.Bucket(bucket).download_file('a.txt', file + '.down')", "None"),
    ("s3.ObjectSummary(bucket, 'a.txt').size", "3"),
    ("s3.Object(bucket, 'b.txt').delete()['ResponseMetadata']['HTTPStatusCode']", "204"),
    ("s3.Bucket(bucket).creation_date.year", "20"),
    ("[each.name for each in s3.buckets.all()]", "resources"),
    ("s3.Bucket(bucket).objects.all().delete()[0]['Deleted'][0]['Key']", "a.txt"),
    ("s3.Bucket(bucket).delete()['ResponseMetadata']['HTTPStatusCode']", "204"),
    ("[each.url for each in sqs.queues.all()]", "queue"),
    ("sqs.Queue(queue).attributes['QueueArn']", "arn:aws:sqs:us-east-1:000000000000:"),
    ("sqs.Queue(queue).receive_messages()", "["),
    ("cloudformation.Stack('scones').stack_status", "CREATE_COMPLETE"),
    ("[each.resource_type for each in cloudformation.Stack('scones').resource_summaries.all()]", "AWS::SQS::Queue"),
    ("iam.Role('nobody').load()", "FAILED NoSuchEntityException"),
    ("[each.name for each in cloudwatch.alarms.all()]", "scones-"),
]
LOCALSTACK_CLIENT: Calls = [
    ("session.client('s3').create_bucket(Bucket=bucket)['ResponseMetadata']['HTTPStatusCode']", "200"),
    ("session.client('s3').put_object(Bucket=bucket, Key='k', Body=b'x')['ETag']", '"'),
    ("session.resource('s3').Object(bucket, 'k').get()['Body'].read()", "b'x'"),
    ("session.client('s3').list_objects_v2(Bucket=bucket)['KeyCount']", "1"),
    ("session.client('s3').head_object(Bucket=bucket, Key='k')['ContentLength']", "1"),
    ("session.client('s3').get_bucket_location(Bucket=bucket)['ResponseMetadata']['HTTPStatusCode']", "200"),
    ("session.client('s3').delete_object(Bucket=bucket, Key='k')['ResponseMetadata']['HTTPStatusCode']", "204"),
    ("session.client('sqs').list_queues()['QueueUrls']", "queue"),
    ("session.client('sqs').get_queue_attributes(QueueUrl=queue, AttributeNames=['All'])['Attributes']", "QueueArn"),
    ("session.client('sqs').receive_message(QueueUrl=queue)['ResponseMetadata']['HTTPStatusCode']", "200"),
    ("session.client('stepfunctions').list_state_machines()['stateMachines']", "scones"),
    ("session.client('stepfunctions').describe_state_machine(stateMachineArn=machine)['status']", "ACTIVE"),
    ("session.client('stepfunctions').start_execution(stateMachineArn=machine, input='{}')['executionArn']", "arn:"),
    ("session.client('lambda').list_functions()['Functions']", "serialize"),
    ("session.client('cloudformation').describe_stacks()['Stacks'][0]['StackStatus']", "CREATE_COMPLETE"),
    ("session.client('cloudwatch').describe_alarms()['MetricAlarms'][0]['AlarmName']", "scones"),
    ("session.client('logs').describe_log_groups()['logGroups']", "/aws/"),
    ("session.client('iam').list_roles()['Roles'][0]['Arn']", "arn:aws:iam::000000000000:role/"),
    ("session.client('sts').get_caller_identity()['Account']", "000000000000"),
    ("session.client('kms').create_key()['KeyMetadata']['Enabled']", "True"),
    ("session.client('events').list_rules()['ResponseMetadata']['HTTPStatusCode']", "200"),
]
S3FS: Calls = [
    ("fs.mkdir(bucket)", "None"),
    ("fs.ls('')", "files"),
    ("fs.pipe(bucket + '/a.txt', b'one\\ntwo')", "7"),
    ("fs.cat(bucket + '/a.txt')", "one"),
    ("fs.exists(bucket + '/a.txt')", "True"),
    ("fs.exists(bucket + '/b.txt')", "False"),
    ("fs.info(bucket + '/a.txt')['size']", "7"),
    ("fs.size(bucket + '/a.txt')", "7"),
    ("fs.isfile(bucket + '/a.txt')", "True"),
    ("fs.isdir(bucket)", "True"),
    ("fs.open(bucket + '/a.txt').readline()", "b'one"),
    ("fs.head(bucket + '/a.txt', 3)", "b'one'"),
    ("fs.tail(bucket + '/a.txt', 3)", "b'two'"),
    ("fs.put(file, bucket + '/folder/c.txt')", "None"),
    ("fs.ls(bucket + '/folder')", "folder/c.txt"),
    ("fs.find(bucket)", "a.txt"),
    ("fs.glob(bucket + '/*/c.txt')", "c.txt"),
    ("fs.du(bucket)", "1"),
    ("fs.copy(bucket + '/a.txt', bucket + '/d.txt')", "None"),
    ("fs.mv(bucket + '/d.txt', bucket + '/e.txt')", "None"),
    ("fs.get(bucket + '/e.txt', file + '.got')", "None"),
    ("fs.url(bucket + '/a.txt')", "http"),
    ("fs.rm(bucket, recursive=True)", ""),
]
SERVICES = ("s3", "sqs", "cloudformation", "iam", "cloudwatch")
TABLES = {
    "resources": (f"import boto3\n{', '.join(SERVICES)} = map(boto3.resource, {SERVICES})", BOTO3),
    "localstack": ("import localstack_client.session as client\nsession = client.Session()", LOCALSTACK_CLIENT),
    "files": ("import s3fs\nfs = s3fs.S3FileSystem(use_listings_cache=False)", S3FS),
}
ROWS = [(table, number) for table, (_, calls) in TABLES.items() for number in range(len(calls))]


@pytest.fixture(scope="module")
def values(clients: Clients, deployment: LocalDeployment) -> dict[str, list[str]]:
    """What each table's calls return, evaluated in order in one process a table."""
    (clients.folder / "upload.lst").write_text("0\t1\ta.png\n")
    known = {
        "file": str(clients.folder / "upload.lst"),
        "queue": deployment.outputs.review_queue_url,
        "machine": deployment.outputs.state_machine_arn,
    }
    return {
        table: clients.evaluate(setup, known | {"bucket": f"clients-{table}"}, [call for call, _ in calls])
        for table, (setup, calls) in TABLES.items()
    }


@pytest.mark.parametrize(("table", "number"), ROWS, ids=[f"{table}: {TABLES[table][1][n][0]}" for table, n in ROWS])
def test_a_call(values: dict[str, list[str]], table: str, number: int) -> None:
    expected = TABLES[table][1][number][1]
    assert expected in values[table][number]
    assert values[table][number].startswith("FAILED") == expected.startswith("FAILED")
