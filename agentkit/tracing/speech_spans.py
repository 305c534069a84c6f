"""Spans for speech: heard and written down, and spoken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.tracing.create import Parent, make_span
from agentkit.tracing.record import Span
from agentkit.tracing.span_data import Fields, SpanData

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SpeechGroupSpanData",
    "SpeechSpanData",
    "TranscriptionSpanData",
    "speech_group_span",
    "speech_span",
    "transcription_span",
]


class TranscriptionSpanData(SpanData):
    """Speech that was written down.

    Attributes:
        input: The audio, in base64.
        input_format: Its format, such as "pcm".
        output: The text.
        model: The model's name.
        model_config: Its settings.
    """

    __slots__ = ("input", "input_format", "model", "model_config", "output")
    type = "transcription"

    def __init__(
        self,
        input: str | None = None,  # noqa: A002 (the documented name)
        input_format: str | None = "pcm",
        output: str | None = None,
        model: str | None = None,
        model_config: Mapping[str, Any] | None = None,
    ) -> None:
        self.input = input
        self.input_format = input_format
        self.output = output
        self.model = model
        self.model_config = model_config

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary."""
        return {
            "type": "transcription",
            "input": {"data": self.input or "", "format": self.input_format},
            "output": self.output,
            "model": self.model,
            "model_config": self.model_config,
        }

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        rest = {"input_format": self.input_format, "model_config": self.model_config}
        return None, self.model, None, None, self.input, self.output, rest

    def leave_out(self) -> None:
        """Forget the audio and the text."""
        self.input = self.output = None


class SpeechSpanData(SpanData):
    """Text that was spoken.

    Attributes:
        input: The text.
        output: The audio, in base64.
        output_format: Its format, such as "pcm".
        model: The model's name.
        model_config: Its settings.
        first_content_at: When the first audio came, as ISO 8601.
    """

    __slots__ = ("first_content_at", "input", "model", "model_config", "output", "output_format")
    type = "speech"

    def __init__(
        self,
        input: str | None = None,  # noqa: A002 (the documented name)
        output: str | None = None,
        output_format: str | None = "pcm",
        model: str | None = None,
        model_config: Mapping[str, Any] | None = None,
        first_content_at: str | None = None,
    ) -> None:
        self.input = input
        self.output = output
        self.output_format = output_format
        self.model = model
        self.model_config = model_config
        self.first_content_at = first_content_at

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary."""
        return {
            "type": "speech",
            "input": self.input,
            "output": {"data": self.output or "", "format": self.output_format},
            "model": self.model,
            "model_config": self.model_config,
            "first_content_at": self.first_content_at,
        }

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        rest = {
            "output_format": self.output_format,
            "model_config": self.model_config,
            "first_content_at": self.first_content_at,
        }
        return None, self.model, None, None, self.input, self.output, rest

    def leave_out(self) -> None:
        """Forget the text and the audio."""
        self.input = self.output = None


class SpeechGroupSpanData(SpanData):
    """Several pieces of speech that belong together, such as the sentences of an answer."""

    __slots__ = ("input",)
    type = "speech_group"

    def __init__(self, input: str | None = None) -> None:  # noqa: A002 (the documented name)
        self.input = input

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary."""
        return {"type": "speech_group", "input": self.input}

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        return None, None, None, None, self.input, None, None

    def leave_out(self) -> None:
        """Forget the text."""
        self.input = None


def transcription_span(
    model: str | None = None,
    input: str | None = None,  # noqa: A002 (the documented name)
    input_format: str | None = "pcm",
    output: str | None = None,
    model_config: Mapping[str, Any] | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[TranscriptionSpanData]:
    """Return a span, not yet started, for writing speech down. See `agent_span` for the last three arguments.

    Args:
        model: The model's name.
        input: The audio, in base64.
        input_format: Its format.
        output: The text.
        model_config: The model's settings.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(TranscriptionSpanData(input, input_format, output, model, model_config), span_id, parent, disabled)


def speech_span(
    model: str | None = None,
    input: str | None = None,  # noqa: A002 (the documented name)
    output: str | None = None,
    output_format: str | None = "pcm",
    model_config: Mapping[str, Any] | None = None,
    first_content_at: str | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[SpeechSpanData]:
    """Return a span, not yet started, for speaking a text. See `agent_span` for the last three arguments.

    Args:
        model: The model's name.
        input: The text.
        output: The audio, in base64.
        output_format: Its format.
        model_config: The model's settings.
        first_content_at: When the first audio came, as ISO 8601.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    data = SpeechSpanData(input, output, output_format, model, model_config, first_content_at)
    return make_span(data, span_id, parent, disabled)


def speech_group_span(
    input: str | None = None,  # noqa: A002 (the documented name)
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[SpeechGroupSpanData]:
    """Return a span, not yet started, for pieces of speech that belong together.

    Args:
        input: The whole text.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(SpeechGroupSpanData(input), span_id, parent, disabled)
