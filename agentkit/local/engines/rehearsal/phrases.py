"""What rehearsal-1 says of itself, in the languages that it can say it in."""

from __future__ import annotations

import re

__all__ = ["PHRASEBOOK", "SPOKEN", "say", "translate"]

_LINES: dict[str, dict[str, str]] = {
    "en": {
        "hello": "Hello! How can I help you?",
        "how_are_you": "Hello! I'm fine, thank you for asking. How can I help you?",
        "thanks": "You're welcome!",
        "bye": "Goodbye!",
        "who": "I am rehearsal-1, an offline rehearsal model: I read instructions, tools and schemas and do "
        "the obvious with them, "
        "but I have no knowledge of my own.",
        "unknown": "I am rehearsal-1, an offline rehearsal model with no knowledge of my own, so I can't "
        "really answer “{quote}”.",
        "unknown_short": "I can't answer that: I'm an offline rehearsal model.",
        "tools": "I can use these tools: {tools}.",
        "real": "A real model would answer here.",
        "ask": "To use `{tool}` I need one more thing: {what}?",
        "ask_many": "To use `{tool}` I need a little more: {what}?",
        "nothing": "You sent no text. What would you like to ask?",
        "attachment": "I can't look at images, sounds or files; please tell me in words what you need.",
        "unseen": "I can't look at the images, sounds or files that came with it.",
        "noted": "Noted: “{quote}”.",
        "result": "The result is {value}.",
        "returned": "`{tool}` returned: {value}",
        "of": "The {what} is {value}.",
        "of_for": "The {what} for {subject} is {value}.",
        "of_in": "The {what} in {subject} is {value}.",
        "empty": "`{tool}` returned nothing.",
        "done": "Done: `{tool}` has run.",
        "done_value": "Done: `{tool}` says “{value}”.",
        "failed": "`{tool}` failed: {value}",
        "fact": "Your {what} is {value}.",
        "untranslated": "I have no dictionary, only a few phrases, so I can't translate “{quote}” into {language}.",
        "fields": "{what}: {value}.",
        "and": "and",
        "unfound": "I searched the files for “{quote}” and found nothing that answers it.",
        "nearest": "The nearest passage, in `{file}`, says:",
    },
    "es": {
        "hello": "¡Hola! ¿En qué puedo ayudarte?",
        "how_are_you": "¡Hola! Estoy bien, gracias por preguntar. ¿En qué puedo ayudarte?",
        "thanks": "¡De nada!",
        "bye": "¡Adiós!",
        "who": "Soy rehearsal-1, un modelo de ensayo sin conexión: leo instrucciones, herramientas y "
        "esquemas y hago lo obvio, pero no "
        "tengo conocimientos propios.",
        "unknown": "Soy rehearsal-1, un modelo de ensayo sin conexión y sin conocimientos propios, así que "
        "no puedo responder de verdad a "
        "«{quote}».",
        "unknown_short": "No puedo responder a eso: soy un modelo de ensayo.",
        "tools": "Puedo usar estas herramientas: {tools}.",
        "real": "Un modelo real respondería aquí.",
        "ask": "Para usar `{tool}` me falta un dato: ¿{what}?",
        "ask_many": "Para usar `{tool}` me faltan datos: ¿{what}?",
        "nothing": "No has enviado texto. ¿Qué quieres preguntar?",
        "attachment": "No puedo ver imágenes, sonidos ni archivos; dime con palabras qué necesitas.",
        "unseen": "No puedo ver las imágenes, los sonidos ni los archivos adjuntos.",
        "noted": "Anotado: «{quote}».",
        "result": "El resultado es {value}.",
        "returned": "`{tool}` ha devuelto: {value}",
        "of": "El resultado es {value}.",
        "of_for": "Para {subject}: {value}.",
        "of_in": "Para {subject}: {value}.",
        "empty": "`{tool}` no ha devuelto nada.",
        "done": "Hecho: `{tool}` se ha ejecutado.",
        "done_value": "Hecho: `{tool}` dice «{value}».",
        "failed": "`{tool}` ha fallado: {value}",
        "fact": "Tu {what} es {value}.",
        "untranslated": "No tengo diccionario, solo unas frases, así que no puedo traducir «{quote}» ({language}).",
        "fields": "{what}: {value}.",
        "and": "y",
        "unfound": "He buscado «{quote}» en los archivos y no he encontrado nada que lo responda.",
        "nearest": "El pasaje más cercano, en `{file}`, dice:",
    },
    "fr": {
        "hello": "Bonjour ! Comment puis-je vous aider ?",
        "how_are_you": "Bonjour ! Je vais bien, merci. Comment puis-je vous aider ?",
        "thanks": "Je vous en prie !",
        "bye": "Au revoir !",
        "who": "Je suis rehearsal-1, un modèle de répétition hors ligne : je lis instructions, outils et "
        "schémas et fais ce qui va de soi, "
        "mais je ne sais rien par moi-même.",
        "unknown": "Je suis rehearsal-1, un modèle de répétition hors ligne et sans savoir propre ; je ne "
        "peux donc pas vraiment répondre à "
        "« {quote} ».",
        "unknown_short": "Je ne peux pas répondre : je suis un modèle de répétition.",
        "tools": "Je peux utiliser ces outils : {tools}.",
        "real": "Un vrai modèle répondrait ici.",
        "ask": "Pour utiliser `{tool}`, il me manque une chose : {what} ?",
        "ask_many": "Pour utiliser `{tool}`, il me manque : {what} ?",
        "nothing": "Vous n'avez rien écrit. Que voulez-vous demander ?",
        "attachment": "Je ne peux pas voir les images, les sons ou les fichiers ; dites-moi ce qu'il vous faut.",
        "unseen": "Je ne peux pas voir les images, les sons ou les fichiers joints.",
        "noted": "C'est noté : « {quote} ».",
        "result": "Le résultat est {value}.",
        "returned": "`{tool}` a renvoyé : {value}",
        "of": "Le résultat est {value}.",
        "of_for": "Pour {subject} : {value}.",
        "of_in": "Pour {subject} : {value}.",
        "empty": "`{tool}` n'a rien renvoyé.",
        "done": "C'est fait : `{tool}` a été exécuté.",
        "done_value": "C'est fait : `{tool}` dit « {value} ».",
        "failed": "`{tool}` a échoué : {value}",
        "fact": "Votre {what} : {value}.",
        "untranslated": "Je n'ai pas de dictionnaire, seulement quelques phrases ; je ne peux pas traduire "
        "« {quote} » ({language}).",
        "fields": "{what} : {value}.",
        "and": "et",
        "unfound": "J'ai cherché « {quote} » dans les fichiers et n'ai rien trouvé qui y réponde.",
        "nearest": "Le passage le plus proche, dans `{file}`, dit :",
    },
    "de": {
        "hello": "Hallo! Wie kann ich helfen?",
        "how_are_you": "Hallo! Mir geht es gut, danke der Nachfrage. Wie kann ich helfen?",
        "thanks": "Gern geschehen!",
        "bye": "Auf Wiedersehen!",
        "who": "Ich bin rehearsal-1, ein Probenmodell ohne Netz: Ich lese Anweisungen, Werkzeuge und "
        "Schemata und tue das "
        "Naheliegende, weiß aber selbst nichts.",
        "unknown": "Ich bin rehearsal-1, ein Probenmodell ohne Netz und ohne eigenes Wissen, und kann "
        "„{quote}“ nicht wirklich beantworten.",
        "unknown_short": "Das kann ich nicht beantworten: Ich bin nur ein Probenmodell.",
        "tools": "Ich kann diese Werkzeuge benutzen: {tools}.",
        "real": "Ein echtes Modell würde hier antworten.",
        "ask": "Für `{tool}` fehlt mir noch etwas: {what}?",
        "ask_many": "Für `{tool}` fehlt mir noch: {what}?",
        "nothing": "Es kam kein Text an. Was möchten Sie fragen?",
        "attachment": "Bilder, Töne und Dateien kann ich nicht ansehen; bitte sagen Sie in Worten, was Sie brauchen.",
        "unseen": "Die beigefügten Bilder, Töne und Dateien kann ich nicht ansehen.",
        "noted": "Notiert: „{quote}“.",
        "result": "Das Ergebnis ist {value}.",
        "returned": "`{tool}` hat geliefert: {value}",
        "of": "Das Ergebnis ist {value}.",
        "of_for": "Für {subject}: {value}.",
        "of_in": "Für {subject}: {value}.",
        "empty": "`{tool}` hat nichts geliefert.",
        "done": "Erledigt: `{tool}` ist gelaufen.",
        "done_value": "Erledigt: `{tool}` sagt „{value}“.",
        "failed": "`{tool}` ist gescheitert: {value}",
        "fact": "Ihr {what}: {value}.",
        "untranslated": "Ich habe kein Wörterbuch, nur einige Wendungen, und kann „{quote}“ nicht "
        "übersetzen ({language}).",
        "fields": "{what}: {value}.",
        "and": "und",
        "unfound": "Ich habe die Dateien nach „{quote}“ durchsucht und nichts gefunden, was das beantwortet.",
        "nearest": "Die nächstliegende Stelle, in `{file}`, sagt:",
    },
    "it": {
        "hello": "Ciao! Come posso aiutarti?",
        "how_are_you": "Ciao! Sto bene, grazie. Come posso aiutarti?",
        "thanks": "Prego!",
        "bye": "Arrivederci!",
        "who": "Sono rehearsal-1, un modello di prova senza rete: leggo istruzioni, strumenti e schemi, ma "
        "non so nulla da me.",
        "unknown": "Sono rehearsal-1, un modello di prova senza rete e senza conoscenze proprie: non posso "
        "davvero rispondere a «{quote}».",
        "tools": "Posso usare questi strumenti: {tools}.",
        "real": "Qui risponderebbe un modello vero.",
        "result": "Il risultato è {value}.",
        "of": "Il risultato è {value}.",
        "of_for": "Per {subject}: {value}.",
        "of_in": "Per {subject}: {value}.",
        "returned": "`{tool}` ha restituito: {value}",
        "failed": "`{tool}` non è riuscito: {value}",
        "ask": "Per usare `{tool}` mi serve ancora: {what}?",
        "ask_many": "Per usare `{tool}` mi servono ancora: {what}?",
        "and": "e",
        "unfound": "Ho cercato «{quote}» nei file e non ho trovato nulla che risponda.",
        "nearest": "Il passaggio più vicino, in `{file}`, dice:",
    },
    "pt": {
        "hello": "Olá! Como posso ajudar?",
        "how_are_you": "Olá! Estou bem, obrigado. Como posso ajudar?",
        "thanks": "De nada!",
        "bye": "Adeus!",
        "who": "Sou o rehearsal-1, um modelo de ensaio sem rede: leio instruções, ferramentas e esquemas, "
        "mas nada sei por mim.",
        "unknown": "Sou o rehearsal-1, um modelo de ensaio sem rede e sem conhecimento próprio: não posso "
        "responder de verdade a «{quote}».",
        "tools": "Posso usar estas ferramentas: {tools}.",
        "real": "Um modelo real responderia aqui.",
        "result": "O resultado é {value}.",
        "of": "O resultado é {value}.",
        "of_for": "Para {subject}: {value}.",
        "of_in": "Para {subject}: {value}.",
        "returned": "`{tool}` devolveu: {value}",
        "failed": "`{tool}` falhou: {value}",
        "ask": "Para usar `{tool}` falta-me um dado: {what}?",
        "ask_many": "Para usar `{tool}` faltam-me dados: {what}?",
        "and": "e",
        "unfound": "Procurei “{quote}” nos arquivos e não encontrei nada que responda.",
        "nearest": "O trecho mais próximo, em `{file}`, diz:",
    },
    "zh": {
        "hello": "你好！有什么可以帮您？",
        "how_are_you": "你好！我很好，谢谢。有什么可以帮您？",
        "thanks": "不客气！",
        "bye": "再见！",
        "who": "我是 rehearsal-1，一个离线的排练模型，没有自己的知识。",
        "unknown": "我是 rehearsal-1，一个离线的排练模型，没有自己的知识，无法真正回答“{quote}”。",
        "tools": "我可以使用这些工具：{tools}。",
        "real": "真正的模型会在这里作答。",
        "result": "结果是 {value}。",
        "of": "结果是 {value}。",
        "of_for": "{subject}: {value}",
        "of_in": "{subject}: {value}",
        "and": "和",
    },
    "ja": {
        "hello": "こんにちは！何かお手伝いできますか？",
        "how_are_you": "こんにちは！元気です、ありがとうございます。何かお手伝いできますか？",
        "thanks": "どういたしまして！",
        "bye": "さようなら！",
        "who": "私は rehearsal-1、オフラインのリハーサル用モデルで、自分の知識はありません。",
        "unknown": "私は rehearsal-1、知識を持たないオフラインのリハーサル用モデルなので、"
        "「{quote}」には本当の答えを出せません。",
        "tools": "使えるツール：{tools}。",
        "real": "ここでは本物のモデルが答えます。",
        "result": "結果は {value} です。",
        "of": "結果は {value} です。",
        "of_for": "{subject}: {value}",
        "of_in": "{subject}: {value}",
        "and": "と",
    },
    "ko": {
        "hello": "안녕하세요! 무엇을 도와드릴까요?",
        "how_are_you": "안녕하세요! 잘 지내요, 감사합니다. 무엇을 도와드릴까요?",
        "thanks": "천만에요!",
        "bye": "안녕히 가세요!",
        "who": "저는 rehearsal-1, 자체 지식이 없는 오프라인 연습용 모델입니다.",
        "unknown": "저는 rehearsal-1, 자체 지식이 없는 오프라인 연습용 모델이라 “{quote}”에 제대로 답할 수 없습니다.",
        "tools": "사용할 수 있는 도구: {tools}.",
        "real": "여기서는 실제 모델이 답합니다.",
        "result": "결과는 {value}입니다.",
        "of": "결과는 {value}입니다.",
        "of_for": "{subject}: {value}",
        "of_in": "{subject}: {value}",
        "and": "그리고",
    },
    "ru": {
        "hello": "Здравствуйте! Чем могу помочь?",
        "how_are_you": "Здравствуйте! Всё хорошо, спасибо. Чем могу помочь?",
        "thanks": "Пожалуйста!",
        "bye": "До свидания!",
        "who": "Я rehearsal-1, офлайн-модель для репетиций; собственных знаний у меня нет.",
        "unknown": "Я rehearsal-1, офлайн-модель для репетиций без собственных знаний, и не могу "
        "по-настоящему ответить на «{quote}».",
        "tools": "Мне доступны инструменты: {tools}.",
        "real": "Здесь ответила бы настоящая модель.",
        "result": "Результат: {value}.",
        "of": "Результат: {value}.",
        "of_for": "{subject}: {value}",
        "of_in": "{subject}: {value}",
        "and": "и",
    },
    "ar": {
        "hello": "مرحبًا! كيف يمكنني مساعدتك؟",
        "how_are_you": "مرحبًا! أنا بخير، شكرًا. كيف يمكنني مساعدتك؟",
        "thanks": "على الرحب والسعة!",
        "bye": "مع السلامة!",
        "who": "أنا rehearsal-1، نموذج تدريب بلا اتصال وبلا معرفة خاصة به.",
        "unknown": "أنا rehearsal-1، نموذج تدريب بلا اتصال وبلا معرفة خاصة به، ولا أستطيع الإجابة حقًا عن «{quote}».",
        "tools": "يمكنني استخدام هذه الأدوات: {tools}.",
        "real": "هنا يجيب نموذج حقيقي.",
        "result": "النتيجة هي {value}.",
        "of": "النتيجة هي {value}.",
        "of_for": "{subject}: {value}",
        "of_in": "{subject}: {value}",
        "and": "و",
    },
}

SPOKEN = frozenset(_LINES)
"""Languages that something can be said in; others are answered in English."""

PHRASEBOOK: tuple[dict[str, str], ...] = tuple(
    dict(zip(("en", "es", "fr", "de", "it", "pt"), row.split("|"), strict=True))
    for row in (
        "hello|hola|bonjour|hallo|ciao|olá",
        "hi|hola|salut|hallo|ciao|oi",
        "how are you|¿cómo estás|comment allez-vous|wie geht es Ihnen|come stai|como está",
        "good morning|buenos días|bonjour|guten Morgen|buongiorno|bom dia",
        "good afternoon|buenas tardes|bon après-midi|guten Tag|buon pomeriggio|boa tarde",
        "good evening|buenas noches|bonsoir|guten Abend|buonasera|boa noite",
        "good night|buenas noches|bonne nuit|gute Nacht|buonanotte|boa noite",
        "goodbye|adiós|au revoir|auf Wiedersehen|arrivederci|adeus",
        "bye|adiós|salut|tschüss|ciao|tchau",
        "thank you|gracias|merci|danke|grazie|obrigado",
        "thanks|gracias|merci|danke|grazie|obrigado",
        "thank you very much|muchas gracias|merci beaucoup|vielen Dank|grazie mille|muito obrigado",
        "please|por favor|s'il vous plaît|bitte|per favore|por favor",
        "yes|sí|oui|ja|sì|sim",
        "no|no|non|nein|no|não",
        "see you tomorrow|hasta mañana|à demain|bis morgen|a domani|até amanhã",
        "see you soon|hasta pronto|à bientôt|bis bald|a presto|até logo",
        "welcome|bienvenido|bienvenue|willkommen|benvenuto|bem-vindo",
        "i love you|te quiero|je t'aime|ich liebe dich|ti amo|eu te amo",
        "what is your name|¿cómo te llamas|comment vous appelez-vous|wie heißen Sie|come ti chiami|como se chama",
        "my friend|mi amigo|mon ami|mein Freund|amico mio|meu amigo",
        "happy birthday|feliz cumpleaños|joyeux anniversaire|alles Gute zum Geburtstag|buon compleanno"
        "|feliz aniversário",
        "good luck|buena suerte|bonne chance|viel Glück|buona fortuna|boa sorte",
        "i am sorry|lo siento|je suis désolé|es tut mir leid|mi dispiace|sinto muito",
        "excuse me|perdón|excusez-moi|Entschuldigung|mi scusi|com licença",
        "world|mundo|monde|Welt|mondo|mundo",
        "friends|amigos|amis|Freunde|amici|amigos",
        "everyone|a todos|tout le monde|alle zusammen|a tutti|a todos",
        "i am fine|estoy bien|je vais bien|mir geht es gut|sto bene|estou bem",
    )
)
"""A few phrases, for agents whose work is to translate."""


def say(key: str, language: str | None, /, **values: str) -> str:
    """Return a line in `language`, or in English where it isn't known in that.

    Args:
        key: Name of the line.
        language: ISO code, or None for English.
        values: What stands for the line's `{names}`; braces in them are left alone.
    """
    line = _LINES.get(language or "en", _LINES["en"]).get(key) or _LINES["en"][key]
    for name, value in values.items():
        line = line.replace("{" + name + "}", value)
    return line


def translate(text: str, language: str) -> str | None:
    """Return `text` in `language` if the phrasebook has all of it, else None."""
    parts = re.split(r"([,.!?;…]+\s*)", text.strip())
    translated: list[str] = []
    for index, part in enumerate(parts):
        if index % 2:
            translated.append(part)
            continue
        if not part.strip():
            continue
        found = _phrase(part.strip().lower().lstrip("¿¡"), language)
        if found is None:
            return None
        begins = not translated or translated[-1].strip()[-1:] in (".", "!", "?")
        translated.append(found[0].upper() + found[1:] if begins and found[0].isalpha() else found)
    result = "".join(translated)
    if language == "es" and result.rstrip().endswith("!") and not result.startswith("¡"):
        result = f"¡{result}"
    return result or None


def _phrase(part: str, language: str) -> str | None:
    for row in PHRASEBOOK:
        if language in row and any(part == said.lower().lstrip("¿¡") for code, said in row.items() if code != language):
            return row[language]
    words = part.split()
    for cut in range(len(words) - 1, 0, -1):  # "hello world", "hello my friend"
        head, tail = _row(" ".join(words[:cut]), language), _row(" ".join(words[cut:]), language)
        if head and tail:
            return f"{head} {tail}"
    return None


def _row(part: str, language: str) -> str | None:
    return next((r[language] for r in PHRASEBOOK if language in r and part == r["en"]), None)
