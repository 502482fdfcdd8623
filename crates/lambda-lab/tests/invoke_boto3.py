"""Judges the Invoke API with AWS's own client for Python, and with the AWS CLI where it is installed; prints `judged` when all
held. Argument: the lab's URL. The functions are `hello` (the probe, time-out 1 s) and `never` (always throttled)."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = sys.argv[1]
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDANY", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
os.environ.update(KEYS)
client = boto3.client("lambda", endpoint_url=URL, config=Config(retries={"total_max_attempts": 1}, proxies={}))


def probe(path):
    return json.dumps({"rawPath": path})


def refused(error, status, **arguments):
    try:
        client.invoke(**arguments)
    except ClientError as refusal:
        found = refusal.response["Error"]["Code"], refusal.response["ResponseMetadata"]["HTTPStatusCode"]
        assert found == (error, status), found
        return refusal
    raise AssertionError(f"{error} was expected")


answer = client.invoke(FunctionName="hello", Payload=probe("/event"), LogType="Tail")
assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST"), answer
assert "FunctionError" not in answer, answer
assert json.loads(json.load(answer["Payload"])["body"]) == {"rawPath": "/event"}
log = base64.b64decode(answer["LogResult"]).decode()
request_id = answer["ResponseMetadata"]["RequestId"]
assert log.startswith(f"START RequestId: {request_id} ") and f"REPORT RequestId: {request_id}\t" in log, log

context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
answer = client.invoke(FunctionName="hello", Payload=probe("/client-context"), ClientContext=context)
assert json.loads(json.load(answer["Payload"])["body"])["custom"] == {"a": "b"}

for path, words in [("/fail", "asked to fail"), ("/exit", "exit status 7"), ("/sleep/3000", "timed out after 1.00")]:
    answer = client.invoke(FunctionName="hello", Payload=probe(path))
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled"), answer
    assert words in json.load(answer["Payload"])["errorMessage"], path

arn = "arn:aws:lambda:us-east-1:123456789012:function:hello"
for name in ["hello", "hello:$LATEST", "123456789012:function:hello", arn, arn + ":$LATEST"]:
    assert client.invoke(FunctionName=name)["StatusCode"] == 200, name
assert client.invoke(FunctionName="hello", Qualifier="$LATEST")["StatusCode"] == 200
assert client.invoke(FunctionName="hello", InvocationType="DryRun")["StatusCode"] == 204
answer = client.invoke(FunctionName="hello", InvocationType="Event", Payload=probe("/pid"))
assert answer["StatusCode"] == 202 and answer["Payload"].read() == b"", answer

missing = refused("ResourceNotFoundException", 404, FunctionName="none")
assert isinstance(missing, client.exceptions.ResourceNotFoundException)
refused("ResourceNotFoundException", 404, FunctionName="hello", Qualifier="live")
throttled = refused("TooManyRequestsException", 429, FunctionName="never")
assert throttled.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", throttled.response
assert isinstance(throttled, client.exceptions.TooManyRequestsException)
broken = refused("InvalidRequestContentException", 400, FunctionName="hello", Payload="{")
assert isinstance(broken, client.exceptions.InvalidRequestContentException)
refused("RequestEntityTooLargeException", 413, FunctionName="hello", Payload='"' + "x" * 6291456 + '"')
print("boto3", boto3.__version__)

aws = shutil.which("aws")
if aws:
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        command = [aws, "lambda", "invoke", "--endpoint-url", URL, "--function-name", "hello", "--log-type", "Tail"]
        if subprocess.run([aws, "--version"], capture_output=True, text=True).stdout.startswith("aws-cli/2"):
            command += ["--cli-binary-format", "raw-in-base64-out"]
        command += ["--payload", probe("/pid"), out]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert (told["StatusCode"], told["ExecutedVersion"]) == (200, "$LATEST"), told
        assert b"REPORT RequestId" in base64.b64decode(told["LogResult"])
        with open(out) as answer:
            assert json.load(answer)["statusCode"] == 200
    print(subprocess.run([aws, "--version"], capture_output=True, text=True).stdout.split()[0])
else:
    print("skipped: no AWS CLI")
print("judged")
