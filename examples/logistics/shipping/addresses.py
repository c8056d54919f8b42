"""The address agent: postal rules of thirteen countries, corrections that are certain, and a clear no to the rest.

A correction is certain where the country's postcode has only one reading (`1012ab` → `1012 AB`, `4109` in Germany →
`04109`) or where the postcode names the city that was misspelled. A postcode and a city that are both right but don't
belong together are not certain: a person must look.
"""

from __future__ import annotations

import functools
import json
import unicodedata
from typing import Any

from . import DATA

_AS_DIGIT = str.maketrans("OQDILZSB", "00011258")
_AS_LETTER = str.maketrans("01258", "OIZSB")
#: Letters by which a city's name may differ from the right one.
MAX_TYPOS = 2


@functools.cache
def countries() -> dict[str, dict[str, Any]]:
    rules: dict[str, dict[str, Any]] = json.loads((DATA / "countries.json").read_text("utf-8"))
    return rules


def validate(address: dict[str, str]) -> dict[str, Any]:
    """`{valid, address, corrections: [{field, from, to, why}], problems: [{field, message}], node}`.

    `node` is the place in the network from which the address is served; None if the address is not valid.
    """
    fixed = dict(address)
    corrections: list[dict[str, str]] = []

    def correct(field: str, to: str, why: str) -> None:
        if fixed[field] != to:
            corrections.append({"field": field, "from": fixed[field], "to": to, "why": why})
            fixed[field] = to

    def refuse(field: str, message: str) -> dict[str, Any]:
        problems = [{"field": field, "message": message}]
        return {"valid": False, "address": fixed, "corrections": corrections, "problems": problems, "node": None}

    country = country_code(address["country"])
    if country is None:
        return refuse("country", f"{address['country']!r} is not a country that we deliver to")
    correct("country", country, "ISO code")
    reading = read_postcode(country, address["postcode"])
    if reading is None:
        shapes = " or ".join(countries()[country]["shapes"])
        return refuse("postcode", f"{address['postcode']!r} is not a postcode of {country} ({shapes})")
    postcode, why = reading
    correct("postcode", postcode, why)
    area = countries()[country]["areas"].get(postcode[:2])
    if area is None:
        return refuse("postcode", f"{postcode} is outside the areas that we deliver to")
    node, *names = area
    city = _spelling(address["city"], names)
    if city is None:
        return refuse("city", f"{postcode} is {names[0]}, not {address['city']}")
    correct("city", city, f"spelling, by postcode {postcode}")
    return {"valid": True, "address": fixed, "corrections": corrections, "problems": [], "node": node}


def country_code(text: str) -> str | None:
    """The ISO code of a country by code or name, or None."""
    cleaned = text.strip().lower()
    for code, rules in countries().items():
        if cleaned == code.lower() or cleaned in rules["names"]:
            return code
    return None


def read_postcode(country: str, text: str) -> tuple[str, str] | None:
    """The postcode as the country writes it, and why it may differ from `text`. None if there is no certain reading."""
    rules = countries()[country]
    letters = "".join(character for character in text.upper() if character.isalnum())
    why = "layout"
    for prefix in sorted(rules["prefixes"], key=len, reverse=True):
        rest = letters.removeprefix(prefix)
        if rest != letters and any(len(rest) == _length(shape) for shape in rules["shapes"]):
            letters, why = rest, "country prefix"
            break
    if rules.get("leading_zero") and letters.isdigit() and len(letters) + 1 == _length(rules["shapes"][0]):
        letters, why = "0" + letters, "lost leading zero"
    for repair in (False, True):
        readings = {found for shape in rules["shapes"] if (found := _lay_out(letters, shape, repair))}
        if len(readings) == 1:
            return readings.pop(), "letter for digit" if repair else why
    return None


def lines(address: dict[str, str]) -> list[str]:
    """The address as it stands on a parcel."""
    if countries()[address["country"]]["layout"] == "city, postcode":
        place = [address["city"].upper(), address["postcode"]]
    else:
        place = [f"{address['postcode']} {address['city']}"]
    return [address["name"], address["street"], *place, address["country"]]


def _length(shape: str) -> int:
    return sum(character.isalnum() for character in shape)


def _lay_out(letters: str, shape: str, repair: bool) -> str | None:
    if len(letters) != _length(shape):
        return None
    rest = iter(letters)
    laid_out = ""
    for place in shape:
        if not place.isalnum():
            laid_out += place
            continue
        character = next(rest)
        if repair:
            character = character.translate(_AS_DIGIT if place == "9" else _AS_LETTER)
        if not (character.isdigit() if place == "9" else "A" <= character <= "Z"):
            return None
        laid_out += character
    return laid_out


def _spelling(city: str, names: list[str]) -> str | None:
    """The city's own name (the first) if `city` is one of its names or close to one."""
    plain = _plain(city)
    for name in names:
        allowed = min(MAX_TYPOS, len(name) // 4)
        if _distance(plain, _plain(name)) <= allowed:
            return names[0]
    return None


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())


def _distance(one: str, other: str) -> int:
    """Levenshtein's."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
