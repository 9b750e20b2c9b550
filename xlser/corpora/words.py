"""Words and abbreviations that people label emotions with, and the canonical name each stands for."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

# Whole words: English, German, French, Spanish, Italian, Portuguese, Turkish, Greek, Urdu, Hindi, Polish, Russian and
# Persian (the last five romanised), and the misspellings that published tables hold; those in other scripts, and of
# further languages, stand in `_FURTHER`.
_WORDS = {
    "anger": "anger angry mad wut wutend wuetend wutig aerger veraergert zorn colere enerve ira enojo enojado "
    "enfado rabia rabbia arrabbiato raiva kizgin ofke sinirli thymos thimos οργη θυμος gussa ghussa gusa zlosc "
    "gniew gnev zlost khashm",
    "happiness": "happiness happy joy joyful freude froh frohlich froehlich gluecklich joie heureux felicidad "
    "felicidade feliz alegria alegre felicita gioia felice mutlu mutluluk sevinc chara χαρα khushi khush "
    "radosc radost shadi",
    "sadness": "sadness sad sorrow traurig traurigkeit trauer tristesse triste tristeza tristezza uzgun uzuntu lypi "
    "lipi λυπη udaas udas udasi ghamgeen smutek smutny grust ghamgin",
    "fear": "fear fearful afraid scared anxiety angst aengstlich furcht peur miedo temor paura medo korku fovos "
    "phobos φοβος dar khauf strach strakh tars",
    "disgust": "disgust disgusted ekel degout asco disgusto nojo desgosto tiksinti igrenme aidia αηδια nafrat wstret "
    "otvrashchenie",
    "surprise": "surprise surprised surprize pleasant_surprise ueberraschung ueberrascht sorpresa sorpreso surpresa "
    "saskin saskinlik ekplixi εκπληξη hairat hairan zaskoczenie udivlenie taajob",
    "neutral": "neutral neutrality normal neutre neutro neutrale neutra notr ouderos oudeteri ουδετερος ουδετερο "
    "neutralny neytralno",
    "boredom": "boredom boredem bored langeweile gelangweilt ennui aburrimiento noia tedio sikilmis",
    "calm": "calm calmness ruhig calme calma tranquillo sakin",
    "contempt": "contempt verachtung mepris desprecio disprezzo",
    "excitement": "excitement excited aufgeregt",
    "frustration": "frustration frustrated",
    "sarcasm": "sarcasm sarcastic",
    "sleepiness": "sleepiness sleepy",
    "amusement": "amusement amused",
    "enthusiasm": "enthusiasm enthusiastic",
    "worry": "worry worried",
    "other": "other others",
}
# Scandinavian languages, Dutch, Finnish, Estonian, Hungarian, Czech, Polish adjectives; Russian, Arabic, Urdu, Persian,
# Hindi, Thai, Amharic, Chinese, Japanese and Korean in their own scripts.
_FURTHER = {
    "anger": "vrede vred ilska arg sinne sint boos boosheid woede viha vihainen vihane harag dühös mérges hněv "
    "vztek zlosť złość gniewny zły гнев злость злой сердитый غضب غاضب غصہ خشم عصبانی عصبانیت क्रोध "
    "गुस्सा โกรธ ความโกรธ ቁጣ ንዴት 愤怒 生气 憤怒 生氣 怒り 怒 분노 화남 "
    "zornig ärgerlich furia furious öfkeli kızgınlık",
    "happiness": "glæde glad glädje glede blij blijdschap geluk vreugde ilo iloinen rõõm rõõmus öröm boldog "
    "boldogság radost radość radosny szczęście wesoły радость счастье радостный веселый فرح سعادة سعيد "
    "خوشی خوش شادی شاد خوشحالی खुशी आनंद मज़े สุข มีความสุข ความสุข ደስታ 高兴 快乐 开心 高興 快樂 開心 喜び 喜 기쁨 행복 "
    "freudig Glück allegria neşe neşeli 嬉しい ดีใจ",
    "sadness": "sorg tristhed bedrøvet ledsen vemod trist tristhet lei verdrietig verdriet suru surullinen kurbus "
    "kurb szomorú szomorúság bánat smutek smutný smutny грусть печаль грустный حزن حزين غم اداسی اداس "
    "غمگین ناراحتی दुख उदासी उदास เศร้า ความเศร้า ሀዘን ሐዘን 悲伤 伤心 难过 悲傷 傷心 悲しみ 悲 슬픔 "
    "droevig hüzün",
    "fear": "frygt bange rädsla rädd frykt redd bang angstig pelko hirm félelem ijedt strach lęk przestraszony "
    "страх испуг испуганный خوف خائف ڈر ترس भय डर กลัว ความกลัว ፍርሃት ፍርሀት 害怕 恐惧 恐懼 恐れ 恐怖 공포 두려움 불안 "
    "przerażenie korkmuş",
    "disgust": "afsky væmmelse avsky äckel walging walgen afschuw inho vastikus undor znechucení hnus wstręt "
    "obrzydzenie отвращение брезгливость اشمئزاز کراہت انزجار घृणा รังเกียจ ขยะแขยง መጸየፍ 厌恶 厭惡 嫌悪 혐오 "
    "angeekelt tiksinme",
    "surprise": "overraskelse overrasket förvåning överraskning verrast verbazing verrassing yllättynyt hämmästys "
    "üllatus meglepetés meglepődött překvapení zaskoczenie zdziwienie удивление удивленный مفاجأة دهشة "
    "متفاجئ حیرت تعجب متعجب आश्चर्य ประหลาดใจ แปลกใจ መገረም 惊讶 吃惊 驚訝 驚き 놀람 당황 "
    "şaşırma",
    "neutral": "neutral neutraal neutraali neutraalne semleges neutrální neutralne obojętny obojętność нейтральный "
    "нейтрально محايد طبيعي غیرجانبدار خنثی معمولی तटस्थ सामान्य ปกติ เป็นกลาง ገለልተኛ 中性 中立 平静 平靜 平常 중립 "
    "무감정 "
    "neutralität neutralność neutralité neutralità neutralidad neutralidade sachlich doğal ニュートラル نارمل عادی",
    "boredom": "kedsomhed tråkighet kjedsomhet verveling tylsyys igavus unalom nuda znudzenie znudzony скука "
    "скучно ملل بوریت 无聊 無聊 退屈 지루함 "
    "sıkıntı πλήξη",
    "calm": "rolig rustig rauhallinen rahulik nyugodt klid spokój spokojny هدوء هادئ سکون آرام 冷静 落ち着き 평온 "
    "спокойный спокойствие",
    "contempt": "foragt förakt forakt minachting halveksunta põlgus megvetés pohrdání pogarda презрение احتقار "
    "تحقیر 轻蔑 軽蔑 경멸",
}
# What is said of a person, in its masculine form: Polish, Czech, Russian, Spanish, Italian, Portuguese, Greek and
# French give it other endings for women and things.
_ADJECTIVES = {
    "anger": "zły wściekły zdenerwowany rozgniewany naštvaný злой сердитый гневный enojado enfadado furioso arrabbiato "
    "zangado θυμωμένος fâché énervé furieux",
    "happiness": "wesoły radosny szczęśliwy veselý šťastný радостный веселый счастливый contento χαρούμενος "
    "ευτυχισμένος joyeux heureux",
    "sadness": "smutny smutný грустный печальный λυπημένος",
    "fear": "przestraszony przerażony vystrašený испуганный напуганный asustado assustado spaventato impaurito "
    "φοβισμένος effrayé apeuré",
    "disgust": "zniesmaczony obrzydzony asqueado disgustato dégoûté",
    "surprise": "zaskoczony zdziwiony překvapený удивленный sorprendido surpreendido sorpreso έκπληκτος surpris",
    "neutral": "neutralny obojętny нейтральный neutro ουδέτερος",
    "boredom": "znudzony znuděný скучающий aburrido annoiato entediado βαριεστημένος ennuyé",
    "calm": "spokojny spokojený klidný спокойный tranquilo tranquillo calmo ήρεμος",
}
_ENDINGS = {
    "y": "y a e",
    "ý": "ý á é",
    "ый": "ый ая ое ые",
    "ий": "ий ая ее ие",
    "ой": "ой ая ое ые",
    "o": "o a",
    "ος": "ος η ο",
    "é": "é ée",
    "eux": "eux euse",
    "is": "is ise",
}
# Short forms that mean one thing in nearly every corpus.
_SHORT = {
    "anger": "ang ano rab col",
    "happiness": "hap joy gio fel",
    "sadness": "sad tri",
    "fear": "fea fear pau",
    "disgust": "dis disg",
    "surprise": "sur sor ps surp",
    "neutral": "neu neut ntr",
    "boredom": "bor",
    "calm": "cal",
    "excitement": "exc",
    "frustration": "fru",
    "contempt": "cont",
}
# What one or two letters or a number mean differs from corpus to corpus: guesses to be checked.
_LETTERS = {
    "anger": "a w",
    "happiness": "h",
    "sadness": "s sa t",
    "fear": "f",
    "disgust": "d e",
    "surprise": "su",
    "neutral": "n",
    "boredom": "l b",
    "calm": "c",
}


class Guess(NamedTuple):
    """A canonical emotion, and whether the word leaves no doubt."""

    emotion: str
    sure: bool


# Letters whose stroke is no mark that Unicode takes off.
_LETTERS_WITHOUT_MARKS = (("ł", "l"), ("ø", "o"), ("đ", "d"), ("æ", "ae"), ("œ", "oe"), ("ð", "d"), ("þ", "th"))


def plain(word: str) -> str:
    """Return a word in lower case without accents or outer blanks; umlauts are written out.

    >>> plain(" Überraschung"), plain("Colère")
    ('ueberraschung', 'colere')
    """
    text = unicodedata.normalize("NFC", word).strip().lower()
    for umlaut, letters in (
        ("ä", "ae"),
        ("ö", "oe"),
        ("ü", "ue"),
        ("ß", "ss"),
        ("ı", "i"),
        (" ", "_"),
        ("ς", "σ"),
        *_LETTERS_WITHOUT_MARKS,
    ):
        text = text.replace(umlaut, letters)
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


_TURKISH = str.maketrans("üöÜÖ", "uouo")


def _table(words: dict[str, str], sure: bool) -> dict[str, Guess]:
    return {plain(word): Guess(emotion, sure) for emotion, line in words.items() for word in line.split()}


def _with_endings(words: str) -> str:
    """Return adjectives in all their forms.

    >>> _with_endings("neutralny злой")
    'neutralny neutralna neutralne злой злая злое злые'
    """
    return " ".join(
        word.removesuffix(end) + other
        for word in words.split()
        for end, others in _ENDINGS.items()
        if word.endswith(end)
        for other in others.split()
    )


_FORMS = {emotion: _with_endings(words) for emotion, words in _ADJECTIVES.items()}
_GUESSES = (
    _table(_LETTERS, False)
    | _table(_SHORT, True)
    | _table(_FORMS, True)
    | _table(_FURTHER, True)
    | _table(_WORDS, True)
)


def words_of(emotion: str) -> list[str]:
    """Return the words that stand for a canonical emotion, as they are written, the English ones first.

    >>> words_of("anger")[:3]
    ['anger', 'angry', 'mad']
    """
    return list(dict.fromkeys(f"{_WORDS.get(emotion, '')} {_FURTHER.get(emotion, '')}".split()))


def guess_emotion(word: str) -> Guess | None:
    """Return what a label most likely means, or None.

    >>> guess_emotion("Wut"), guess_emotion("neu")
    (Guess(emotion='anger', sure=True), Guess(emotion='neutral', sure=True))
    >>> guess_emotion("W")
    Guess(emotion='anger', sure=False)
    >>> guess_emotion("03") is None
    True
    """
    # Turkish ü and ö are letters, no umlauts to be written out.
    return _GUESSES.get(plain(word)) or _GUESSES.get(plain(word.translate(_TURKISH)))
