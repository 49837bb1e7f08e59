"""Read the numbers that are a danger by themselves: blood pressure, glucose, body mass, age; with their units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from fusion.plan.knowledge.ranges import RANGES

CRISIS_MMHG = (RANGES["crisis_systolic"].low, RANGES["crisis_diastolic"].low)
STAGE_2_MMHG = (RANGES["stage_2_systolic"].low, RANGES["stage_2_diastolic"].low)
LOW_GLUCOSE_MG_DL, LOW_GLUCOSE_MMOL_L = RANGES["glucose_level_2"].high, 3.0  # which is 54 mg/dL
UNDERWEIGHT_BMI = RANGES["body_mass_index"].low
ADULT_YEARS = 18
FEWEST_KCAL = 800  # a day; below lie only diets under medical supervision (NICE CG189)

PRESSURE = re.compile(
    r"(?<![\d/])(\d{2,3})(?: ?/ ?| over | on | by | zu | sobre | sur | su | por | op )(\d{2,3})(?![\d/])"
)
PRESSURE_WORDS = re.compile(
    r"\bbp\b|pressure|mmhg|cuff|monitor|systolic|diastolic|hypertens|hipertens|measured|reading|pharmac|nurse|doctor|clinic"
    r"|\bgp\b|\ber\b|headache|blutdruck|presion|tension|pressione|pressao|bloeddruk|cisnieni|blodtryck|blodtrykk|tansiyon"
    r"|血压|血圧|혈압|давлени|ضغط"
)
# "Bus 185/121 to the clinic": what a number is of stands right before or after it. Words of measuring outweigh that,
# and buses and rooms count in few places only: "in the waiting room 185/121", "on the bus 185/121" may be a pressure.
_NUMBERED = (
    r"pages?|chapters?|verses?|paragraphs?|invoice|receipt|locker|apartment|apt|flat|gate|platform|highway|postcode|flight"
    r"|tram|train|bus line|bus route|(?:take|took|taking|catch|caught|rode|ride|by|for|and)(?: the)? (?:bus|line)"
    r"|(?:in|to|into|is|was|find|found|from|near|of|at) (?:room|suite|ward)"
    r"|(?:room|bus|tram|train|line|ticket|queue|patient|case|file|form|order|invoice|phone|house|locker|seat|reference)"
    r" (?:number|no|nr)"
)
LABELLED = re.compile(
    rf"(?:\b(?:{_NUMBERED}) ?#?|(?:^|[,:(] ?)(?:(?:the )?bus|line|room|suite|ward) ?#?"
    r"|[€$£]|\b(?:eur|usd|paid|costs?)) ?$"
)
COUNTED = re.compile(r" ?(?:[€$£]|(?:euros?|eur|dollars?|usd|bucks|francs|kroner|pages|votes|km)\b)")
MEASURED = re.compile(r"\bbp\b|pressure|mmhg|cuff|systolic|diastolic|hypertens|hipertens|measured|monitor|headache")
SYSTOLIC = re.compile(
    r"\b(?:systolic|upper value|upper number|top number|systolisch\w*|sistolica)\D{0,20}(\d{2,3})(?![\d/])"
)
DIASTOLIC = re.compile(
    r"\b(?:diastolic|lower value|lower number|bottom number|diastolisch\w*)\D{0,20}(\d{2,3})(?![\d/])"
)
GLUCOSE_WORDS = re.compile(
    r"\b(?:glucose|sugars?|bgl?|bm|cgm|meter|sensor|libre|dexcom|finger ?(?:stick|prick)|blutzucker|glucosa|azucar"
    r"|glycemie|glucemia|glicemi[ae]|bloedsuiker|cukier|blodsocker|blodsukker)\b"
)
GLUCOSE = re.compile(r"(?<![\d.,/:])(\d{1,3}(?:[.,]\d)?) ?(mg ?/ ?dl|mg|mmol(?: ?/ ?l)?)(?!\w)")
BARE = re.compile(r"(?<![\d.,/:])(\d{1,3}(?:[.,]\d)?)(?![\d.,/:]*\d)(?! ?(?:[a-z%€$£]|/))")
BARE_THEN_WORD = re.compile(
    r"(?<![\d.,/:])(\d{1,3}(?:[.,]\d)?)"
    r"(?= (?:and|right|now|this|again|today|at|but|before|after|overnight|yesterday|last|in|on|when)\b)"
)
BARE_ON_METER = re.compile(r"(?<![\d.,/:])(\d{1,3}(?:[.,]\d)?)(?= (?:\w+ ){0,2}(?:meter|cgm|sensor|libre|dexcom)\b)")
BMI = re.compile(r"\b(?:bmi|body mass index|imc)\b\D{0,25}(\d{2}(?:[.,]\d+)?)")
MASS = re.compile(r"(?<![\d.,])(\d{2,3}(?:[.,]\d)?) ?(kg|kilos?|kilograms?|lbs?|pounds?)\b")
HEIGHT = re.compile(r"(?<![\d.,])(?:([12])[.,](\d\d) ?(?:m|meters?|metres?)\b|([12]\d\d) ?cm\b)")
FEET = re.compile(r"(?<![\d.,])([4-6]) ?(?:'|ft|feet|foot) ?(\d{1,2})?(?:\"|''|in\b|inch|inches|\b)")
KG_PER_POUND, METRES_PER_FOOT, METRES_PER_INCH = 0.4536, 0.3048, 0.0254
ALONE = (  # what may follow an age
    r"(?= ?(?:$|[,.;!?()\[\]-]|years? old|y/?o\b|yrs?\b|jahre alt"
    r"|(?:and|but|so|in|with|now|next|today|f|m)\b))"
)
AGES = (
    re.compile(
        r"\b(?:i'm|im|i am|ich bin|je suis|sono)(?: only| just| barely| almost| nearly| a| turning)* "
        rf"(\d{{1,2}}){ALONE}"
    ),
    re.compile(rf"\b(?:turning|just turned|my age is|age:?|aged) (\d{{1,2}}){ALONE}"),
    re.compile(r"(?<![\d.])(\d{1,2}) ?(?:y/?o|yo)\b"),
    re.compile(r"(?:\bi ?|^|me )[(\[] ?(\d{1,2}) ?[fm]\b"),
    re.compile(r"\b(?:as a|i'm a|i am a|im a|^) ?(\d{1,2})[ -]years?[ -]old"),
    re.compile(r"\b(?:tengo (\d{1,2}) anos|j'ai (\d{1,2}) ans|ho (\d{1,2}) anni|tenho (\d{1,2}) anos)\b"),
    re.compile(r"\b(?:ik ben|mam|jag ar|jeg er|mne|ben) (\d{1,2}) (?:jaar|lat|ar|let|yasinda)\b"),
    re.compile(r"\bi (?:just|recently|only) turned (\d{1,2})\b(?! (?:pages|times|km))"),
    re.compile(r"\bi (?:turned|turn) (\d{1,2}) (?:last|yesterday|today|this|next|on|in|a|two|three)\b"),
    re.compile(r"\bi(?:'ll| will) (?:be|turn) (\d{1,2})\b(?! (?:min|km|days|weeks|kg))"),
    re.compile(r"\bat (\d{1,2}),? i(?:'m| am) (?:too|not|still|only)\b"),
    re.compile(r"(?:^|\bi'm |\bi am |\bim )(\d{1,2}) ?[fm]\b(?! ?/)"),
    re.compile(
        r"(?:^|[,;(-] ?|\bi |\bi am |[^\x00-\x7f] ?)(\d{1,2}),? ?years?[ -]old\b(?! (?:car|house|whisk|wine|dog|cat))"
    ),
    re.compile(r"\bnot an adult(?: yet)?,? (\d{1,2})\b"),
)
NOT_YET = re.compile(r"almost|nearly|turning|will|'ll")
BORN = re.compile(r"\b(?:i was|i'm|im|i am) born (?:in|on) (?:\w+ ){0,3}(20\d\d)\b")
FIRST_MINOR_BIRTH = 2008  # turns 18 in 2026; in later years an adult of that class is asked about once too often
KCAL = re.compile(
    r"\b(?:only|just|allow|eat|eating|under|to|on|live|around|about)\b(?: \w+){0,3} (\d{2,4})"
    r" ?(?:calories|kcal|cals?)(?: a day| per day| daily|/day)"
)


class Reading(NamedTuple):
    """A number at characters ``start`` to ``end`` that says whether the person has ``condition``."""

    condition: str
    is_present: bool
    start: int
    end: int


def readings(clause: str) -> Iterator[Reading]:
    """Every such number in a plain clause."""
    if not any(c.isdigit() for c in clause):
        return
    yield from _pressures(clause)
    yield from _glucose(clause)
    yield from _masses(clause)
    for pattern in AGES:
        for match in pattern.finditer(clause):
            years = int(next(filter(None, match.groups()))) - bool(NOT_YET.search(match[0]))
            if years > 4:
                yield Reading("minor", years < ADULT_YEARS, match.start(), match.end())
    for match in BORN.finditer(clause):
        yield Reading("minor", int(match[1]) >= FIRST_MINOR_BIRTH, match.start(), match.end())
    for match in KCAL.finditer(clause):
        if int(match[1]) <= FEWEST_KCAL:
            yield Reading("eating_disorder", True, match.start(), match.end())


def _pressures(clause: str) -> Iterator[Reading]:
    for match in SYSTOLIC.finditer(clause):
        yield from _pressure(int(match[1]), 0, match)
    for match in DIASTOLIC.finditer(clause):
        yield from _pressure(0, int(match[1]), match)
    if PRESSURE_WORDS.search(clause):
        for match in PRESSURE.finditer(clause):
            high, low = int(match[1]), int(match[2])
            label = clause[max(0, match.start() - 40) : match.start()]
            is_other = LABELLED.search(label) or COUNTED.match(clause, match.end())
            if is_other and not MEASURED.search(clause):
                continue
            if low < high < 350 and low >= 30:
                yield from _pressure(high, low, match)


def _pressure(systolic: int, diastolic: int, match: re.Match[str]) -> Iterator[Reading]:
    """Whether it is a crisis, and whether it is high without being one; 0 = not told."""
    is_crisis, is_high = (systolic >= ends[0] or diastolic >= ends[1] for ends in (CRISIS_MMHG, STAGE_2_MMHG))
    yield Reading("hypertension_crisis", is_crisis, match.start(), match.end())
    if not is_crisis:
        yield Reading("high_blood_pressure", is_high, match.start(), match.end())


def _glucose(clause: str) -> Iterator[Reading]:
    has_words = GLUCOSE_WORDS.search(clause)
    for match in GLUCOSE.finditer(clause):
        if match[2] != "mg" or has_words:  # "mg" alone is mostly a tablet
            yield _glucose_reading(match, in_mmol="mmol" in match[2])
    if has_words and not GLUCOSE.search(clause):
        found = [m for p in (BARE, BARE_THEN_WORD) for m in p.finditer(clause, has_words.end(), has_words.end() + 60)]
        for match in found or BARE_ON_METER.finditer(clause):
            value = _number(match[1])
            if 1 <= value <= 400:  # no unit: 1 to 25 can only be mmol/L
                yield _glucose_reading(match, in_mmol=value <= 25)


def _glucose_reading(match: re.Match[str], *, in_mmol: bool) -> Reading:
    low = LOW_GLUCOSE_MMOL_L if in_mmol else LOW_GLUCOSE_MG_DL
    return Reading("hypoglycaemia", _number(match[1]) < low, match.start(), match.end())


def _masses(clause: str) -> Iterator[Reading]:
    for match in BMI.finditer(clause):
        yield Reading("underweight", _number(match[1]) < UNDERWEIGHT_BMI, match.start(), match.end())
    mass, height = MASS.search(clause), HEIGHT.search(clause) or FEET.search(clause)
    if mass and height:
        kg = _number(mass[1]) * (KG_PER_POUND if mass[2][0] in "lp" else 1)
        is_under = kg / _metres(height) ** 2 < UNDERWEIGHT_BMI
        yield Reading("underweight", is_under, min(mass.start(), height.start()), max(mass.end(), height.end()))


def _metres(height: re.Match[str]) -> float:
    if height.re is FEET:
        return int(height[1]) * METRES_PER_FOOT + int(height[2] or 0) * METRES_PER_INCH
    return float(f"{height[1]}.{height[2]}") if height[1] else int(height[3]) / 100


def _number(text: str) -> float:
    return float(text.replace(",", "."))
