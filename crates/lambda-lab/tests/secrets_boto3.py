"""Judges the Secrets Manager endpoint with AWS's own client for Python; prints `judged` when all held. Arguments: URL, CA bundle."""

import datetime
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL, CA = sys.argv[1:3]


def client(access_key="AKIDLAB"):
    return boto3.client(
        "secretsmanager",
        endpoint_url=URL,
        region_name="eu-central-1",
        aws_access_key_id=access_key,
        aws_secret_access_key="secret",
        verify=CA,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


def refused(error, message, call, **arguments):
    try:
        call(**arguments)
    except ClientError as refusal:
        found = refusal.response["Error"]["Code"], refusal.response["ResponseMetadata"]["HTTPStatusCode"]
        assert found == (error, 400), (found, error)
        assert message in refusal.response["Error"]["Message"], refusal
        return refusal
    raise AssertionError(f"{error} was expected")


secrets = client()
found = secrets.get_secret_value(SecretId="stadiums/database")
del found["ResponseMetadata"]
age = datetime.datetime.now(datetime.timezone.utc) - found.pop("CreatedDate")
assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=10), age
arn, version = found.pop("ARN"), found.pop("VersionId")
assert arn.startswith("arn:aws:secretsmanager:eu-central-1:123456789012:secret:stadiums/database-"), arn
assert len(arn.rsplit("-", 1)[1]) == 6 and len(version) == 36, (arn, version)
assert found == {
    "Name": "stadiums/database",
    "SecretString": '{"username":"app","password":"hunter2"}',
    "VersionStages": ["AWSCURRENT"],
}, found

for arguments in [
    {"SecretId": arn},
    {"SecretId": arn.rsplit("-", 1)[0]},
    {"SecretId": "stadiums/database", "VersionStage": "AWSCURRENT"},
    {"SecretId": "stadiums/database", "VersionId": version},
    {"SecretId": "stadiums/database", "VersionId": version, "VersionStage": "AWSCURRENT"},
]:
    assert secrets.get_secret_value(**arguments)["ARN"] == arn, arguments
assert secrets.get_secret_value(SecretId="plain")["SecretString"] == "text"

get, not_found = secrets.get_secret_value, "ResourceNotFoundException"
words = "Secrets Manager can't find the specified secret"
missing = refused(not_found, f"{words}.", get, SecretId="none")
assert isinstance(missing, secrets.exceptions.ResourceNotFoundException)
stage = f"{words} value for staging label: AWSPENDING"
refused(not_found, stage, get, SecretId="plain", VersionStage="AWSPENDING")
refused(not_found, f"{words} value for VersionId: {'0' * 36}", get, SecretId="plain", VersionId="0" * 36)
refused("UnrecognizedClientException", "invalid", client("AKIDOTHER").get_secret_value, SecretId="plain")
refused("UnknownOperationException", "GetSecretValue", secrets.list_secrets)
print("judged")
