"""XML that strangers wrote: read without entities, which could name files and servers or grow without end."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import reports
from jenkins_cd.masking import excerpt


def read(path: Path) -> Element:
    """Return the root element of an XML file. Raises UnreadableReport, naming the file and the line."""
    data = reports.content(path)
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
        return builder.close()
    except UnreadableReport as error:
        raise UnreadableReport(f"{path} {error.message}") from error
    except (expat.ExpatError, AssertionError, ValueError, LookupError) as error:
        raise UnreadableReport(f"{path} is no XML: {error}") from error


def _refuse(name: str, *_rest: object) -> NoReturn:
    raise UnreadableReport(f"declares the entity {excerpt(name, 80)!r}: entities are not read")
