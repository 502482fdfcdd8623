"""Invokes the lab's functions `one` and `off` by AWS's SDK for Python: boto3_invoke.py ENDPOINT invoke|exceptions."""

import base64
import json
import sys

import boto3
from botocore.exceptions import ClientError

client = boto3.client("lambda", endpoint_url=sys.argv[1])


def invoke():
    told = client.invoke(FunctionName="one", Payload=json.dumps({"do": "event"}), LogType="Tail")
    assert told["StatusCode"] == 200 and told["ExecutedVersion"] == "$LATEST", told
    assert "FunctionError" not in told, told
    assert json.loads(told["Payload"].read()) == {"do": "event"}
    assert b"REPORT RequestId: " in base64.b64decode(told["LogResult"]), told
    failing = json.dumps({"do": "fail", "type": "Function.Judge", "message": "as asked"})
    told = client.invoke(FunctionName="one", Payload=failing)
    assert told["FunctionError"] == "Unhandled", told
    assert json.loads(told["Payload"].read())["errorType"] == "Function.Judge"
    assert client.invoke(FunctionName="one", InvocationType="Event", Payload="{}")["StatusCode"] == 202
    assert client.invoke(FunctionName="one", InvocationType="DryRun", Payload="{}")["StatusCode"] == 204


def exceptions():
    def raised(exception, **arguments):
        try:
            client.invoke(**arguments)
        except exception as error:
            return error.response
        raise AssertionError(f"no {exception.__name__} by {arguments.keys()}")

    known = client.exceptions
    raised(known.ResourceNotFoundException, FunctionName="nobody")
    raised(known.InvalidRequestContentException, FunctionName="one", Payload="{no")
    # The service's own word; the SDK's model knows RequestTooLargeException, which it never sends.
    told = raised(ClientError, FunctionName="one", Payload=json.dumps("x" * (7 << 20)))
    assert told["Error"]["Code"] == "RequestEntityTooLargeException", told
    told = raised(known.TooManyRequestsException, FunctionName="off")
    assert told["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", told


{"invoke": invoke, "exceptions": exceptions}[sys.argv[2]]()
