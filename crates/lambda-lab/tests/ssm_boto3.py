"""Judges the SSM endpoint with AWS's own client for Python; prints `judged` when all held. Arguments: URL, CA bundle."""

import datetime
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, SSLError

URL, CA = sys.argv[1:3]


def client(access_key="AKIDLAB", verify=CA, region="eu-central-1"):
    return boto3.client(
        "ssm",
        endpoint_url=URL,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key="secret",
        aws_session_token="token",
        verify=verify,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


def refused(error, call, **arguments):
    try:
        call(**arguments)
    except ClientError as refusal:
        found = refusal.response["Error"]["Code"], refusal.response["ResponseMetadata"]["HTTPStatusCode"]
        assert found == (error, 400), (found, error)
        return refusal
    raise AssertionError(f"{error} was expected")


ssm = client()

answer = ssm.get_parameter(Name="/stadiums/database/host")
parameter = answer["Parameter"]
modified = parameter.pop("LastModifiedDate")
age = datetime.datetime.now(datetime.timezone.utc) - modified
assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=10), modified
assert parameter == {
    "Name": "/stadiums/database/host",
    "Type": "String",
    "Value": "localhost",
    "Version": 1,
    "ARN": "arn:aws:ssm:eu-central-1:123456789012:parameter/stadiums/database/host",
    "DataType": "text",
}, parameter
assert len(answer["ResponseMetadata"]["RequestId"]) == 36

secret = ssm.get_parameter(Name="/stadiums/cache/password", WithDecryption=True)["Parameter"]
assert (secret["Type"], secret["Value"]) == ("SecureString", "hunter2"), secret
hidden = ssm.get_parameter(Name="/stadiums/cache/password")["Parameter"]
assert hidden["Type"] == "SecureString" and "hunter2" not in hidden["Value"], hidden
assert len(hidden["Value"]) > 100, hidden

selected = ssm.get_parameter(Name="/stadiums/database/host:1")["Parameter"]
assert (selected["Name"], selected["Selector"]) == ("/stadiums/database/host", ":1"), selected
refused("ParameterVersionNotFound", ssm.get_parameter, Name="/stadiums/database/host:2")
refused("ParameterVersionNotFound", ssm.get_parameter, Name="/stadiums/database/host:live")
missing = refused("ParameterNotFound", ssm.get_parameter, Name="/stadiums/none")
assert isinstance(missing, ssm.exceptions.ParameterNotFound)

names = ["/stadiums/database/port", "/stadiums/none", "/stadiums/cache/password", "/stadiums/database/host:7"]
several = ssm.get_parameters(Names=names, WithDecryption=True)
assert {p["Name"]: p["Value"] for p in several["Parameters"]} == {
    "/stadiums/database/port": "6432",
    "/stadiums/cache/password": "hunter2",
}, several
assert several["InvalidParameters"] == ["/stadiums/none", "/stadiums/database/host:7"], several
assert len(ssm.get_parameters(Names=[f"/many/{n:02}" for n in range(10)])["Parameters"]) == 10
refused("ValidationException", ssm.get_parameters, Names=[f"/many/{n:02}" for n in range(11)])

direct = ssm.get_parameters_by_path(Path="/stadiums")
assert [p["Name"] for p in direct["Parameters"]] == ["/stadiums/greeting"], direct
pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True, WithDecryption=True))
found = [p["Name"] for page in pages for p in page["Parameters"]]
assert [len(page["Parameters"]) for page in pages] == [10, 6], pages
assert found == sorted(set(found)) and len(found) == 16, found
below = ssm.get_parameters_by_path(Path="/stadiums/database/", MaxResults=1)
assert [p["Name"] for p in below["Parameters"]] == ["/stadiums/database/host"] and below["NextToken"], below
assert ssm.get_parameters_by_path(Path="/none")["Parameters"] == []
refused("InvalidNextToken", ssm.get_parameters_by_path, Path="/", NextToken="no token")
refused("ValidationException", ssm.get_parameters_by_path, Path="stadiums")
filters = [{"Key": "Type", "Values": ["String"]}]
refused("InvalidFilterKey", ssm.get_parameters_by_path, Path="/", ParameterFilters=filters)

refused("UnrecognizedClientException", client(access_key="AKIDOTHER").get_parameter, Name="/stadiums/greeting")
refused("UnknownOperationException", ssm.put_parameter, Name="/x", Value="y", Type="String")
try:
    client(verify=True).get_parameter(Name="/stadiums/greeting")
    raise AssertionError("the system's trust roots accepted the lab's certificate")
except SSLError:
    pass

print("judged")
