"""Prints the password that AWS's own client for Python makes for a database. Arguments: host, port, user, region.

The credentials come from the environment, as in a function.
"""

import sys

import boto3

host, port, user, region = sys.argv[1:]
print(boto3.client("rds", region_name=region).generate_db_auth_token(host, int(port), user))
