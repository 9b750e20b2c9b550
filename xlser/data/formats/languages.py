"""One language, three spellings: BCP 47 (ours), ISO 639-3 (audformat's), English names (CAMEO's)."""

from __future__ import annotations

import re

from xlser.errors import CorpusError

_TABLE = """
am amh Amharic; ar ara Arabic; bn ben Bengali; ca cat Catalan; cs ces Czech; da dan Danish; de deu German; el ell Greek;
en eng English; es spa Spanish; et est Estonian; eu eus Basque; fa fas Persian; fi fin Finnish; fr fra French;
ha hau Hausa; he heb Hebrew; hi hin Hindi; hu hun Hungarian; id ind Indonesian; it ita Italian; ja jpn Japanese;
kn kan Kannada; ko kor Korean; mr mar Marathi; ms msa Malay; nl nld Dutch; no nor Norwegian; pa pan Punjabi;
pl pol Polish; ps pus Pashto; pt por Portuguese; quz quz Quechua; ro ron Romanian; ru rus Russian; sk slk Slovak;
sr srp Serbian; sv swe Swedish; sw swa Swahili; ta tam Tamil; te tel Telugu; th tha Thai; tl tgl Tagalog;
tr tur Turkish; uk ukr Ukrainian; ur urd Urdu; vi vie Vietnamese; yo yor Yoruba; zh zho Chinese
"""
_ROWS = [entry.split() for entry in _TABLE.replace("\n", " ").split(";")]
_TO_TAG = {spelling.lower(): row[0] for row in _ROWS for spelling in row} | {
    "mandarin": "zh",
    "farsi": "fa",
    "cmn": "zh",
}
_TO_ISO3 = {row[0]: row[1] for row in _ROWS}


def language_tag(text: str) -> str:
    """Return the BCP 47 tag of a tag, an ISO 639-3 code or an English name.

    Raises:
        CorpusError: it is none of these.

    >>> language_tag("deu"), language_tag("German"), language_tag("en-US"), language_tag("gsw")
    ('de', 'de', 'en-US', 'gsw')
    """
    text = text.strip().replace("_", "-")
    if text.lower() in _TO_TAG:
        return _TO_TAG[text.lower()]
    if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", text):
        return text
    raise CorpusError(f"{text!r} is no language that xlser knows by name; give its BCP 47 tag, such as ur or fr-CA")


def iso3(tag: str) -> str:
    """Return the ISO 639-3 code of a BCP 47 tag, without its region.

    >>> iso3("de"), iso3("fr-CA"), iso3("gsw")
    ('deu', 'fra', 'gsw')
    """
    language = tag.partition("-")[0].lower()
    return _TO_ISO3.get(language, language)
