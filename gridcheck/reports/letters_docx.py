"""Letters as Word documents: styles and page by python-docx, made once; the text of each letter put into that shell.

Building every paragraph through objects would take most of the time of a village, so the body is written as the XML
that these objects would write. The zip carries fixed dates: the same letter gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from gridcheck.reports.letters_words import LetterText, Section
from gridcheck.reports.texts import Language, text

if TYPE_CHECKING:
    from docx.document import Document

_FONT_LATIN, _FONT_CHINESE = "Arial", "Microsoft YaHei"
# The date of the plan's document stands in for "now", as in the workbook.
_CREATED = datetime(2025, 6, 4)  # noqa: DTZ001  (the format stores no zone)
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_BODY_PART = "word/document.xml"
# Styles that the body names; all others of python-docx's template would only make each file larger.
_STYLES_USED = frozenset(
    {
        "Normal",
        "Default Paragraph Font",
        "Normal Table",
        "Table Grid",
        "Header",
        "Footer",
        "Title",
        "Heading 2",
        "No List",
    }
)
# Widths of the two columns of a table on A4 with these margins. [twentieths of a point]
_NAME_TWIPS, _VALUE_TWIPS = 2350, 7280
_MARGIN_MM = 20.0
_CODE_FONT = '<w:rFonts w:ascii="Consolas" w:hAnsi="Consolas"/><w:b/>'
_CLOSE = '<w:spacing w:after="0"/>'
_SMALL = '<w:color w:val="52606D"/><w:sz w:val="17"/>'


def letters_docx(letters: Sequence[LetterText]) -> bytes:
    """Return letters of one language as one Word document, each on a page of its own.

    Parameters
    ----------
    letters : sequence of LetterText
        At least one; they share language and, being of one run, the warning of synthetic data.
    """
    first = letters[0]
    parts = _shell(first.language, any(letter.specimen for letter in letters))
    before, behind = parts[_BODY_PART]
    body = "".join(_letter(letter, begins_page=k > 0) for k, letter in enumerate(letters))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, date_time=_ZIP_TIME)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o600 << 16
            file.writestr(info, before + body.encode("utf-8") + behind if name == _BODY_PART else content[0])
    return buffer.getvalue()


@cache
def _shell(language: Language, specimen: bool) -> dict[str, tuple[bytes, bytes]]:  # noqa: FBT001  (key of the cache)
    """Return the parts of an empty letter by name; that of the body is cut where the letters go."""
    import docx

    document = docx.Document()
    _set_page(document, language, specimen=specimen)
    _set_styles(document)
    _drop_what_is_not_needed(document)
    buffer = io.BytesIO()
    document.save(buffer)
    with zipfile.ZipFile(buffer) as file:
        parts = {name: (file.read(name), b"") for name in file.namelist()}
    whole = parts[_BODY_PART][0]
    place = whole.index(b"<w:sectPr")
    parts[_BODY_PART] = (whole[:place], whole[place:])
    return parts


def _set_page(document: Document, language: Language, *, specimen: bool) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import parse_xml
    from docx.shared import Mm, Pt, RGBColor

    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(_MARGIN_MM)
    section.top_margin, section.bottom_margin = Mm(16), Mm(14)
    section.header_distance, section.footer_distance = Mm(8), Mm(8)
    if specimen:
        line = section.header.paragraphs[0]
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = line.add_run(text("letter.watermark", language))
        run.bold, run.font.size, run.font.color.rgb = True, Pt(14), RGBColor(0xB9, 0x1C, 0x1C)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    # Word fills the two fields in; it counts pages when the file is opened.
    pieces = text("letter.page", language, page="\0PAGE\0", pages="\0NUMPAGES\0").split("\0")
    for piece in pieces:
        if piece in ("PAGE", "NUMPAGES"):
            field = f'<w:fldSimple {_namespace()} w:instr=" {piece} "><w:r><w:t>1</w:t></w:r></w:fldSimple>'
            foot._p.append(parse_xml(field))  # noqa: SLF001  (python-docx has no call for fields)
        else:
            foot.add_run(piece)
    properties = document.core_properties
    properties.author = properties.last_modified_by = "gridcheck"
    properties.title, properties.comments = text("letter.title", language), ""
    properties.created = properties.modified = _CREATED
    properties.revision = 1


def _namespace() -> str:
    from docx.oxml.ns import nsdecls

    declared: str = nsdecls("w")
    return declared


def _set_styles(document: Document) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    for name, points, before, after in (("Normal", 9, 0, 1.5), ("Title", 16, 0, 4), ("Heading 2", 10, 5, 1.5)):
        style: Any = document.styles[name]
        style.font.name, style.font.size = _FONT_LATIN, Pt(points)
        fonts = style.element.rPr.rFonts
        for attribute in [key for key in fonts.attrib if key.endswith("Theme")]:
            del fonts.attrib[attribute]
        fonts.set(qn("w:eastAsia"), _FONT_CHINESE)
        style.font.color.rgb = RGBColor(0x1F, 0x29, 0x33)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
    title: Any = document.styles["Title"]
    title.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    # The template underlines its titles.
    for border in title.element.pPr.findall(qn("w:pBdr")):
        title.element.pPr.remove(border)


def _drop_what_is_not_needed(document: Document) -> None:
    """Take styles, picture and old parts of the template out, so that a letter is small and written quickly."""
    from docx.oxml.ns import qn

    for style in list(document.styles):
        if style.name not in _STYLES_USED:
            style.delete()
    for style in document.styles:
        # The other half of the pair is gone.
        for link in style.element.findall(qn("w:link")):
            style.element.remove(link)
    for holder in (document.part, document.part.package):
        for key, relation in list(holder.rels.items()):
            if relation.reltype.endswith(
                ("/stylesWithEffects", "/thumbnail", "/customXml", "/webSettings", "/numbering")
            ):
                del holder.rels[key]


def _letter(letter: LetterText, *, begins_page: bool) -> str:
    parts = [
        _paragraph(letter.title, style="Title", extra="<w:pageBreakBefore/>" if begins_page else ""),
        _paragraph(
            f"{letter.number}\t{letter.dated}",
            extra=f'<w:tabs><w:tab w:val="right" w:pos="{_NAME_TWIPS + _VALUE_TWIPS}"/></w:tabs>',
        ),
    ]
    if letter.specimen:
        parts.insert(0, _framed("8A6D3B", [(letter.specimen, "<w:b/>")], fill="FBF5E6", begins_page=begins_page))
        parts[1] = _paragraph(letter.title, style="Title")
    frame = letter.colour.removeprefix("#").upper()
    parts.append(_framed(frame, [(letter.verdict, '<w:b/><w:sz w:val="26"/>'), (letter.reply, "")]))
    parts += [_section(section, letter.code) for section in letter.sections]
    parts += [
        _paragraph(line, extra='<w:keepNext/><w:spacing w:before="60"/><w:jc w:val="right"/>')
        for line in letter.signature
    ]
    parts += [_paragraph(note, look=_SMALL) for note in letter.notes]
    return "".join(parts)


def _section(section: Section, code: str) -> str:
    rows = "".join(_row(name, value, _CODE_FONT if value == code else "") for name, value in section.rows)
    table = (
        '<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/>'
        f'<w:tblW w:w="{_NAME_TWIPS + _VALUE_TWIPS}" w:type="dxa"/><w:tblLayout w:type="fixed"/></w:tblPr>'
        f'<w:tblGrid><w:gridCol w:w="{_NAME_TWIPS}"/><w:gridCol w:w="{_VALUE_TWIPS}"/></w:tblGrid>{rows}</w:tbl>'
    )
    heading = _paragraph(section.heading, style="Heading2")
    return heading + (table if rows else "") + "".join(_paragraph(line) for line in section.lines)


def _row(name: str, value: str, look: str) -> str:
    cells = (
        (name, _NAME_TWIPS, '<w:shd w:val="clear" w:color="auto" w:fill="F3F5F7"/>', ""),
        (value, _VALUE_TWIPS, "", look),
    )
    shown = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr>'
        f"{_paragraph(words, extra=_CLOSE, look=own)}</w:tc>"
        for words, width, shade, own in cells
    )
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{shown}</w:tr>"


def _framed(colour: str, lines: Sequence[tuple[str, str]], *, fill: str = "", begins_page: bool = False) -> str:
    """Return paragraphs in one frame with a thick left edge."""
    sides = (("top", 6), ("left", 36), ("bottom", 6), ("right", 6))
    edges = "".join(f'<w:{side} w:val="single" w:sz="{size}" w:space="4" w:color="{colour}"/>' for side, size in sides)
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else ""
    around = f'<w:pBdr>{edges}</w:pBdr>{shade}<w:ind w:left="120" w:right="120"/>'
    return "".join(
        _paragraph(words, extra=("<w:pageBreakBefore/>" if begins_page and k == 0 else "") + around, look=look)
        for k, (words, look) in enumerate(lines)
    )


def _paragraph(words: str, *, style: str = "", extra: str = "", look: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    properties = f"<w:pPr>{named}{extra}</w:pPr>" if named or extra else ""
    run_properties = f"<w:rPr>{look}</w:rPr>" if look else ""
    pieces = "<w:tab/>".join(f'<w:t xml:space="preserve">{escape(piece)}</w:t>' for piece in words.split("\t"))
    return f"<w:p>{properties}<w:r>{run_properties}{pieces}</w:r></w:p>"
