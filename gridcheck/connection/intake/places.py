"""Counties, villages and areas that an application may name, by code or by name, and what is wrong with the others."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from gridcheck.connection.intake.words import Fault
from gridcheck.geography import counties, villages

_VILLAGE_ENDS = ("村民委员会", "居民委员会", "村委会", "居委会", "社区", "村")
_COUNTY_ENDS = ("县", "市", "区")
_SHOWN_CHARACTERS = 40
_SHOWN_NAMES = 8
_MOST_NEAR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an application belongs.

    Attributes
    ----------
    county_code, village_code, area_id : str
        Codes; "" where not known.
    faults : tuple of Fault
        What is wrong with the cells.
    """

    county_code: str
    village_code: str
    area_id: str
    faults: tuple[Fault, ...] = ()


class NearNames:
    """Finds the known names that a misspelt one may mean, without comparing it with each of them.

    Parameters
    ----------
    names : iterable of str
        Known names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        known = sorted({name for name in names if name})
        self._by_variant = _grouped((variant, name) for name in known for variant in sorted(_variants(name)))
        by_pair = _grouped((pair, name) for name in known for pair in sorted(_pairs(name)))
        # Pairs of characters that most names share, such as a code of the county, tell none of them apart.
        self._by_pair = {pair: having for pair, having in by_pair.items() if len(having) <= max(len(known) // 4, 4)}

    def near(self, name: str) -> tuple[str, ...]:
        """Return at most three names: those one slip of the pen away, else those that share most of what is rare."""
        close = {known for variant in _variants(name) for known in self._by_variant.get(variant, ())}
        if close:
            return tuple(sorted(close, key=lambda known: (abs(len(known) - len(name)), known))[:_MOST_NEAR])
        own = [pair for pair in sorted(_pairs(name)) if pair in self._by_pair]
        shared = Counter(known for pair in own for known in self._by_pair[pair])
        enough = {known: n for known, n in shared.items() if 2 * n >= len(own)}
        return tuple(sorted(enough, key=lambda known: (-enough[known], len(known), known))[:_MOST_NEAR])


def _variants(name: str) -> set[str]:
    """Return a name and what is left of it without one character: names one slip apart share one of them."""
    if len(name) > _SHOWN_CHARACTERS:
        return {name}
    return {name} | {name[:place] + name[place + 1 :] for place in range(len(name))}


def _pairs(name: str) -> set[str]:
    return {name[place : place + 2] for place in range(min(len(name), _SHOWN_CHARACTERS) - 1)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownPlaces:
    """Places that exist; made by `known_places`.

    Attributes
    ----------
    studied : mapping of str to str
        Name of each county that is studied, by code.
    county_of : mapping of str to str
        Code of every county by code and by plain name.
    county_names : mapping of str to tuple of str
        Names of each county that is studied, in both languages, by code.
    village_name, village_county : mapping of str to str
        Name and county of every village, by code.
    villages_called : mapping of (str, str) to tuple of str
        Codes by county and by name, whole or plain, alone or behind the town's, as letters and tables print it.
    area_county, area_village, area_name : mapping of str to str
        County, village and name of every area.
    areas_called : mapping of (str, str) to tuple of str
        Ids by county and name.
    areas_of : mapping of str to tuple of str
        Areas of each village.
    """

    studied: Mapping[str, str]
    county_of: Mapping[str, str]
    county_names: Mapping[str, tuple[str, ...]]
    village_name: Mapping[str, str]
    village_county: Mapping[str, str]
    villages_called: Mapping[tuple[str, str], tuple[str, ...]]
    area_county: Mapping[str, str]
    area_village: Mapping[str, str]
    area_name: Mapping[str, str]
    areas_called: Mapping[tuple[str, str], tuple[str, ...]]
    areas_of: Mapping[str, tuple[str, ...]]
    _near: dict[tuple[str, str], NearNames] = field(default_factory=dict)

    def place(self, county: str, village: str, area: str) -> Place:
        """Find the place that three cells of a row name.

        Parameters
        ----------
        county, village, area : str
            Codes or names as written, without blanks around them. An empty village is that of the area.

        Returns
        -------
        Place
            With every fault of the cells.
        """
        code, county_fault = self._county(county)
        if county_fault is not None:
            # Without a county nothing below it can be judged.
            return Place(county_code=code, village_code="", area_id="", faults=(county_fault,))
        area_id, area_faults = self._area(code, area)
        at_area = self.area_village.get(area_id, "")
        village_code, village_faults = self._village(code, village, area_id)
        faults = [*area_faults, *village_faults]
        if not area and village_code and not village_faults:
            allowed = listed(self.areas_of[village_code])
            name = self.village_name[village_code]
            faults = [Fault(code="area_missing", values={"place": name, "allowed": allowed})]
        elif area_id and at_area and village_code and at_area != village_code and not faults:
            values = {
                "found": cut(area),
                "place": f"{self.village_name.get(at_area, '')} {at_area}".strip(),
                "allowed": listed(self.areas_of.get(village_code, ())),
            }
            faults = [Fault(code="area_of_other_village", values=values)]
        return Place(county_code=code, village_code=village_code or at_area, area_id=area_id, faults=tuple(faults))

    def _county(self, text: str) -> tuple[str, Fault | None]:
        if not text:
            return "", Fault(code="empty", values={"column": "county_code", "column_zh": "县"})
        code = self.county_of.get(text) or self.county_of.get(_plain_county(text), "")
        if code in self.studied:
            return code, None
        if code:
            return code, Fault(
                code="county_not_studied", values={"found": cut(text), "allowed": listed(tuple(self.studied))}
            )
        near = self._near_names("county", "", lambda: (*self.studied, *self.studied.values())).near(text)
        return "", Fault(code="unknown_county", values={"found": cut(text)}, near=near)

    def _area(self, county: str, text: str) -> tuple[str, list[Fault]]:
        if not text:
            return "", [Fault(code="empty", values={"column": "area_id", "column_zh": "台区"})]
        if text in self.area_county:
            ids: tuple[str, ...] = (text,)
        else:
            ids = self.areas_called.get((county, text), ())
        if len(ids) > 1:
            return "", [Fault(code="ambiguous_area", values={"found": cut(text), "allowed": listed(ids)})]
        if not ids:
            near = self._near_names("area", county, lambda: _keys_at(self.area_county, county)).near(text)
            return "", [Fault(code="unknown_area", values={"found": cut(text)}, near=near)]
        where = self.area_county[ids[0]]
        if where != county:
            values = {"found": cut(text), "place": f"{self.studied.get(where, '')} {where}".strip()}
            return "", [Fault(code="area_of_other_county", values=values)]
        return ids[0], []

    def _village(self, county: str, text: str, area_id: str) -> tuple[str, list[Fault]]:
        at_area = self.area_village.get(area_id, "")
        if not text or text == at_area:
            return at_area, []
        if area_id and not at_area:
            return text, []  # a grid that does not say where its areas stand
        codes = (text,) if text in self.village_name else self._villages_called(county, text)
        if at_area in codes:
            codes = (at_area,)
        if not codes:
            near = self._near_names("village", county, lambda: self._village_names(county)).near(_plain(text))
            return "", [Fault(code="unknown_village", values={"found": cut(text)}, near=near)]
        if len(codes) > 1:
            allowed = listed([f"{code} {self.village_name[code]}" for code in codes])
            return "", [Fault(code="ambiguous_village", values={"found": cut(text), "allowed": allowed})]
        where = self.village_county[codes[0]]
        if where != county:
            place = f"{self.studied.get(where, '')} {where}".strip()
            return "", [Fault(code="village_of_other_county", values={"found": cut(text), "place": place})]
        if not self.areas_of.get(codes[0]) and not area_id:
            return "", [Fault(code="village_without_area", values={"found": cut(text)})]
        return codes[0], []

    def _villages_called(self, county: str, text: str) -> tuple[str, ...]:
        folded = unicodedata.normalize("NFKC", text)
        # Letters print the county in front.
        for name in (folded, *(folded.removeprefix(c).lstrip(", ") for c in self.county_names.get(county, ()))):
            codes = self.villages_called.get((county, name)) or self.villages_called.get((county, _plain(name)), ())
            if codes:
                return codes
        return ()

    def _village_names(self, county: str) -> list[str]:
        own = _keys_at(self.village_county, county)
        return [*own, *(_plain(self.village_name[code]) for code in own)]

    def _near_names(self, kind: str, county: str, names: Callable[[], Iterable[str]]) -> NearNames:
        """Return the finder of one kind of names of a county, made when the first name is not known."""
        if (kind, county) not in self._near:
            self._near[kind, county] = NearNames(names())
        return self._near[kind, county]


def known_places(areas: pd.DataFrame) -> KnownPlaces:
    """Return the places of the counties that are studied.

    Parameters
    ----------
    areas : DataFrame
        Areas of all of them: ``area_id``, ``county_code``, and ``name``, ``village_code``, ``village`` where known.

    Returns
    -------
    KnownPlaces
        With the villages that are on record for these counties, also those in which no area stands.
    """
    known = counties()
    names = dict(zip(known["county_code"], known["county"], strict=True))
    codes = list(dict.fromkeys(areas["county_code"].astype(str)))
    by_name: dict[str, str] = {}
    for code, zh, en in known[["county_code", "county", "county_en"]].itertuples(index=False):
        by_name |= {code: code, _plain_county(zh): code, _plain_county(en): code}
    ids = areas["area_id"].astype(str).tolist()
    cells = {
        name: areas[name].fillna("").astype(str).tolist() if name in areas else [""] * len(ids)
        for name in ("name", "county_code", "village_code", "village", "town")
    }
    record = villages()
    record = record[record["county_code"].isin(codes)]
    village_name = dict(zip(record["village_code"], record["village"], strict=True))
    village_county = dict(zip(record["village_code"], record["county_code"], strict=True))
    town_of = dict(zip(record["village_code"], record["town"], strict=True))
    places = zip(*(cells[name] for name in ("county_code", "village_code", "village", "town")), strict=True)
    for county, code, village, town in places:
        if code:
            village_name.setdefault(code, village or code)
            village_county[code] = county
            town_of.setdefault(code, town)
    return KnownPlaces(
        studied={code: names.get(code, code) for code in codes},
        county_of={**{code: code for code in codes}, **by_name},
        county_names=_grouped(
            (code, name)
            for code, zh, en in known[["county_code", "county", "county_en"]].itertuples(index=False)
            if code in codes
            for name in (zh, en)
        ),
        village_name=village_name,
        village_county=village_county,
        villages_called=_grouped(
            ((village_county[code], called), code)
            for code, name in village_name.items()
            for called in _ways_to_call(town_of.get(code, ""), name)
        ),
        area_county=dict(zip(ids, cells["county_code"], strict=True)),
        area_village=dict(zip(ids, cells["village_code"], strict=True)),
        area_name=dict(zip(ids, cells["name"], strict=True)),
        areas_called=_grouped(zip(zip(cells["county_code"], cells["name"], strict=True), ids, strict=True)),
        areas_of=_grouped(zip(cells["village_code"], ids, strict=True)),
    )


def _ways_to_call(town: str, village: str) -> tuple[str, ...]:
    """Return the names of a village, whole and plain, alone and behind its town, each once."""
    wholes = (village, f"{town}{village}")
    return tuple(dict.fromkeys(name for one in wholes for name in (unicodedata.normalize("NFKC", one), _plain(one))))


def _grouped(pairs: Iterable[tuple[Any, str]]) -> dict[Any, tuple[str, ...]]:
    result: dict[Any, list[str]] = {}
    for key, value in pairs:
        result.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in result.items()}


def _keys_at(where: Mapping[str, str], county: str) -> list[str]:
    return [key for key, code in where.items() if code == county]


def _plain(name: str) -> str:
    """Return the name of a village without what committees are called.

    Examples
    --------
    >>> _plain("上王村委会"), _plain("上王村"), _plain("西花园社区居委会"), _plain("村")
    ('上王', '上王', '西花园', '村')
    """
    text = unicodedata.normalize("NFKC", name).strip()
    for end in _VILLAGE_ENDS:
        if len(text) > len(end):
            text = text.removesuffix(end)
    return text


def _plain_county(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).strip().lower()
    return text[:-1] if len(text) > 2 and text.endswith(_COUNTY_ENDS) else text


def cut(text: str) -> str:
    """Return a cell as messages show it: in quotation marks, what cannot be printed escaped, not endlessly long."""
    shown = repr(text)
    return shown if len(shown) <= _SHOWN_CHARACTERS + 20 else f"{shown[: _SHOWN_CHARACTERS + 20]}…"


def listed(names: Sequence[str]) -> str:
    """Return names as messages show them, the first of many."""
    more = len(names) - _SHOWN_NAMES
    return "–" if not names else ", ".join(names[:_SHOWN_NAMES]) + (f" … (+{more})" if more > 0 else "")
