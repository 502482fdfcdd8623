"""A handler that is traced by OpenTelemetry's SDK for Python and sends as AWS's layers for Lambda do: spans in base64 to the daemon."""

import base64
import os
import socket

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

HEAD = b'{"format":"json","version":1}\n'


class UdpExporter(SpanExporter):
    def export(self, spans):
        ip, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
        datagram = HEAD + b"T1S" + base64.b64encode(encode_spans(spans).SerializeToString())
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(datagram, (ip, int(port)))
        return SpanExportResult.SUCCESS


provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(UdpExporter()))
tracer = provider.get_tracer("judge")


def parent():
    fields = dict(field.split("=") for field in os.environ["_X_AMZN_TRACE_ID"].split(";"))
    _, time, random = fields["Root"].split("-")
    context = SpanContext(int(time + random, 16), int(fields["Parent"], 16), True, TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(context))


def handler(event, context):
    with tracer.start_as_current_span("## handler", parent(), attributes={"annotation.ColdStart": True}):
        with tracer.start_as_current_span("db.query", kind=SpanKind.CLIENT) as query:
            query.set_attributes({"db.system.name": "postgresql", "db.query.text": "SELECT 1"})
    return {"n": 1}
