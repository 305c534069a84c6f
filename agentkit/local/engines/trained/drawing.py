"""Which token comes next: the most likely one, or one that is drawn, among those that are allowed."""

from __future__ import annotations

from typing import Any

import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

__all__ = ["Drawing"]


class Drawing:
    """Chooses tokens as a request says, or else as the model's own `GenerationConfig` does.

    Args:
        defaults: That configuration.
        temperature: The request's, or None.
        top_p: The request's, or None.
        seed: The request's, or None.
        device: Where the logits are.
    """

    def __init__(
        self, defaults: Any, *, temperature: float | None, top_p: float | None, seed: int | None, device: Any
    ) -> None:
        draws = bool(defaults.do_sample)
        if temperature is None:
            temperature = (defaults.temperature or 1.0) if draws else 1.0 if top_p is not None else 0.0
        if top_p is None and draws:
            top_p = defaults.top_p
        self._greedy = temperature == 0 or top_p == 0
        self._before = LogitsProcessorList()
        if defaults.repetition_penalty not in (None, 1.0):
            self._before.append(RepetitionPenaltyLogitsProcessor(defaults.repetition_penalty))
        self._warpers = LogitsProcessorList()
        self._random = torch.Generator(device=device)
        if self._greedy:
            return
        if temperature != 1.0:
            self._warpers.append(TemperatureLogitsWarper(float(temperature)))
        if draws and defaults.top_k:
            self._warpers.append(TopKLogitsWarper(defaults.top_k))
        if top_p is not None and top_p < 1.0:
            self._warpers.append(TopPLogitsWarper(float(top_p)))
        if draws and defaults.min_p:
            self._warpers.append(MinPLogitsWarper(defaults.min_p))
        if seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(seed % 2**63)

    def next(self, logits: Any, tokens: list[int], mask: bytes | None) -> int:
        """Return the next token.

        Args:
            logits: Of all tokens, shape (width,).
            tokens: All tokens before it.
            mask: A byte for each token, 0 where it is not allowed; None where all are.
        """
        scores = logits.float().unsqueeze(0)
        before = torch.tensor([tokens], device=scores.device) if self._before else None
        if self._before:
            scores = self._before(before, scores)
        if mask is not None:
            allowed = torch.frombuffer(bytearray(mask), dtype=torch.uint8)[: scores.shape[1]].to(scores.device) != 0
            scores[:, : len(allowed)].masked_fill_(~allowed, -torch.inf)
            scores[:, len(allowed) :] = -torch.inf
        if self._greedy:
            return int(scores.argmax())
        probabilities = torch.softmax(self._warpers(before, scores), dim=-1)
        return int(torch.multinomial(probabilities[0], 1, generator=self._random))
