"""Plain arithmetic and equations of the first degree, read from running text and worked out exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from .dates import DATE
from .numbers import find_numbers
from .reading import clip

__all__ = ["Solution", "evaluate_text", "number_text", "solve_equation"]

_WORDS = (
    (r"\bsquare root of\s+", " √ "),
    (r"\b(?:divided by|over)\b", "/"),
    (r"\bmultiplied by\b|\btimes\b", "*"),
    (r"\bto the power(?: of)?\b|\*\*", "^"),
    (r"\bsquared\b", "^ 2"),
    (r"\bcubed\b", "^ 3"),
    (r"\bplus\b|\badded to\b", "+"),
    (r"\bminus\b", "-"),
    (r"\b(?:percent|%)\s+of\b", " % * "),
    (r"\bpercent\b", "%"),
    (r"\bhalf of\b", "0.5 *"),
    (r"\b(?:double|twice)\b", "2 *"),
)
_JOINING = (
    (r"\b(?:sum|total) of\b|\badd\b|\bsum\b", "+"),
    (r"\bproduct of\b|\bmultiply\b", "*"),
    (r"\bdifference (?:of|between)\b", "-"),
    (r"\bquotient of\b|\bdivide\b", "/"),
)
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[-+*/^()%√]")
_EXPRESSION = re.compile(r"(?:[-(√]\s*)*\d[\d.]*(?:\s*(?:[-+*/^%()√]|\d[\d.]*)\s*)*")
_ASKS = re.compile(
    r"\b(?:what(?:'s| is| are)|how much|how many|calculate|compute|evaluate|work out|solve|add|sum|multiply|divide"
    r"|subtract|equals?|result"
    r"|product|difference|quotient|cuánto|combien|wieviel|wie viel|quanto|cuanto|double|half|square root|plus|minus"
    r"|times)\b|=\s*\??\s*$",
    re.IGNORECASE,
)
_EQUATION = re.compile(r"(?<![\w.])([-+\d.a-z* ]{1,60})=([-+\d.a-z* ]{1,60})(?![\w])")
_TERM = re.compile(r"([-+]?)\s*(\d+(?:\.\d+)?)?\s*\*?\s*([a-z])?")


@dataclass(frozen=True, slots=True)
class Solution:
    """An equation of the first degree with the way to its solution."""

    unknown: str
    value: Fraction
    steps: tuple[str, ...]


def number_text(value: Fraction | int | float) -> str:
    """Return a number as it is written: whole where it is whole, else with at most ten decimals."""
    exact = Fraction(value)
    if exact.denominator == 1:
        return str(exact.numerator) if abs(exact.numerator) < 10**300 else f"{float(10**300):.0e}"
    return f"{float(exact):.10f}".rstrip("0").rstrip(".")


def evaluate_text(text: str) -> tuple[str, Fraction] | None:
    """Return the arithmetic in `text` and its value, or None where there is none or it can't be worked out."""
    text = clip(text, 2_000)
    if "__" in text:
        return None
    text = DATE.sub(" ", text)
    spelled = _with_digits(text).lower().replace("×", "*").replace("÷", "/").replace("−", "-").replace("·", "*")
    spelled = re.sub(r"(?<=\d)\s*x\s*(?=\d)", " * ", spelled)
    subtracted = re.search(r"\bsubtract (-?\d[\d.]*) from (-?\d[\d.]*)", spelled)
    if subtracted is not None:
        spelled = f"what is {subtracted[2]} - {subtracted[1]}"
    for pattern, sign in _WORDS:
        spelled = re.sub(pattern, f" {sign} ", spelled)
    for pattern, sign in _JOINING:
        if re.search(pattern, spelled):
            joined = re.sub(r"(?<=\d)\s*(?:,|and|by|with|to)\s+(?:and\s+)?(?=-?\d)", f" {sign} ", spelled)
            spelled = re.sub(pattern, " ", joined)
            break
    candidates = [match[0].strip() for match in _EXPRESSION.finditer(spelled)]
    candidates = [c for c in candidates if re.search(r"\d\s*[-+*/^%]\s*[-(√\d]|%\s*\*|√\s*\d|\)\s*[-+*/^]", c)]
    if not candidates or not (_ASKS.search(text) or len(text.strip()) <= len(candidates[0]) + 6):
        return None
    expression = max(candidates, key=len)
    value = _Parser(_TOKEN.findall(expression)).value()
    if value is None:
        return None
    return re.sub(r"\s+", " ", re.sub(r"\s*([-+*/^])\s*", r" \1 ", expression)).replace("*", "×").strip(), value


def _with_digits(text: str) -> str:
    """Return `text` with its numbers in plain digits."""
    parts, position = [], 0
    for mention in find_numbers(text):
        said = text[mention.start : mention.end]
        if not any(c.isdigit() for c in said) or "," in said:
            parts += [text[position : mention.start], str(mention.value) + ("%" if mention.mark == "%" else "")]
            position = mention.end
    return "".join([*parts, text[position:]])


class _Parser:
    """Sums, products, powers, signs and brackets, by recursive descent over exact fractions."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens[:200]
        self.position = 0

    def value(self) -> Fraction | None:
        """Return the value, or None where the tokens aren't a whole expression."""
        try:
            result = self._sum(0)
        except (IndexError, ValueError, ZeroDivisionError, OverflowError):
            return None
        rest = self.tokens[self.position :]
        return None if rest and any(token not in ".?=)" for token in rest) else result

    def _peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def _next(self) -> str:
        self.position += 1
        return self.tokens[self.position - 1]

    def _sum(self, depth: int) -> Fraction:
        result = self._product(depth)
        while self._peek() and self._peek() in "+-":
            sign = self._next()
            term = self._product(depth)
            result = result + term if sign == "+" else result - term
        return result

    def _product(self, depth: int) -> Fraction:
        result = self._power(depth)
        while self._peek() and self._peek() in "*/%":
            sign = self._next()
            if sign == "%":
                if self._peek() and (self._peek()[0].isdigit() or self._peek() in "(√"):
                    result %= self._power(depth)
                else:
                    result /= 100
                continue
            factor = self._power(depth)
            result = result * factor if sign == "*" else result / factor
        return result

    def _power(self, depth: int) -> Fraction:
        base = self._signed(depth)
        if self._peek() == "^":
            self._next()
            exponent = self._power(depth)
            if exponent.denominator != 1 or abs(exponent) > 64 or max(abs(base.numerator), base.denominator) > 10**12:
                raise ValueError
            base = base ** int(exponent)
        return base

    def _signed(self, depth: int) -> Fraction:
        if depth > 50:
            raise ValueError
        token = self._next()
        if token == "-":
            return -self._signed(depth + 1)
        if token == "√":
            radicand = self._signed(depth + 1)
            if radicand < 0:
                raise ValueError
            return Fraction(float(radicand) ** 0.5).limit_denominator(10**9)
        if token == "(":
            inner = self._sum(depth + 1)
            if self._next() != ")":
                raise ValueError
            return inner
        return Fraction(token)


def solve_equation(text: str) -> Solution | None:
    """Return the solution of the equation of the first degree in `text` ("2x + 3 = 11"), or None."""
    lowered = clip(text, 2_000).lower().replace("−", "-").replace("·", "*").replace("×", "*")
    for match in _EQUATION.finditer(lowered):
        left_text = _last_terms(match[1])
        right_text = re.split(r"\s(?=[a-z]{2})", match[2])[0]
        left, right = _linear(left_text), _linear(right_text)
        if left is None or right is None:
            continue
        unknowns = {name for name in (left[2], right[2]) if name}
        slope, constant = left[0] - right[0], right[1] - left[1]
        if len(unknowns) != 1 or slope == 0:
            continue
        unknown = unknowns.pop()
        value = constant / slope
        steps = [f"{left_text.strip()} = {right_text.strip()}"]
        factor = "" if slope == 1 else "-" if slope == -1 else number_text(slope)
        if left[1] or right[0]:
            steps.append(f"{factor}{unknown} = {number_text(constant)}")
        if slope != 1:
            steps.append(f"{unknown} = {number_text(value)}")
        return Solution(unknown, value, tuple(steps))
    return None


def _last_terms(text: str) -> str:
    """Return the end of `text` that can be one side of an equation: "3x + 2" of "please solve 3x + 2"."""
    kept: list[str] = []
    for word in reversed(text.split()):
        if re.search(r"[a-z]{2}", word) or word in ("a", "i"):
            break
        kept.append(word)
    return " ".join(reversed(kept))


def _linear(side: str) -> tuple[Fraction, Fraction, str] | None:
    """Return slope, constant and unknown of one side of an equation, or None where it is more than that."""
    slope = constant = Fraction(0)
    unknown = ""
    rest = side.strip()
    first = True
    while rest:
        match = _TERM.match(rest)
        if match is None or not (match[2] or match[3]) or (not first and not match[1]):
            return None
        sign = -1 if match[1] == "-" else 1
        amount = sign * (Fraction(match[2]) if match[2] else Fraction(1))
        if match[3]:
            if unknown and unknown != match[3]:
                return None
            unknown = match[3]
            slope += amount
        else:
            constant += amount
        rest = rest[match.end() :].strip()
        first = False
    return None if first else (slope, constant, unknown)
