"""Which of Envoy's extensions can neither steer a request nor send it elsewhere. Whatever is not listed may do both."""

from __future__ import annotations

_HTTP = "envoy.extensions.filters.http."


def _types(package: str, names: str) -> frozenset[str]:
    return frozenset(f"{package}{name}" for name in names.split())


READERS = _types(
    _HTTP,
    """adaptive_concurrency.v3.AdaptiveConcurrency admission_control.v3.AdmissionControl
    bandwidth_limit.v3.BandwidthLimit buffer.v3.Buffer compressor.v3.Compressor cors.v3.Cors csrf.v3.CsrfPolicy
    decompressor.v3.Decompressor fault.v3.HTTPFault grpc_stats.v3.FilterConfig health_check.v3.HealthCheck
    rbac.v3.RBAC set_metadata.v3.Config""",
)
"""HTTP filters that answer in a server's place, delay, count, check, or pack bodies otherwise; no header that routes
go by, nor a path, do they write, whichever they look at."""

WRITERS = _types(
    _HTTP,
    """api_key_auth.v3.ApiKeyAuth basic_auth.v3.BasicAuth credential_injector.v3.CredentialInjector
    header_to_metadata.v3.Config ip_tagging.v3.IPTagging jwt_authn.v3.JwtAuthentication
    local_ratelimit.v3.LocalRateLimit stateful_session.v3.StatefulSession""",
)
"""HTTP filters that are harmless, but for the headers that they write: those are named in their configs."""

BEFORE = _types(_HTTP, "grpc_web.v3.GrpcWeb")
"""HTTP filters that change bodies: harmless in front of the router's, which reads what they have made of them."""

FILTER_STATE = f"{_HTTP}set_filter_state.v3.Config"

READERS_PER_ROUTE = _types(
    _HTTP,
    """bandwidth_limit.v3.BandwidthLimit buffer.v3.BufferPerRoute compressor.v3.CompressorPerRoute cors.v3.CorsPolicy
    csrf.v3.CsrfPolicy fault.v3.HTTPFault jwt_authn.v3.PerRouteConfig ratelimit.v3.RateLimitPerRoute
    rbac.v3.RBACPerRoute set_metadata.v3.Config""",
)
"""What a route may say to such filters without more coming of it."""

WRITERS_PER_ROUTE = _types(
    _HTTP,
    """api_key_auth.v3.ApiKeyAuthPerRoute basic_auth.v3.BasicAuthPerRoute header_to_metadata.v3.Config
    local_ratelimit.v3.LocalRateLimit stateful_session.v3.StatefulSessionPerRoute""",
)
"""Likewise, but for the headers named there."""

LOGGERS = _types(
    "envoy.extensions.access_loggers.",
    """file.v3.FileAccessLog fluentd.v3.FluentdAccessLogConfig grpc.v3.HttpGrpcAccessLogConfig
    grpc.v3.TcpGrpcAccessLogConfig open_telemetry.v3.OpenTelemetryAccessLogConfig stats.v3.Config
    stream.v3.StderrAccessLog stream.v3.StdoutAccessLog""",
)
"""Access loggers that write heads and numbers, and no bodies."""

TRACERS = _types(
    "envoy.config.trace.v3.",
    "DatadogConfig LightstepConfig OpenTelemetryConfig SkyWalkingConfig TraceServiceConfig XRayConfig ZipkinConfig",
)
"""Tracers of which the same is true."""
