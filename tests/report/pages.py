"""A page, read strictly: every element closed, ids and links gathered, text beside where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "link", "input", "hr"}


@dataclass
class Page(HTMLParser):
    """Attributes:
    ids: In order, double ones too.
    links: Targets of ``href="#..."`` and of ``url(#...)``.
    outside: Everything that would ask another place for something.
    faults: Elements that do not close where they should.
    """

    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    labelled: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    handlers: list[str] = field(default_factory=list)
    paints: list[str] = field(default_factory=list)
    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    headings: list[str] = field(default_factory=list)
    scripts: list[dict[str, str]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)
    _text: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, attrs)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-3:]} at line {self.getpos()[0]}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self._text.setdefault(tag, []).append(data)
        if "style" in self._open:
            self.outside += re.findall(r"@import[^;]*|url\((?!#|data:)[^)]*\)", data)

    def _see(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attrs = {k: v or "" for k, v in pairs}
        if len(attrs) < len(pairs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if re.fullmatch(r"h\d", tag):
            self.headings.append(tag)
        if tag == "section":
            self.sections[attrs["id"]] = attrs
        if tag == "script":
            self.scripts.append(attrs)
        inside_svg = "svg" in self._open or tag == "svg"
        for key, value in attrs.items():
            if key.startswith("on"):
                self.handlers.append(f"{tag} {key}")
            if key in ("href", "src", "xlink:href", "action", "data", "poster", "srcset"):
                if value.startswith("#"):
                    self.links.append(value[1:])
                elif not value.startswith("data:image/png;base64,"):
                    self.outside.append(value)
            self.links += re.findall(r"url\(#([^)]+)\)", value)
            self.outside += re.findall(r"url\((?!#)[^)]*\)", value)
            if key in ("aria-labelledby", "aria-describedby"):
                self.labelled += value.split()
            if inside_svg and key in ("style", "fill", "stroke"):
                for part in value.split(";") if key == "style" else [f"{key}:{value}"]:
                    name, _, paint = part.partition(":")
                    if name.strip() in ("fill", "stroke", "color"):
                        self.paints.append(paint.strip())

    def text(self, tag: str = "body") -> str:
        return "\n".join(self._text.get(tag, []))


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    return page
