"""What a text is about: a few dozen words for each of some twenty everyday subjects, and a few patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .places import REGIONS
from .words import stem

__all__ = ["SCHOOL", "TOPICS", "labels_in", "profile", "related"]

_TOPIC_WORDS: dict[str, str] = {
    "maths": """
        math maths mathematics algebra geometry calculus equation equations solve derivative integral arithmetic
        fraction percent percentage triangle circle angle polynomial matrix vector theorem prime sum product
        multiply divide subtract square root cube logarithm sine cosine tangent probability statistics quadratic
        linear factor integer numbers calculate hypotenuse perimeter radius diameter exponent graph slope proof
        trigonometry median average
    """,
    "history": """
        history historical president king queen emperor empire war revolution century ancient medieval dynasty
        battle treaty independence civilization civilisation pharaoh napoleon colony colonial monarchy constitution
        founder founded historian renaissance industrial crusade crusades roman romans rome's greek egypt egyptian
        pyramids viking vikings historians ruled reign invaded invasion civil wwi wwii wars kingdom prehistoric
        slavery parliament senate
    """,
    "geography": """
        geography geographical capital country countries continent river mountain ocean lake desert border
        population island map latitude longitude city cities sea volcano climate region highest longest largest
        located peninsula equator hemisphere flag state
    """,
    "science": """
        science scientific physics chemistry biology atom molecule cell gravity energy force planet photosynthesis
        electron evolution dna species experiment chemical element acid velocity acceleration light quantum solar
        star galaxy astronomy organism protein enzyme magnet electricity thermodynamics newton einstein fall falling
        speed motion mass object objects wave periodic mitosis
    """,
    "literature": """
        literature novel poem poetry author shakespeare metaphor chapter essay fiction character plot
        literary sonnet playwright grammar verb noun adjective spelling hamlet
    """,
    "school": """
        homework assignment school exam quiz class teacher student exercise essay worksheet lesson study textbook
        course grade tutor tutoring
    """,
    "coding": """
        code coding program programming python javascript java typescript rust function variable loop compile
        compiler bug debug algorithm api database sql regex git class recursion software developer html css
        exception stacktrace deploy docker kubernetes script array string library framework pandas async unittest
    """,
    "billing": """
        bill billing invoice charge charged payment pay paid refund refunds money card credit price subscription fee
        overcharged receipt cost account balance tax renewal debit bank
    """,
    "refund": """
        refund refunds reimburse reimbursement return returned returning money back chargeback broken damaged
        defective wrong warranty exchange
    """,
    "travel": """
        travel trip flight flights fly airline airport hotel booking book reserve reservation vacation holiday
        ticket train cruise luggage passport visa tour destination itinerary seat departure arrival plane journey
        tourist rental airbnb
    """,
    "booking": """
        book booking reserve reservation appointment schedule table room seat slot reschedule availability check-in
        tickets
    """,
    "support": """
        support technical error crash crashes broken install installation login password reset bug issue
        troubleshoot screen freeze freezing slow connect connection wifi internet router device update laptop
        computer printer phone server outage app website battery bluetooth driver
    """,
    "sales": """
        buy purchase sales pricing price quote demo product offer discount coupon upgrade enterprise license trial
        deal order catalog
    """,
    "shipping": """
        ship shipping shipment delivery deliver delivered package parcel tracking track order courier arrive late
        lost address
    """,
    "weather": """
        weather forecast temperature rain snow sunny cloudy wind storm umbrella humidity degrees celsius fahrenheit
        hot cold hurricane thunder
    """,
    "legal": """
        legal law lawyer attorney court contract sue lawsuit judge liability copyright patent trademark lease tenant
        landlord divorce custody rights regulation gdpr crime criminal
    """,
    "health": """
        health medical doctor medicine symptom symptoms pain headache fever flu cough hospital nurse disease diet
        nutrition exercise sleep allergy allergic vaccine injury therapy mental workout gym fit fitness stretch
    stretches sore muscle
        anxiety depression dentist blood pressure prescription throat sick ill
    """,
    "food": """
        food recipe cook cooking restaurant eat meal dinner lunch breakfast ingredient bake cake pizza pasta soup
        vegetarian vegan dish cuisine chef menu taste kitchen dessert bread curry salad
    """,
    "sports": """
        sport sports football soccer basketball tennis baseball hockey golf cricket rugby olympics team player coach
        match game score goal championship league tournament swimming marathon athlete
    """,
    "music": """
        music song album band guitar piano singer melody concert lyrics rhythm chord orchestra composer violin drums
        jazz rock symphony playlist beethoven mozart
    """,
    "finance": """
        finance financial invest investment stock stocks shares bond mortgage loan interest savings budget portfolio
        retirement dividend crypto bitcoin inflation tax taxes etf pension
    """,
    "jobs": """
        job jobs career resume interview salary hire hiring employee recruit recruiting manager vacation payroll
        onboarding benefits hr leave
    """,
    "movies": """movie movies film films actor actress cinema director oscar netflix series episode tv""",
    "art": """art painting paint sculpture artist museum gallery drawing sketch portrait""",
}

TOPICS: dict[str, frozenset[str]] = {
    name: frozenset(stem(word) for word in text.split()) for name, text in _TOPIC_WORDS.items()
}

SCHOOL = frozenset({"maths", "history", "geography", "science", "literature", "school"})
"""What homework is set in."""

_LABELS: dict[str, str] = {
    "maths": "math maths mathematics mathematical algebra geometry calculus arithmetic statistics equation numeric",
    "history": "history historical historian past",
    "geography": "geography geographical capitals countries",
    "science": "science scientific physics chemistry biology scientist astronomy",
    "literature": "literature english literary grammar writing books book novels poetry",
    "school": "homework school education educational academic schoolwork",
    "coding": "code coding programming program developer software engineer engineering python javascript debug",
    "billing": "billing payment payments invoice invoices bill charges accounting subscription",
    "refund": "refund refunds return returns reimbursement",
    "travel": "travel trip trips flight flights vacation airline hotel tourism",
    "booking": "booking bookings reservation reservations reserve appointment appointments scheduling",
    "support": "technical support tech troubleshooting it troubleshoot helpdesk hardware",
    "sales": "sales sale selling purchase purchasing pricing buying product products",
    "shipping": "shipping delivery deliveries orders order shipment shipments logistics tracking",
    "weather": "weather forecast meteorology meteorologist climate",
    "legal": "legal law lawyer attorney laws contracts",
    "health": "health medical doctor medicine healthcare wellness nutrition fitness",
    "food": "food cooking recipe recipes chef restaurant culinary nutrition meal meals",
    "sports": "sport sports athletics football soccer basketball tennis",
    "music": "music musical musician songs song",
    "finance": "finance financial investment investments investing stocks banking money",
    "jobs": "hr jobs career careers recruiting human-resources employment",
    "movies": "movie movies film films cinema tv",
    "art": "art arts artistic painting design",
}
_LABEL_STEMS = {name: frozenset(stem(word) for word in text.split()) for name, text in _LABELS.items()}

_RELATED: dict[tuple[str, str], float] = {
    ("geography", "history"): 0.6,
    ("literature", "history"): 0.5,
    ("art", "history"): 0.4,
    ("refund", "billing"): 0.6,
    ("billing", "refund"): 0.2,
    ("refund", "shipping"): 0.2,
    ("travel", "booking"): 0.6,
    ("booking", "travel"): 0.6,
    ("coding", "support"): 0.2,
    ("finance", "billing"): 0.3,
    ("science", "maths"): 0.2,
    ("maths", "science"): 0.2,
    ("sales", "billing"): 0.3,
    ("shipping", "support"): 0.2,
    **{(name, "school"): 0.8 for name in SCHOOL},
}

_COUNTRIES = frozenset(stem(name) for name in REGIONS if len(name) > 3 and " " not in name)
_EQUATION = re.compile(r"\d ?[a-z]? ?[-+*/×÷^=] ?\d|\b\d{0,6}[xyz] ?[-+*/^=]|[xyz]\^\d|\bfor [xyz]\b")
_YEAR = re.compile(
    r"\b(?:in|of|since|until|during|year) (?:1[0-9]|20)\d\d\b|\b\d{3,4} (?:BC|AD|BCE)\b|\b\d{1,2}th century\b"
)
_PAST = re.compile(r"\b(?:who|when|why|where) (?:was|were|did)\b", re.IGNORECASE)
_WROTE = re.compile(r"\bwho wrote\b|\bauthor of\b|\bnovel by\b", re.IGNORECASE)
_CODE = re.compile(r"```|\bdef \w+\(|\w+\(\)|[{};]\s*$|</\w+>|Traceback|==|\bimport \w+", re.MULTILINE)


def profile(text: str, text_stems: Iterable[str]) -> dict[str, float]:
    """Return how strongly each subject shows in a text; subjects that don't show are left out."""
    present = set(text_stems)
    scores = {name: float(len(present & vocabulary)) for name, vocabulary in TOPICS.items() if present & vocabulary}
    for topic, pattern, weight in (
        ("maths", _EQUATION, 2.0),
        ("history", _YEAR, 1.0),
        ("history", _PAST, 0.6),
        ("literature", _WROTE, 1.0),
        ("coding", _CODE, 2.0),
    ):
        if pattern.search(text):
            scores[topic] = scores.get(topic, 0.0) + weight
    if present & _COUNTRIES:
        scores["geography"] = scores.get("geography", 0.0) + 1.0
    return scores


def labels_in(text_stems: Iterable[str]) -> frozenset[str]:
    """Return the subjects that a description names: "specialist for historical questions" names history."""
    present = set(text_stems)
    return frozenset(name for name, stems in _LABEL_STEMS.items() if present & stems)


def related(scores: dict[str, float], topic: str) -> float:
    """Return how much a text with these subjects concerns `topic`, neighbouring subjects counted in part."""
    direct = scores.get(topic, 0.0)
    nearby = max((scores.get(a, 0.0) * weight for (a, b), weight in _RELATED.items() if b == topic), default=0.0)
    return max(direct, nearby, direct + 0.3 * nearby if direct else 0.0)
