"""Writes tokens.json beside itself: tokens that AWS's own botocore signs, good ones and ones signed for something else.

Run it with `python3 tokens.py` where botocore is installed; the committed file came from the version that stands in it.
The credentials are the ones of AWS's documentation and open nothing.
"""

import datetime
import json
import pathlib
from unittest import mock

import botocore
import botocore.session

KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
# Real session tokens are Base64 and so have the characters that must be escaped.
SESSION = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJIMEYCIQ+abc/def+ghi=="
TIME = datetime.datetime(2026, 1, 2, 3, 4, 5)


def client(key=KEY, secret=SECRET, session=SESSION, region="us-east-1"):
    return botocore.session.Session().create_client(
        "rds", region_name=region, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=session
    )


def at(time, sign):
    with mock.patch("botocore.auth.get_current_datetime", return_value=time):
        return sign()


def token(host="localhost", port=35432, user="app", time=TIME, **credentials):
    """As a function makes it."""
    return at(time, lambda: client(**credentials).generate_db_auth_token(host, port, user))


def presigned(action="connect", expires=900, service="rds-db"):
    """As botocore's generate_db_auth_token makes it, but with what that leaves no choice of."""
    request = {
        "url_path": "/",
        "query_string": "",
        "headers": {},
        "body": {"Action": action, "DBUser": "app"},
        "method": "GET",
        "url": "https://localhost:35432/",
        "context": {},
    }
    rds = client()
    sign = lambda: rds._request_signer.generate_presigned_url(
        operation_name=action, request_dict=request, region_name="us-east-1", expires_in=expires, signing_name=service
    )
    return at(TIME, sign).removeprefix("https://")


tokens = {
    "good": token(),
    "for a proxy on AWS": token(host="stadiums.proxy-c1a2b3d4e5f6.us-east-1.rds.amazonaws.com"),
    "for another port": token(port=5432),
    "for the port of HTTPS, which the signed host leaves out": token(port=443),
    "for another user": token(user="postgres"),
    "for a user that must be escaped": token(user="a b+c/é"),
    "for a user of reserved characters": token(user="x=1&y=%20?#[]@!$'()*,;:~-._"),
    "for another region": token(region="eu-central-1"),
    "by another access key": token(key="AKIAI44QH8DHBEXAMPLE"),
    "with another secret": token(secret="je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"),
    "with another session token": token(session="IQoJb3JpZ2luX2VjOTHER"),
    "without a session token": token(session=None),
    "for another action": presigned(action="describe"),
    "for another service": presigned(service="rds"),
    "for one minute": presigned(expires=60),
    "for a second too long": presigned(expires=901),
}

made = {
    "botocore": botocore.__version__,
    "access_key_id": KEY,
    "secret_access_key": SECRET,
    "session_token": SESSION,
    "unix_seconds": int(TIME.replace(tzinfo=datetime.timezone.utc).timestamp()),
    "tokens": tokens,
}
path = pathlib.Path(__file__).with_name("tokens.json")
path.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
