"""Reads an OTLP JSON file by OpenTelemetry's own code and prints its spans as JSON.

Twice: by its JSON classes, which know that ids are hexadecimal, and by the protocol's binary classes, which refuse unknown keys
and wrong types. Both must tell the same.
"""

import base64
import json
import sys

from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest as Binary
from opentelemetry.proto_json.collector.trace.v1.trace_service import ExportTraceServiceRequest as Json


def with_base64_ids(value):
    """protobuf's own JSON has bytes in base64; OTLP's exception are the ids."""
    if isinstance(value, dict):
        ids = {"traceId", "spanId", "parentSpanId"}
        return {
            key: base64.b64encode(bytes.fromhex(inner)).decode() if key in ids else with_base64_ids(inner)
            for key, inner in value.items()
        }
    return [with_base64_ids(inner) for inner in value] if isinstance(value, list) else value


def spans(request):
    for resource in request.resource_spans:
        service = {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield {
                    "service": service,
                    "trace": span.trace_id.hex(),
                    "span": span.span_id.hex(),
                    "parent": (span.parent_span_id or b"").hex(),
                    "name": span.name,
                    "kind": int(span.kind),
                    "start": span.start_time_unix_nano,
                    "end": span.end_time_unix_nano,
                    "failed": bool(span.status and span.status.code == 2),
                    "attributes": sorted(a.key for a in span.attributes),
                }


text = open(sys.argv[1], encoding="utf-8").read()
read = list(spans(Json.from_json(text)))
strict = list(spans(Parse(json.dumps(with_base64_ids(json.loads(text))), Binary())))
assert read == strict, "OpenTelemetry's two readers differ"
json.dump(read, sys.stdout)
