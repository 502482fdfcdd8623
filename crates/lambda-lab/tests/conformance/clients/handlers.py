"""Handlers for AWS's runtime client for Python, awslambdaric."""

import os


def handler(event, context):
    print("said by the handler")
    if event.get("fail"):
        raise ValueError("as asked")
    return {
        "event": event,
        "request_id": context.aws_request_id,
        "function": context.function_name,
        "memory_mb": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
    }
