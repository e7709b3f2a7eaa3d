"""How do spans read as OpenTelemetry's protocol (OTLP) sends them? As its protobuf message; imported where it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from penstock.telemetry.traces import SAMPLED, Place, Span, Value

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1 import trace_pb2

MEDIA: Final = "application/x-protobuf"
SCOPE: Final = "penstock"
NANOS: Final = 1_000


def message(spans: Iterable[Span], resource: Mapping[str, Value], version: str) -> bytes:
    """What a collector takes at `/v1/traces`."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

    scope = ScopeSpans(scope=InstrumentationScope(name=SCOPE, version=version), spans=[_span(each) for each in spans])
    whole = ResourceSpans(resource=Resource(attributes=_values(resource)), scope_spans=[scope])
    body: bytes = ExportTraceServiceRequest(resource_spans=[whole]).SerializeToString()
    return body


def _span(span: Span) -> trace_pb2.Span:
    from opentelemetry.proto.trace.v1 import trace_pb2

    made = trace_pb2.Span(
        trace_id=bytes.fromhex(span.trace),
        span_id=bytes.fromhex(span.id),
        parent_span_id=bytes.fromhex(span.parent),
        flags=SAMPLED,
        name=span.name,
        kind=trace_pb2.Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=span.began * NANOS,
        end_time_unix_nano=span.ended * NANOS,
        attributes=_values(span.values),
        events=[trace_pb2.Span.Event(time_unix_nano=at * NANOS, name=name) for at, name in span.moments],
        links=[_link(each) for each in span.links],
    )
    if span.failure is not None:
        made.status.code = trace_pb2.Status.STATUS_CODE_ERROR
        made.status.message = span.failure
    return made


def _link(place: Place) -> trace_pb2.Span.Link:
    from opentelemetry.proto.trace.v1 import trace_pb2

    return trace_pb2.Span.Link(trace_id=bytes.fromhex(place.trace), span_id=bytes.fromhex(place.span))


def _values(values: Mapping[str, Value]) -> list[KeyValue]:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

    def any_value(value: Value) -> AnyValue:
        match value:
            case bool():
                return AnyValue(bool_value=value)
            case int():
                return AnyValue(int_value=value)
            case float():
                return AnyValue(double_value=value)
            case str():
                return AnyValue(string_value=value)

    return [KeyValue(key=name, value=any_value(value)) for name, value in values.items()]
