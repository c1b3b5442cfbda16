"""New agents as people describe them: one in a form, or many in a CSV, each of whose rows is read like the form."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from agents.models import Agent
from agents.services.agents import create_agent
from core.api.fields import parse_uuid
from core.events import Actor
from core.validators import MAX_NAME, is_label
from generators.models import Generator

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
    from django.forms import CheckboxInput as _Switch
else:
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput
    from unfold.widgets import UnfoldBooleanSwitchWidget as _Switch

# Each has a key, which is shown once on one page, and all are made in one transaction.
MAX_AGENTS: Final = 200
MAX_CHARACTERS: Final = 256 * 1024
_SEPARATOR: Final = "|"
_COLUMNS: Final = {
    "name": "name",
    "cluster": "cluster_name",
    "labels": "labels",
    "registrations": "registrations",
    "active": "is_active",
}
_YES: Final = {"yes": "on", "true": "on", "1": "on", "no": "", "false": "", "0": "", "": ""}


class AgentForm(forms.Form):
    """`generators` has the ids of generators by what may name them: their names and their ids."""

    name = forms.CharField(max_length=MAX_NAME, widget=_TextInput(attrs={"autocomplete": "off"}))
    cluster_name = forms.CharField(
        label="Cluster", max_length=MAX_NAME, widget=_TextInput(attrs={"autocomplete": "off"})
    )
    labels = forms.CharField(
        required=False,
        widget=_TextInput(attrs={"autocomplete": "off"}),
        help_text="With spaces between them, such as env:prod ring=canary. They bring the stacks that have them too.",
    )
    registrations = forms.CharField(
        required=False,
        widget=_TextInput(attrs={"autocomplete": "off"}),
        help_text=f"Names or ids of generators, with {_SEPARATOR} between them, beside the system's "
        "generator, with which each agent is registered.",
    )
    is_active = forms.BooleanField(
        label="Active",
        required=False,
        widget=_Switch,
        help_text="It applies what it should have from its first poll on. Else it waits until somebody activates it.",
    )

    def __init__(self, *args: Any, generators: Mapping[str, UUID] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._generators = generators

    def clean_labels(self) -> list[str]:
        labels = str(self.cleaned_data["labels"]).split()
        for label in labels:
            if not is_label(label):
                raise ValidationError(f"“{label[:80]}” is no label: it must have 1 to 64 characters.")
        return labels

    def clean_registrations(self) -> list[UUID]:
        names = split_names(self.cleaned_data["registrations"])
        known = generators_named(names) if self._generators is None else self._generators
        for name in names:
            if name not in known:
                raise ValidationError(f"There is no generator “{name[:80]}”.")
        return [known[name] for name in names]

    def create(self, actor: Actor) -> tuple[Agent, str]:
        """Create the agent of a valid form; it and its key. Raises what `create_agent` raises."""
        values = self.cleaned_data
        return create_agent(
            name=values["name"],
            cluster_name=values["cluster_name"],
            generator_ids=values["registrations"],
            labels=values["labels"],
            is_active=values["is_active"],
            actor=actor,
        )


def split_names(text: str) -> list[str]:
    """The names in a text, without the spaces around them."""
    return [name.strip() for name in text.split(_SEPARATOR) if name.strip()]


def generators_named(names: Iterable[str]) -> dict[str, UUID]:
    """The live generators with these names or ids, by both. One query."""
    wanted = set(names)
    ids = {pk for name in wanted if (pk := parse_uuid(name)) is not None}
    rows = Generator.objects.active().owners().filter(Q(name__in=wanted) | Q(pk__in=ids))
    return {key: pk for pk, name in rows.values_list("pk", "name") for key in (name, str(pk))}


@dataclass(slots=True)
class Line:
    """One row of a CSV. `number` is that of its line, `errors` are sentences."""

    number: int
    form: AgentForm
    errors: list[str] = field(default_factory=list)

    @property
    def values(self) -> list[str]:
        return [str(self.form.data[name]) for name in _COLUMNS.values()]


def read_csv(text: str) -> list[Line]:
    """The rows of a CSV, whose first line names the columns. Fields are separated as in that line.

    Raises ValidationError if it is no such CSV. Errors of a row are in the row. Three queries.
    """
    rows = _rows(text)
    known = generators_named(name for _, row in rows for name in split_names(row["registrations"]))
    lines = [Line(number, AgentForm(row, generators=known)) for number, row in rows]
    taken = _taken(row for _, row in rows)
    seen: dict[tuple[str, str], int] = {}
    for line in lines:
        for name, errors in line.form.errors.items():
            line.errors += [f"{_column(name)}: {error}" for error in errors]
        if line.form.data["is_active"] not in {"", "on"}:
            line.errors.append("active: it must be yes or no.")
        who = (line.form.data["name"].strip(), line.form.data["cluster_name"].strip())
        if who in taken:
            line.errors.append("There is an agent with this name in this cluster already.")
        if who in seen:
            line.errors.append(f"The same as in line {seen[who]}.")
        seen.setdefault(who, line.number)
    return lines


def _column(field_name: str) -> str:
    return next(column for column, name in _COLUMNS.items() if name == field_name)


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise ValidationError(f"It may have at most {MAX_CHARACTERS:,} characters.")
    head = text.lstrip().partition("\n")[0]
    # Spreadsheets of some countries write semicolons.
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=separator, strict=True)
    found: list[tuple[int, dict[str, str]]] = []
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        if not {"name", "cluster"} <= set(columns) <= set(_COLUMNS) or len(set(columns)) != len(columns):
            raise ValidationError(
                "The first line must name the columns: name and cluster; also labels, registrations and active."
            )
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(columns):
                raise ValidationError(f"Line {reader.line_num} has more fields than the first line.")
            row = dict.fromkeys(_COLUMNS.values(), "") | {
                _COLUMNS[column]: cell for column, cell in zip(columns, cells, strict=False)
            }
            active = row["is_active"].strip().lower()
            found.append((reader.line_num, row | {"is_active": _YES.get(active, active)}))
            if len(found) > MAX_AGENTS:
                raise ValidationError(f"At most {MAX_AGENTS} agents are added at once.")
    except csv.Error as error:
        raise ValidationError(f"Line {reader.line_num} cannot be read: {error}.") from error
    if not found:
        raise ValidationError("There is no agent in it.")
    return found


def _taken(rows: Iterable[Mapping[str, str]]) -> set[tuple[str, str]]:
    names = {row["name"].strip() for row in rows}
    return set(Agent.objects.active().filter(name__in=names).values_list("name", "cluster_name"))
