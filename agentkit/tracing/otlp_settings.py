"""Where OTLP is sent and how, by OpenTelemetry's standard environment variables.

Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and, on the same site,
/docs/specs/otel/configuration/sdk-environment-variables/.
A variable for traces (`OTEL_EXPORTER_OTLP_TRACES_…`) wins over the one for everything (`OTEL_EXPORTER_OTLP_…`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from agentkit import _secrets
from agentkit.exceptions import UserError
from agentkit.tracing.otlp_attributes import Attribute

__all__ = ["OtlpSettings", "captures_content", "resource", "settings"]

_DEFAULT_ENDPOINT = "http://localhost:4318"
_DEFAULT_TIMEOUT_S = 10.0
_PATH = "/v1/traces"
_KEY_CHARS = 20
_CAPTURING = {"true": True, "1": True, "span_only": True, "span_and_event": True}
_NOT_CAPTURING = ("false", "0", "no_content", "event_only")


@dataclass(frozen=True, slots=True)
class OtlpSettings:
    """Where spans are sent, and how."""

    endpoint: str
    """Address that requests are posted to, with its path."""
    headers: dict[str, str]
    """What is sent with each request, keys among it."""
    protocol: str
    """"http/protobuf" or "http/json"."""
    timeout_s: float
    """Seconds that a request may take."""
    gzip: bool
    """Whether requests are compressed."""
    certificate: str | None
    """Path of the certificates by which the server is known; None for the usual ones."""
    client_certificate: tuple[str, str] | str | None
    """Path of the certificate to show the server, with that of its key where it is apart."""


def settings(
    endpoint: str | None,
    headers: Mapping[str, str] | None,
    protocol: str | None,
    timeout_s: float | None,
    compression: str | None,
) -> OtlpSettings:
    """Return what holds: what is given, else what the environment says, else OpenTelemetry's defaults.

    Raises:
        UserError: A value makes no sense.
    """
    _check_headers(headers)
    sent = {**_headers_of(_variable("HEADERS")), **{name.lower(): value for name, value in (headers or {}).items()}}
    _keep_secret(sent)
    return OtlpSettings(
        endpoint=_checked(endpoint or _endpoint()),
        headers=sent,
        protocol=protocol or _variable("PROTOCOL") or "http/protobuf",
        timeout_s=_timeout_s() if timeout_s is None else timeout_s,
        gzip=_compresses(compression or _variable("COMPRESSION") or "none"),
        certificate=_variable("CERTIFICATE"),
        client_certificate=_client_certificate(),
    )


def _check_headers(headers: Any) -> None:  # whatever a caller passes
    hint = 'For example headers={"authorization": "Bearer …"}.'
    if headers is not None and not isinstance(headers, Mapping):
        raise UserError(f"Headers are a dictionary, not {type(headers).__name__}.", hint=hint)
    for name, value in (headers or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise UserError(f"The header {name!r:.60} has no text: its value is {type(value).__name__}.", hint=hint)


def resource(service_name: str | None) -> dict[str, Attribute]:
    """Return what made the spans, by the names of OpenTelemetry's conventions.

    Args:
        service_name: The program's name; `OTEL_SERVICE_NAME`, or that in `OTEL_RESOURCE_ATTRIBUTES`, when None, and
            "agentkit" without any.
    """
    from importlib.metadata import version

    given = {key: unquote(value) for key, value in _pairs(os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))}
    name = service_name or os.environ.get("OTEL_SERVICE_NAME") or given.get("service.name") or "agentkit"
    return {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "agentkit",
        "telemetry.sdk.version": version("agentkit"),
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": ".".join(map(str, sys.version_info[:3])),
        **given,
        "service.name": name,
    }


def captures_content(given: bool | None) -> bool:
    """Return whether what was said is sent: as given, or as the environment says, and else it is.

    The variable is `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`.

    Raises:
        UserError: The variable has no meaning.
    """
    if given is not None:
        return given
    name = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    said = os.environ.get(name, "").strip().lower()
    if not said:
        return True
    if said not in _CAPTURING and said not in _NOT_CAPTURING:
        raise UserError(f"{name} is {said!r}.", hint='Set it to "true" or "false", or to "SPAN_ONLY" or "NO_CONTENT".')
    return said in _CAPTURING


def _variable(name: str) -> str | None:
    """Return what is set for traces, or else for everything."""
    for each in (f"OTEL_EXPORTER_OTLP_TRACES_{name}", f"OTEL_EXPORTER_OTLP_{name}"):
        if value := os.environ.get(each, "").strip():
            return value
    return None


def _endpoint() -> str:
    if whole := os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").strip():
        return whole
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip() or _DEFAULT_ENDPOINT
    return base.rstrip("/") + _PATH


def _checked(endpoint: str) -> str:
    """Return an address that can be posted to. A bare one, as of a whole server, gets the path of traces."""
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, TypeError, AttributeError):
        usable = False
    if not usable:
        raise UserError(
            f"Traces can't be sent to {_secrets.Redactor().clean(str(endpoint))!r}.",
            hint=f'An endpoint is an address such as "{_DEFAULT_ENDPOINT}{_PATH}".',
        )
    return parts._replace(path=_PATH).geturl() if parts.path in ("", "/") else endpoint


def _timeout_s() -> float:
    """Return the time limit in seconds: the variable has milliseconds."""
    said = _variable("TIMEOUT")
    if said is None:
        return _DEFAULT_TIMEOUT_S
    if not said.replace(".", "", 1).isdigit() or float(said) == 0:
        raise UserError(
            f"OTEL_EXPORTER_OTLP_TIMEOUT is {said!r}.", hint="It is a number of milliseconds, such as 10000."
        )
    return float(said) / 1000


def _compresses(said: str) -> bool:
    if said.lower() not in ("gzip", "none"):
        raise UserError(f"Traces can't be compressed by {said!r}.", hint='Use compression="gzip" or "none".')
    return said.lower() == "gzip"


def _client_certificate() -> tuple[str, str] | str | None:
    certificate, key = _variable("CLIENT_CERTIFICATE"), _variable("CLIENT_KEY")
    for path in (certificate, key, _variable("CERTIFICATE")):
        if path is not None and not Path(path).is_file():
            raise UserError(f"There is no file {path!r}, which an OTEL_EXPORTER_OTLP variable names.")
    if certificate is None:
        return None
    return certificate if key is None else (certificate, key)


def _headers_of(text: str | None) -> dict[str, str]:
    """Return the headers in `a=b,c=d`, whose values may have %-escapes."""
    return {name.lower(): unquote(value) for name, value in _pairs(text or "")}


def _pairs(text: str) -> list[tuple[str, str]]:
    found = (pair.partition("=") for pair in text.split(","))
    return [(name.strip(), value.strip()) for name, equals, value in found if equals and name.strip()]


def _keep_secret(headers: Mapping[str, str]) -> None:
    """Keep keys out of logs and traces: the values of headers that are named like one, or look like one."""
    _secrets.register_headers(headers)
    for value in headers.values():
        if len(value) >= _KEY_CHARS and any(map(str.isdigit, value)):
            _secrets.register(value.rpartition(" ")[2])
