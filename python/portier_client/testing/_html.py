"""What a browser sees on a page: forms, texts, and the marks of the pages of the flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_UNSEEN = {"script", "style", "template", "noscript"}
_BUTTONS = {"button", "file", "image", "reset", "submit"}


@dataclass
class Form:
    """A form with its initial values."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """The names of all fields, also of those that are sent only once they are filled in."""

    @property
    def posts_itself(self) -> bool:
        """Whether a script of the flow posts the form, without a question to the person."""
        return "portier_again" in self.names and "portier_confirmation" not in self.names

    @property
    def asks_for_consent(self) -> bool:
        """Whether the form asks if the person wants to continue in this browser."""
        return "portier_confirmation" in self.names


class PageReader(HTMLParser):
    """Reads a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.kind: str | None = None
        """The ``data-portier`` of a page of the flow."""
        self.problem: str | None = None
        """The ``data-id`` of a page about a problem."""
        self._inside: Form | None = None
        self._hidden = 0
        self._select: str | None = None
        self._textarea: str | None = None
        self._texts: list[str] = []
        self.feed(page)
        self.close()

    @property
    def text(self) -> str:
        """The text that a person sees."""
        return " ".join(" ".join(self._texts).split())

    def form_with(self, name: str) -> Form | None:
        """The first form that has a field."""
        return next((form for form in self.forms if name in form.names), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read an element."""
        given = {name: value or "" for name, value in attrs}
        if tag in _UNSEEN:
            self._hidden += 1
        elif tag == "form":
            method = given.get("method", "get").lower()
            self._inside = Form(given.get("action", ""), method)
            self.forms.append(self._inside)
        elif tag == "main" and "data-portier" in given:
            self.kind, self.problem = given["data-portier"], given.get("data-id")
        elif self._inside is not None:
            self._read_field(self._inside, tag, given)

    def handle_endtag(self, tag: str) -> None:
        """Read the end of an element."""
        if tag in _UNSEEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "form":
            self._inside = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        """Read text."""
        if self._inside is not None and self._textarea is not None:
            self._inside.fields[self._textarea] += data
        elif not self._hidden:
            self._texts.append(data)

    def _read_field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text").lower()
        if tag == "option" and self._select is not None:
            # The first option is the initial one, unless another one says so.
            if "selected" in given or self._select not in form.fields:
                form.fields[self._select] = given.get("value", "")
            return
        if not name or tag not in {"input", "select", "textarea"} or kind in _BUTTONS:
            return
        form.names.add(name)
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea, form.fields[name] = name, ""
        elif kind not in {"checkbox", "radio"} or "checked" in given:
            form.fields[name] = given.get("value", "on" if kind == "checkbox" else "")
