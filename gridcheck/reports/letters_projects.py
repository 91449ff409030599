"""Projects of the plan in the words of a letter."""

from __future__ import annotations

from gridcheck.reports import labels
from gridcheck.reports.letters_facts import ProjectFact
from gridcheck.reports.texts import Language, is_known, text
from gridcheck.units import YUAN_PER_WAN

# Below this a cost in ten thousand yuan would be a fraction of one. [yuan]
_SMALL_YUAN = YUAN_PER_WAN


def project_line(project: ProjectFact, language: Language) -> str:
    """Return one project with its cost and whether it is chosen."""
    name = labels.measure_name(project.measure, language)
    work = labels.work_text(project.description, language)
    state = project.outcome if is_known("letter_project_state", project.outcome) else "other"
    line = text(
        "letter_project.line" if work else "letter_project.line_no_work",
        language,
        # A measure without a name in the catalogue would show its code.
        measure=text("letter.unknown_code", language) if name == project.measure else name,
        work=work,
        cost=_cost(project.cost_yuan, language),
        state=text(f"letter_project_state.{state}", language),
    )
    return text("letter_project.of_area" if project.of_area else "letter_project.of_feeder", language, line=line)


def _cost(cost_yuan: float, language: Language) -> str:
    if language == "en" or cost_yuan < _SMALL_YUAN:
        return f"{labels.number(cost_yuan)} {text('unit.yuan', language)}"
    return f"{labels.wan(cost_yuan, 1)} {text('unit.wan', language)}"
