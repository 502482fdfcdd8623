"""A handler that is traced by AWS's X-Ray SDK for Python."""

from aws_xray_sdk.core import xray_recorder


def handler(event, context):
    with xray_recorder.in_subsegment("## handler") as subsegment:
        subsegment.put_annotation("ColdStart", True)
        subsegment.put_metadata("response", {"n": 1}, "stadiums")
        with xray_recorder.in_subsegment("db@host", namespace="remote") as query:
            query.set_sql({"sanitized_query": "SELECT 1", "database_type": "PostgreSQL"})
        if event.get("fail"):
            raise ValueError("as asked")
    return {"n": 1}
