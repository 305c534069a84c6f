"""Answers in words: what tools returned, what was told before, what can be worked out, and an honest rest."""

from __future__ import annotations

import re

from . import compose, extract
from .arithmetic import evaluate_text, number_text, solve_equation
from .clauses import split_request
from .conversation import Call, Conversation
from .documents import said_of
from .facts import facts_in_text, known_facts, look_up, parsed
from .languages import LANGUAGE_NAMES, language_code
from .lexicon import GENERIC, STOP
from .phrases import SPOKEN, say, translate
from .plan import Step
from .reading import Reading
from .results import joined, say_result, stopped
from .rules import Rules, sentences
from .words import fold, identifier_words, stem

__all__ = ["Writer"]

_GREETING = re.compile(
    r"^\W*(?:hello|hi|hey|hiya|greetings|good (?:morning|afternoon|evening|day)|hola|buen[oa]s(?: \w+)?|bonjour"
    r"|bonsoir|salut|hallo|guten \w+|ciao"
    r"|buongiorno|olá|ola|oi|bom dia|你好|您好|こんにちは|안녕하세요|안녕|привет|здравствуйте|مرحبا|שלום)\b"
    r"(?:[^?]*|[\s,!]*(?:(?:again|there|all|anyone|anybody|everyone|is)[\s,]*){0,3}\W*)$",
    re.IGNORECASE,
)
_HOW_ARE_YOU = re.compile(
    r"how are you|how's it going|how do you do|cómo est[áa]s?|como est[áa]s?|qué tal|comment (?:ça va|vas|allez)"
    r"|ça va|wie geht|come stai|come va"
    r"|tudo bem|como vai|你好吗|元気ですか|잘 지내|как дела|كيف حالك",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"^\W*(?:thanks?|thank you|thx|cheers|gracias|merci|danke|grazie|obrigad[oa]|谢谢|ありがとう|감사|спасибо"
    r"|شكرا)\b[^?]{0,60}$",
    re.IGNORECASE,
)
_BYE = re.compile(
    r"^\W*(?:bye|goodbye|see you|adiós|adios|au revoir|tschüss|ciao ciao|adeus|再见|пока|hasta luego)\b[^?]{0,40}$",
    re.IGNORECASE,
)
_WHO = re.compile(
    r"\bwho are you\b|\bwhat are you\b|\byour name\b|\bwhat can you do\b|\bwhich model\b|\bwhat model\b"
    r"|\bquién eres\b|\bqui es[- ]tu\b|\bqui êtes[- ]vous\b"
    r"|\bwer bist du\b|\bchi sei\b|\bquem é você\b|你是谁|\bcómo te llamas\b|\bwhat tools\b|\bintroduce yourself\b",
    re.IGNORECASE,
)
_ABOUT_ME = re.compile(
    r"\b(?:my|i|me|mi|mon|ma|mein|meine|user'?s?|user|customer'?s?|customer|their|his|her|the)\b", re.IGNORECASE
)
_ASKS = re.compile(
    r"\?|^\s*(?:what|who|where|when|how|which|tell me|remind me|do you (?:know|remember)|say)\b", re.IGNORECASE
)
_OF_ME = re.compile(r"\W*(?:my|i|i'm|call me|me llamo|mi|je|mon|ma|ich|mein|meine)\b", re.IGNORECASE)
_GREETING_ALONE = re.compile(r"\W*(?:hello|hi|hey|hola|bonjour|hallo)\W*", re.IGNORECASE)
_REPEAT = re.compile(
    r"\s*(?:please\s+)?(?:repeat|echo)(?:\s+(?:after me|this|the following))?\s*:\s*(\S.*)", re.IGNORECASE | re.DOTALL
)
_SUM_UP = re.compile(r"(?:(?:please|can you|could you)\s+)?(?:summari[sz]e|sum up)\b[^\n:]{0,60}[:\n]", re.IGNORECASE)
_MOST_SUMMED = 5
"""Lines of a text that its summary takes up."""
_SAYS_IN = re.compile(r"\b(?:translate|say|how do you say|traduce|traduis|übersetze)\b", re.IGNORECASE)


class Writer:
    """Writes the answer to one conversation.

    Args:
        conversation: What is answered.
        rules: Its instructions.
        asking: Calls that lack arguments.
    """

    def __init__(self, conversation: Conversation, rules: Rules, asking: list[Step]) -> None:
        self.conversation = conversation
        self.rules = rules
        self.asking = asking
        self.request = conversation.request
        told = rules.language
        spoken = told or self.request.language
        self.language = spoken if spoken in SPOKEN else "en"

    def answer(self) -> str:
        """Return the answer in the form that the instructions ask for; never empty."""
        text = self._formed(self._plain())
        if self.conversation.attachments and text != self._say("attachment"):
            text = f"{text}\n\n{self._say('unseen')}"
        if self.conversation.pictures:
            text = f"{text} ({'; '.join(self.conversation.pictures)})"
        return self.shaped(text)

    def _formal_request(self) -> str:
        """Return the request where it may say how the answer is to look, and nothing for a text that is handed over."""
        return "" if self.request.of("quoted") else self.request.text[:2_000]

    def _plain(self) -> str:
        if self.conversation.results:
            return self._from_results()
        translated = self._translated()
        if translated is not None:
            return translated
        if not self.request.text.strip():
            if self.conversation.documents:
                return said_of(self.request, self.conversation.documents)
            if self.conversation.attachments:
                return self._say("attachment")
            return self._ordered_text() or self._say("nothing" if not self.conversation.instructions else "hello")
        if self.asking:
            return self._question(self.asking[0])
        handed = self._repeated() or self._summed_up()
        if handed is not None:
            return handed
        found = self._small_talk() or self._known() or self._worked_out() or self._made_up() or self._noted()
        if found is None and self.conversation.documents:
            return said_of(self.request, self.conversation.documents)
        if found is None and self.conversation.attachments:
            return self._say("attachment")
        return found or self._small_answer()

    def answers_alone(self) -> bool:
        """Return whether the request is answered without looking anywhere: small talk, sums, what was told before."""
        request = self.request
        if not request.text.strip() or self.conversation.documents:
            return True
        handed = self._translated() or self._repeated() or self._summed_up()
        found = handed or self._small_talk() or self._known() or self._worked_out() or self._made_up() or self._noted()
        return found is not None

    def unfound(self, query: str) -> str:
        """Return that the files say nothing of what is asked."""
        return self._say("unfound", quote=_short(query))

    def nearest(self, filename: str) -> str:
        """Return the opening of a quotation that is near to what is asked, though it has none of its words."""
        return self._say("nearest", file=_short(filename))

    def shaped(self, text: str) -> str:
        """Return a text in the form that the instructions ask for."""
        return compose.shaped(text, f"{self.conversation.instructions}\n{self._formal_request()}") or "…"

    def _say(self, key: str, **values: str) -> str:
        return say(key, self.language, **values)

    # results

    def _from_results(self) -> str:
        results = self.conversation.results
        order = (
            compose.wanted(self.rules_reading, _number_in(results))
            if _orders_text(self.conversation.instructions)
            else None
        )
        if order is None:
            order = compose.wanted(self.request, _number_in(results)) if "that many" in self.request.lower else None
        if order is not None and order.kind in ("joke", "poem", "story", "sentences", "paragraphs", "words"):
            return compose.write(order)
        tools = {tool.name: tool for tool in self.conversation.tools}
        said = list(dict.fromkeys(say_result(call, self.language, tools.get(call.name)) for call in results[-24:]))
        if len(said) > 1 and any("\n" in line for line in said):
            text = "\n\n".join(said)
        else:
            text = " ".join(said) if len(said) < 5 else "\n".join(f"- {line}" for line in said)
        if self.asking:
            text = f"{text}\n\n{self._question(self.asking[0])}"
        made_up = self._made_up_besides(results)
        return f"{text}\n\n{made_up}" if made_up else text

    def _made_up_besides(self, results: list[Call]) -> str | None:
        """Return the joke or the poem that is asked for beside what the tools gave ("... Then tell me a joke.")."""
        named = {stem(word) for call in results for word in identifier_words(call.name)}
        for clause in split_request(self.request.text, lambda text: False, lambda text: False)[1:]:
            order = compose.wanted(clause.reading)
            if order is not None and order.kind in ("joke", "haiku", "poem", "story") and order.kind not in named:
                return compose.write(order)
        return None

    @property
    def rules_reading(self) -> Reading:
        """The instructions as a reading."""
        return self.conversation.told

    def _question(self, step: Step) -> str:
        names = [_spoken_slot(slot.schema.name, slot.schema.description) for slot in step.missing]
        key = "ask" if len(names) == 1 else "ask_many"
        return self._say(key, tool=step.tool.name, what=joined(names, self._say("and")))

    # without tools

    def _translated(self) -> str | None:
        """Return the request in the language that the agent translates into, where that is the agent's work."""
        target = self.rules.translates_to
        request = self.request
        text = request.text.strip()
        named = request.of("language")
        ordered = _SAYS_IN.search(text) is not None and bool(named)
        if target is None and ordered:
            target = language_code(named[-1].text)
        quoted = request.of("quoted")
        if quoted:
            text = quoted[0].text
        elif ordered:
            said = re.search(r"(?:translate|say)\s+(.+?)\s+(?:in|to|into)\s+\w+\W*$", text, re.IGNORECASE)
            text = said[1] if said else extract.handed_text(text)
        if target is None or not text or self.conversation.tools:
            return None
        found = translate(text, target)
        if found is not None:
            return found
        name = LANGUAGE_NAMES.get(target, (target,))[0]
        return self._say("untranslated", quote=_short(text), language=name)

    def _repeated(self) -> str | None:
        """Return the text that is to be repeated: it is said to be, or to repeat is the agent's work."""
        ordered = _REPEAT.match(self.request.text)
        if ordered is not None:
            return ordered[1].strip()
        return self.request.text.strip() if self.rules.repeats else None

    def _summed_up(self) -> str | None:
        """Return the beginnings of a text that is to be summed up: of each of its lines, or of all of it."""
        text = self.request.text.strip()
        ordered = _SUM_UP.match(text)
        if ordered is not None:
            text = text[ordered.end() :].strip()
        elif not self.rules.summarizes:
            return None
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not lines or (len(lines) == 1 and len(sentences(text)) < 2 and len(self.request.tokens) < 12):
            return None
        return " ".join(stopped(extract.first_sentence(line)) for line in lines[:_MOST_SUMMED])

    def _small_talk(self) -> str | None:
        text = self.request.text.strip()
        if len(text) > 200:
            return None
        if _THANKS.match(text):
            return self._say("thanks")
        if _BYE.match(text):
            return self._say("bye")
        ordered = self._ordered_text() if _GREETING.match(text) else None
        if ordered:
            return ordered
        if _HOW_ARE_YOU.search(text) and len(self.request.tokens) <= 12:
            return self._say("how_are_you")
        if _GREETING.match(text) and len([s for s in self.request.content_stems if s not in GENERIC]) <= 3:
            return self._say("hello")
        if _WHO.search(text) and not self._known():
            return f"{self._say('who')}{self._tools_line()}"
        return None

    def _ordered_text(self) -> str | None:
        """Return the text that the instructions order, whatever is said ("You tell one joke")."""
        if not _orders_text(self.conversation.instructions) or not re.search(
            r"\b(?:tell|write|say)\b", self.conversation.instructions, re.IGNORECASE
        ):
            return None
        order = compose.wanted(self.rules_reading)
        return (
            compose.write(order)
            if order is not None
            and order.kind in ("joke", "poem", "story")
            and re.search(r"\d|\b(?:a|an|one|two|three)\b", self.conversation.instructions)
            else None
        )

    def _known(self) -> str | None:
        """Return what the conversation has told about what is asked."""
        text = self.request.text
        if not _ASKS.search(text) or not _ABOUT_ME.search(text) or len(self.request.tokens) > 16:
            return None
        asked = frozenset(s for s in self.request.content_stems if s not in STOP) - {"rememb", "remind", "again"}
        asked |= {"age", "old"} if re.search(r"\bhow old\b", text, re.IGNORECASE) else frozenset()
        asked |= (
            {"live", "city", "home", "location", "locat"}
            if re.search(r"\bwhere (?:do|does|am|is)\b", text, re.IGNORECASE)
            else frozenset()
        )
        asked |= {"nam"} if re.search(r"\bwho am i\b|\bwhat am i called\b", text, re.IGNORECASE) else frozenset()
        if not asked or re.search(r"\byour name\b", text, re.IGNORECASE):
            return None
        fact = look_up(known_facts(self.conversation), asked)
        if fact is None or isinstance(fact.value, dict | list):
            return None
        if re.search(r"\b(?:my|i|am i|mi|mon|ma|mein|meine)\b", text, re.IGNORECASE):
            what = next(
                (w for w in re.findall(r"[\w']+", self.request.lower) if stem(w) in fact.key and len(w) > 2), ""
            )
            if re.search(r"\bhow old\b", text, re.IGNORECASE):
                return (
                    f"You are {fact.value} years old."
                    if self.language == "en"
                    else self._say("result", value=str(fact.value))
                )
            if not what or fold(what) in STOP or stem(what) in (stem("live"), stem("like")):
                return stopped(str(fact.value))
            phrase = re.search(r"\bmy ((?:[\w'-]+ ?){1,4}?)\s*(?:(?:called|named)\b|[^\w' -]|$)", text, re.IGNORECASE)
            return self._say("fact", what=phrase[1].strip() if phrase else what, value=str(fact.value).rstrip("."))
        return stopped(fact.said if len(fact.said.split()) > 3 else str(fact.value))

    def _worked_out(self) -> str | None:
        solution = solve_equation(self.request.text)
        if solution is not None and len(solution.steps) > 1:
            value = f"{solution.unknown} = {number_text(solution.value)}"
            if self.rules.form.concise or self.rules.form.one_word:
                return value
            return "\n".join([*(f"{n}. {step}" for n, step in enumerate(solution.steps, 1)), "", f"**{value}**"])
        worked_out = evaluate_text(self.request.text)
        if worked_out is None:
            return None
        expression, number = worked_out
        said = number_text(number)
        return said if self.rules.form.one_word else f"{expression} = {said}."

    def _made_up(self) -> str | None:
        order = compose.wanted(self.request)
        if order is not None:
            return compose.write(order)
        if _orders_text(self.conversation.instructions) and re.search(
            r"\b(?:write|tell|compose)\b", self.conversation.instructions, re.IGNORECASE
        ):
            ordered = compose.wanted(self.rules_reading)
            if ordered is not None and ordered.kind in ("poem", "story", "haiku", "joke", "long"):
                subject = compose.wanted(Reading(f"write a {ordered.kind} about {self.request.text.strip()[:60]}"))
                return compose.write(subject or ordered)
        return None

    def _noted(self) -> str | None:
        """Return that the request was taken in, where it only tells something of the user ("My name is Ada.")."""
        text = self.request.text.strip()
        if len(text) > 200 or "?" in text or self.rules.form.one_word:
            return None
        said = [sentence for sentence in re.split(r"(?<=[.!])\s+", text) if not _GREETING_ALONE.fullmatch(sentence)]
        told = [fact.said for fact in facts_in_text(text)]
        if not said or not all(_OF_ME.match(s) and any(fact in s for fact in told) for s in said):
            return None
        return self._say("noted", quote=text.rstrip("."))

    def _small_answer(self) -> str:
        form = self.rules.form
        asked = self.rules.form if not self._formal_request() else None
        if form.one_word or (asked is None and re.search(r"\bone[ -]word\b", self.request.lower)):
            return "Unknown."
        if form.concise or re.search(r"\b(?:concisely|briefly)\b", self.request.lower):
            return self._say("unknown_short")
        quote = _short(self.request.text)
        return f"{self._say('unknown', quote=quote)}{self._tools_line()} {self._say('real')}"

    def _tools_line(self) -> str:
        names = [f"`{tool.name}`" for tool in self.conversation.tools]
        if not names:
            return ""
        return f" {self._say('tools', tools=joined(names[:12], self._say('and')))}"

    def _formed(self, text: str) -> str:
        """Return `text` in three lines where a haiku is the rule."""
        if not self.rules.form.haiku or text.count("\n") == 2:
            return text
        if not self.conversation.results:
            nouns = [phrase.text.lower() for phrase in self.request.noun_phrases]
            return compose.haiku(nouns[-1] if nouns else "")
        return _three_lines(text)


def _three_lines(text: str) -> str:
    words = text.replace("\n", " ").split()
    if len(words) < 3:
        words = ["Hear", "the", "answer:", *words]
    total = len(words)
    first, second = max(1, round(total * 5 / 17)), max(2, round(total * 12 / 17))
    return "\n".join((" ".join(words[:first]), " ".join(words[first:second]), " ".join(words[second:])))


def _orders_text(instructions: str) -> bool:
    return (
        re.search(
            r"\bjokes?\b|\bpoems?\b|\bstor(?:y|ies)\b|\bhaikus?\b|\bessays?\b|\barticles?\b",
            instructions,
            re.IGNORECASE,
        )
        is not None
    )


def _number_in(results: list[Call]) -> int | None:
    for call in reversed(results):
        value = parsed(call.output or "")
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and (found := re.search(r"\b\d{1,4}\b", value)):
            return int(found[0])
    return None


def _spoken_slot(name: str, description: str) -> str:
    spoken = " ".join(identifier_words(name))
    if description and len(spoken) <= 2:
        return description.strip().rstrip(".")[:120]
    return f"the {spoken}"


def _short(text: str) -> str:
    one_line = " ".join(text[:400].split())
    return one_line if len(one_line) <= 120 else f"{one_line[:117].rstrip()}…"
