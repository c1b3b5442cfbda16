"""The trial of a template: the form of its parameters, and the rendered text or what is wrong, as pages show them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from core.admin.code import LINE_BREAK, Span, code_block
from core.errors import DomainError
from stacks.masking import mask_secrets, mask_template
from templates_app.errors import InvalidParameters, InvalidParametersSchema
from templates_app.parameters import PREFIX, Kind, Parameter, parameters_of, read
from templates_app.schema_masking import mask_schema
from templates_app.services import Preview, preview

_TAG = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|\{#.*?(?:#\}|\Z)", re.DOTALL)
_EXCERPT = 200


@dataclass(frozen=True, slots=True)
class Control:
    """A parameter's field with its typed value."""

    parameter: Parameter
    id: str
    text: str
    controls: list["Control"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One problem and its place: a control of the form, or a line of the template."""

    text: str
    control_id: str = ""
    control_title: str = ""
    line: int | None = None
    column: int | None = None
    excerpt: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    controls: list[Control]
    complaints: list[Complaint]
    rendered: SafeString | None
    # The schema's digest. A parameter form with another digest is out of date.
    schema_digest: str
    # Whether the only problem is that nothing has been filled in yet.
    is_fresh: bool = False

    def parameters_html(self) -> str:
        return render_to_string("templates_app/admin/parameters.html", {"trial": self})

    def result_html(self) -> str:
        return render_to_string("templates_app/admin/result.html", {"trial": self})


def try_out(
    template_content: str, parameters_schema: str, given: Mapping[str, str], *, is_masked: bool = False
) -> Trial:
    """Render the template with the parameters from a form's fields. Nothing is stored.

    With `is_masked`, it is for a reader who did not write them. The text is rendered from the masked template, because
    parameters may move a value to a place where nothing shows that it belongs to a Secret.
    """
    shown, shown_schema = template_content, parameters_schema
    if is_masked:
        shown, shown_schema = mask_template(shown), mask_schema(shown_schema, template_content)
    parameters, is_fresh = parameters_of(shown_schema), False
    controls = list(_controls(parameters, given, "parameter"))
    reading = read(parameters, given)
    if reading.problems:
        complaints, outcome = (
            [_at_control(problem, controls) for problem in reading.problems],
            Preview(None, []),
        )
    else:
        outcome = preview(
            template_content=template_content, parameters_schema=parameters_schema, parameters=reading.value
        )
        problems = outcome.problems
        if outcome.text is not None and shown != template_content:
            outcome = preview(
                template_content=shown, parameters_schema=parameters_schema, parameters=reading.value
            )
        if not given and (unfilled := [each for each in problems if isinstance(each, InvalidParameters)]):
            # Errors of rendering with missing parameters would only repeat this.
            is_fresh, problems, outcome = True, [*unfilled], Preview(None, [])
        complaints = [
            complaint
            for problem in problems
            for complaint in _complaints(problem, controls, template_content, shown)
        ]
    digest = sha256(shown_schema.encode("utf-8", "surrogatepass")).hexdigest()
    return Trial(controls, complaints, _rendered(outcome), digest, is_fresh)


def template_spans(source: str) -> Iterator[Span]:
    """The coloured parts of a template: its tags."""
    for tag in _TAG.finditer(source):
        yield tag.start(), tag.end(), "comment" if tag[0].startswith("{#") else "name"


def _controls(parameters: list[Parameter], given: Mapping[str, str], prefix: str) -> Iterator[Control]:
    for number, parameter in enumerate(parameters, start=1):
        name = f"{prefix}-{number}"
        if parameter.kind == Kind.GROUP:
            yield Control(parameter, name, "", list(_controls(list(parameter.fields), given, name)))
        else:
            yield Control(parameter, name, given.get(parameter.name, parameter.default))


def _rendered(outcome: Preview) -> SafeString | None:
    if outcome.text is None:
        return None
    lines = (problem.details.get("line") for problem in outcome.problems if _is_about_text(problem))
    return code_block(
        mask_secrets(outcome.text), marked=next((line for line in lines if isinstance(line, int)), None)
    )


def _is_about_text(problem: DomainError) -> bool:
    return problem.code == "invalid_deployment_object"


def _complaints(
    problem: DomainError, controls: list[Control], source: str, shown: str
) -> Iterator[Complaint]:
    if isinstance(problem, InvalidParameters):
        found: Any = problem.details["validation_errors"]
        for violation in found:
            yield _at_control(violation, controls)
    elif isinstance(problem, InvalidParametersSchema):
        yield Complaint(problem.text, field="parameters_schema")
    elif _is_about_text(problem):
        yield Complaint(f"The rendered text cannot be published: {problem.text}")
    else:
        line, column = problem.details.get("line"), problem.details.get("column")
        yield Complaint(
            problem.text,
            line=line if isinstance(line, int) else None,
            column=column if isinstance(column, int) else None,
            excerpt=_line_of(source, line, shown),
            field="template_content",
        )


def _line_of(source: str, line: object, shown: str) -> str:
    """The beginning of the line; empty when the line is not shown."""
    lines = LINE_BREAK.split(source)
    if not isinstance(line, int) or not 0 < line <= len(lines):
        return ""
    text = lines[line - 1]
    return text[:_EXCERPT] if shown == source or text in LINE_BREAK.split(shown) else ""


def _at_control(problem: str, controls: list[Control]) -> Complaint:
    """The complaint for a message that begins with a JSON pointer, at the control of the nearest parameter."""
    pointer = problem.partition(": ")[0] if problem.startswith("/") else ""
    best = max(
        (control for control in _flat(controls) if _leads(control.parameter.pointer, pointer)),
        key=lambda control: len(control.parameter.pointer),
        default=None,
    )
    if best is None:
        return Complaint(problem)
    return Complaint(problem, control_id=best.id, control_title=best.parameter.title)


def _flat(controls: list[Control]) -> Iterator[Control]:
    for control in controls:
        yield control
        yield from _flat(control.controls)


def _leads(part: str, pointer: str) -> bool:
    return bool(part) and (pointer == part or pointer.startswith(f"{part}/"))


def given_parameters(data: Mapping[str, Any]) -> dict[str, str]:
    """The parameters among a form's fields; empty when the page is opened for the first time."""
    return {name: str(data[name]) for name in data if name.startswith(PREFIX)}
