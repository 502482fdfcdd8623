"""Writes auth_tokens.json beside itself: tokens that AWS's own botocore makes from fixed credentials at fixed times.

Run it with `python3 make.py` where botocore is installed; the committed file came from the version that stands in it.
The credentials are the ones of AWS's documentation and open nothing.
"""

import datetime
import json
import pathlib
from unittest import mock

import botocore
import botocore.session

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
# Real session tokens are Base64 and so have the characters that must be escaped.
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJIMEYCIQ+abc/def+ghi=="

PROXY = "stadiums.proxy-c1a2b3d4e5f6.us-east-1.rds.amazonaws.com"
CLUSTER = "stadiums.cluster-c1a2b3d4e5f6.eu-central-1.rds.amazonaws.com"

CASES = [
    ("a Lambda function's credentials", PROXY, 5432, "reader", "us-east-1", SESSION_TOKEN, "2026-01-02T03:04:05"),
    ("a user's own credentials", PROXY, 5432, "reader", "us-east-1", None, "2026-01-02T03:04:05"),
    ("another port", PROXY, 6432, "reader", "us-east-1", SESSION_TOKEN, "2026-01-02T03:04:05"),
    ("the port of HTTPS, which the signed host leaves out", PROXY, 443, "reader", "us-east-1", None, "2026-01-02T03:04:05"),
    ("another region", CLUSTER, 5432, "reader", "eu-central-1", SESSION_TOKEN, "2026-01-02T03:04:05"),
    ("another time", PROXY, 5432, "reader", "us-east-1", SESSION_TOKEN, "2026-12-31T23:59:59"),
    ("the lab's host", "localhost", 35432, "stadiums_reader", "us-east-1", SESSION_TOKEN, "2026-01-02T03:04:05"),
    ("a user that must be escaped", PROXY, 5432, "a b+c/é", "us-east-1", SESSION_TOKEN, "2026-01-02T03:04:05"),
    ("a user of reserved characters", PROXY, 5432, "x=1&y=%20?#[]@!$'()*,;:~-._", "us-east-1", None, "2026-01-02T03:04:05"),
]


def token(host, port, user, region, session_token, now):
    client = botocore.session.Session().create_client(
        "rds",
        region_name=region,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        aws_session_token=session_token,
    )
    with mock.patch("botocore.auth.get_current_datetime", return_value=now):
        return client.generate_db_auth_token(host, port, user)


def vector(name, host, port, user, region, session_token, time):
    now = datetime.datetime.fromisoformat(time)
    return {
        "name": name,
        "host": host,
        "port": port,
        "user": user,
        "region": region,
        "session_token": session_token,
        "unix_seconds": int(now.replace(tzinfo=datetime.timezone.utc).timestamp()),
        "token": token(host, port, user, region, session_token, now),
    }


vectors = {
    "botocore": botocore.__version__,
    "access_key_id": ACCESS_KEY_ID,
    "secret_access_key": SECRET_ACCESS_KEY,
    "vectors": [vector(*case) for case in CASES],
}
path = pathlib.Path(__file__).with_name("auth_tokens.json")
path.write_text(json.dumps(vectors, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
