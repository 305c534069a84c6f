"""General vocabulary: function words, verbs, and small groups of words that mean about the same.

All of it is everyday language. Nothing here knows any particular tool, agent or request.
"""

from __future__ import annotations

from functools import lru_cache

from .words import stem, stem_set, word_set

__all__ = [
    "EVENT_NOUNS",
    "GENERIC",
    "GENERIC_NOUNS",
    "GROUPS",
    "NEGATIONS",
    "STARTERS",
    "STOP",
    "VERBS",
    "groups_of",
]


STOP = word_set(
    """a an the this that these those my your his her its our their me you him us them i we he she it they
    is are was were be been being am do does did have has had having will would shall should can could may
    might must
    what which who whom whose when where why how what's who's where's how's it's i'm i'd i'll i've let's that's there's
    of in on at to for from by with about into over under between through during before after above below
    off out up down
    and or but nor so yet if then than as because while until not no don't doesn't didn't isn't aren't can't won't
    please just also too very really some any each every all both few more most other such only own same
    here there now
    hello hi hey thanks thank ok okay yes sure well want need like know tell give show get let make help go
    going
    today's currently right again still ever never always per via using
    el la los las un una unos unas de del y o en que es por para con se lo al como mas pero su sus le mi tu
    te me
    le les des du et ou est dans sur pour avec au aux ce cette ces il elle nous vous je ne pas qui quel
    quelle quels
    der die das ein eine und oder ist im am auf fur mit von zu den dem wie was wer ich du wir sie es bitte
    il lo gli i uno e di da che non sono per con quale
    o os as um uma e em no na nos nas do da dos das qual
    的 在 是 吗 呢 了 和 の は が を に で と や も か 今天 今日 明天 明日 怎么样 怎么 如何
    什么 何 多少 请问 请 帮我 查一下
    告诉我 教えて ください
    です ます どう""",
)

GENERIC = stem_set("""
    get fetch find look lookup retrieve obtain return give show tell make do use run call set check read list handle
    perform execute process provide display load take compute calculate query request new current given specific
    specified certain information info data detail value result name user item thing tool function api number text
    string input output param parameter argument e.g example optional default one first second last today now
    current latest available based string following about like many much long day want would help question answer
    agent assistant specialist expert helper bot tutor please problem topic related anything message
    customer client general support appropriate various good best nice what's kind type way say saying ask asking
    two three four five six seven eight nine ten between both
""")
"""Stems that say little about what a tool is for."""

GENERIC_NOUNS = stem_set("user customer client message number text name list item data info information question")
"""Those that do say it where a tool's name has nothing else: `find_customer`."""

NEGATIONS = word_set(
    "not no never without don't doesn't didn't isn't aren't won't can't cannot neither nor n't sin sans nicht kein ohne"
)

VERBS = stem_set("""
    go come be do have make take get give tell say ask use find show know think see look want need try leave put
    mean keep let begin start help talk turn run move live believe hold bring happen write provide sit stand lose
    pay meet include continue set learn change lead understand watch follow stop create speak read allow add spend
    grow open walk win offer remember consider appear buy wait serve die send expect build stay fall cut reach kill
    remain suggest raise pass sell require report decide pull book schedule plan arrange organize organise cancel
    remind invite attend join order search translate convert calculate compute multiply divide subtract summarize
    summarise extract classify transfer email call text reserve rent fly travel visit drive check verify confirm
    update delete remove list print play sing draw solve explain describe compare choose pick save store upload
    download share post publish register sign log refund return ship deliver track fix repair install discuss
    celebrate host hold eat drink cook love hate like enjoy work study teach please figure sum total count sort
    filter fetch lookup retrieve get getting going is are arrive depart launch happen takes happening planned held
    review increase decrease double halve round rate rank generate produce output return respond reply answer set
    enable disable activate deactivate close lock unlock dim switch notify alert warn block allow assign mark
    complete finish rename move copy import export
""")

STARTERS = word_set(
    """add adds also although another anyone anything are arrange as ask at avoid because before begin being
    book both bring
    build but buy by calculate call can cancel change check choose clear close come compare compute consider
    contact
    convert copy could count create deal dear define delete describe design did dinner do does double draw
    each edit
    email emails ensure even event every everyone everything explain extract fetch figure file finally find
    finish first
    fix flight flights follow for forecast forward from generate get give go good great greetings had handle
    has have hello
    help her here hey hi his hola hotel how however i if imagine in inform insert install introduce invite
    invoice is it
    its join just keep last later let list load log look lunch mail main make many mark maybe meet meeting
    message more most
    move much multiply my need next nice no none not note nothing now of off on once one only open or order
    other our out
    over pay perhaps please plan play post prepare price print process provide pull put quick quote raise read
    reading record refund register remind remove rename reply report request reserve restart return review
    rewrite run
    save say schedule search see select sell send set she ship should show sign simplify since so solve some
    someone
    something sort speak start stop store subject subtract suggest sum summarise summarize sure switch table
    take talk
    tell temperature test text thank thanks that the their them then there these they this those through
    ticket time
    title to today tomorrow tonight total track transfer translate trip try turn type under unfortunately
    until update
    upload use very visit wait was watch we weather welcome well were what what's whats when where whether which while
    who     whom whose why will with without word would write yes yesterday yet you your
    invoice buenos buenas bonjour salut hallo guten ciao ola quiero necesito dime cual cuanto cuando donde
    por para
    quel quelle quels combien comment pourquoi ou quand je puis peux peut pouvez peux-tu wie was wann wo
    warum kannst
    konnen bitte come quanto dove quando perche puoi vorrei quanto qual onde posso pode envie envia busca
    traduce
    traduis recherche trouve envoie suche finde sende merci gracias danke grazie obrigado""",
)
"""Words that often open a sentence, in upper case without being names."""

EVENT_NOUNS = stem_set("""
    meeting fair party lunch dinner breakfast brunch call conference workshop concert appointment birthday wedding
    review standup interview trip class lecture exam festival exhibition webinar game match show kickoff demo
    session event visit ceremony hike picnic reunion retreat launch sprint seminar training barbecue bbq drinks
    coffee anniversary festival parade rehearsal recital tournament race marathon talk keynote hackathon meetup
    vacation holiday deadline checkup sync retrospective offsite graduation celebration gala auction tour gathering
    summit reunion fiesta cena almuerzo boda reunión concierto feria fête mariage dîner déjeuner réunion treffen
    hochzeit
""")

_GROUP_WORDS: dict[str, str] = {
    "add": "add sum plus total addition together summe suma sumar somme additionner addiere addieren",
    "subtract": "subtract minus difference less deduct subtraction restar resta soustraire",
    "multiply": "multiply times product multiplication multiplied multiplicar multiplica multiplier multiplie "
    "multipliziere",
    "divide": "divide quotient ratio division divided dividir divide diviser",
    "power": "power exponent exponentiate raised squared square cubed pow exponential",
    "root": "root sqrt radical",
    "average": "average mean avg median promedio moyenne",
    "calculate": "calculate compute calculator arithmetic evaluate math expression calcul calcular",
    "weather": "weather forecast temperature rain raining rainy sunny umbrella snow snowing cold hot warm wind windy "
    "climate degree humid humidity storm cloudy cloud meteo météo tiempo clima pronostico wetter tempo temps "
    "lloviendo "
    "llueve pleut regnet sunshine 天气 天気 날씨 погода погоду الطقس",
    "search": "搜索 検索 查找 search find lookup look query browse google seek buscar busca chercher recherche "
    "suche suchen cercare",
    "document": "document doc documentation file knowledge article page wiki wikipedia manual faq",
    "web": "web internet online website",
    "mail": "mail email e-mail correo courriel inbox",
    "send": "send mail email forward deliver notify dispatch enviar envia envoyer envoie sende senden schicke",
    "message": "message text sms dm chat slack note notify",
    "translate": "翻译 翻訳 translate translation traducir traduce traduire traduis übersetze traduzir tradurre",
    "say": "say speak utter pronounce",
    "schedule": "schedule appointment calendar meeting event agenda plan reservation slot arrange organize organise "
    "invite",
    "remind": "remind reminder alarm alert timer notify",
    "book": "book reserve reservation booking reservar réserver buchen",
    "travel": "flight fly travel trip airline ticket airport plane vol vuelo flug journey voyage",
    "hotel": "hotel room accommodation stay lodging hostel suite motel",
    "table": "restaurant table dine dining dinner",
    "refund": "refund reimburse reimbursement chargeback moneyback reembolso remboursement",
    "bill": "bill invoice charge payment pay price cost fee subscription receipt factura facture",
    "cancel": "cancel cancellation abort terminate unsubscribe stop void",
    "order": "order purchase buy checkout cart basket acquire commande pedido",
    "track": "track status shipment parcel package delivery deliver shipping shipped arrive whereabout",
    "delete": "delete remove erase discard drop destroy clear",
    "create": "create make new generate register add insert write",
    "update": "update change modify edit alter adjust revise set rename correct",
    "convert": "convert exchange conversion change transform",
    "currency": "currency money exchange dollar euro yen pound forex usd eur gbp jpy",
    "stock": "stock share ticker equity quote market price",
    "price": "price cost much expensive worth fee",
    "news": "news headline article headlines noticia actualite",
    "time": "时间 時間 time clock hour timezone hora heure uhr",
    "date": "date day calendar today",
    "person": "person contact employee customer client user member colleague",
    "age": "age old born birthday",
    "account": "account profile balance",
    "light": "light lamp bulb lighting bright brightness",
    "temperature": "temperature thermostat heat heating celsius fahrenheit degree warm cool",
    "music": "music song play track album artist playlist tune",
    "joke": "笑话 joke funny humor humour laugh pun",
    "story": "story tale novel fiction",
    "poem": "poem poetry haiku verse rhyme",
    "image": "image picture photo draw drawing illustration painting",
    "summarize": "summarize summary summarise tldr condense shorten recap resumen résumé zusammenfassung",
    "code": "code program script python javascript function programming snippet",
    "run": "run execute launch",
    "random": "random dice roll flip coin pick",
    "distance": "distance far route directions kilometer mile navigate km",
    "location": "location place city town where address located",
    "recipe": "recipe cook cooking meal dish ingredient bake",
    "movie": "movie film cinema",
    "escalate": "escalate human manager supervisor complaint complain representative",
    "technical": "technical crash bug error broken install freeze login password outage wifi router",
    "seat": "seat row window aisle",
    "baggage": "baggage bag luggage suitcase",
    "population": "population inhabitant people live",
    "define": "define definition meaning mean dictionary",
    "count": "count many number tally",
    "length": "length long",
    "save": "save store remember note record write",
    "read": "read open view content",
    "list": "list all enumerate",
    "transfer": "transfer send wire move pay",
    "sales": "sale sell buy purchase product pricing demo upgrade",
}

GROUPS: dict[str, frozenset[str]] = {
    name: frozenset(stem(word) for word in text.split()) for name, text in _GROUP_WORDS.items()
}

_OF: dict[str, frozenset[str]] = {}
for _name, _members in GROUPS.items():
    for _member in _members:
        _OF[_member] = _OF.get(_member, frozenset()) | {_name}


@lru_cache(maxsize=4096)
def groups_of(stemmed: str) -> frozenset[str]:
    """Return the names of the groups of near-synonyms that a stem belongs to."""
    return _OF.get(stemmed, frozenset())
