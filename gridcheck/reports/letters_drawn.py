"""What only answers of the connection desk say: probabilities, wires, what the area breaks already, another phase."""

from __future__ import annotations

from gridcheck.ledger.granted import granted_phase
from gridcheck.reports.labels import number
from gridcheck.reports.letters_facts import LetterFacts
from gridcheck.reports.texts import Language, is_known, label, text


def element(name: str, language: Language) -> str:
    """Return the name of an element with its phase or neutral in words.

    Examples
    --------
    >>> element("P012:N", "en"), element("140827-A0001", "en")
    ('P012 (neutral)', '140827-A0001')
    """
    node, colon, wire = name.rpartition(":")
    if not (colon and is_known("letter_wire", wire)):
        return name
    return text("letter_value.element_wire", language, node=node, wire=label("letter_wire", wire, language))


def phase(facts: LetterFacts) -> str:
    """Return the phase of an approval: the one that its condition names, else the one that was asked for."""
    return granted_phase(facts.phase, facts.conditions)


def probability(facts: LetterFacts, language: Language) -> str:
    """Return the sentence about draws; empty where the binding limit is no matter of draws."""
    if facts.probability is None or not facts.draws:
        return ""
    is_late = facts.verdict == "defer"
    share = {"share": facts.probability, "low": facts.probability_low, "high": facts.probability_high}
    if is_late:
        # Said the way it is felt: how often the limit is broken.
        low, high = facts.probability_high, facts.probability_low
        share = {"share": 1.0 - facts.probability, "low": _rest(low), "high": _rest(high)}
    words = {name: number(None if value is None else 100.0 * value, 1) for name, value in share.items()}
    key = "probability_broken" if is_late else "probability_kept"
    return text(f"letter_reason.{key}", language, draws=number(facts.draws), **words)


def _rest(value: float | None) -> float | None:
    return None if value is None else 1.0 - value


def broken_before(facts: LetterFacts, language: Language) -> str:
    """Return what the area breaks without the heater, or that nobody has kept it; empty where it keeps its limits."""
    if facts.broken_before is None:
        return text("letter_reason.broken_before_unknown", language)
    if not facts.broken_before:
        return ""
    unknown = text("letter.unknown_code", language)
    names = [label("quantity", code, language) if is_known("quantity", code) else unknown
             for code in facts.broken_before]  # fmt: skip
    key = "broken_before" if facts.verdict == "defer" else "broken_before_kept"
    return text(f"letter_reason.{key}", language, quantities=text("letter.comma", language).join(names))
