"""Creating template versions and making deployment objects from them."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from core.errors import DomainError
from core.events import Actor, Event, emit
from core.validators import is_name
from generators.services import lock_generator, require_active, system_generator
from stacks.errors import InvalidDeploymentObject
from stacks.manifests import ManifestError, check_manifest
from stacks.models import DeploymentObject, Stack
from stacks.services import publish
from templates_app.errors import (
    InvalidParameters,
    InvalidParametersSchema,
    InvalidTemplate,
    InvalidTemplateSyntax,
    TemplateRenderFailed,
    TemplateStackMismatch,
)
from templates_app.matching import missing_on
from templates_app.models import RenderedObject, StackTemplate
from templates_app.schemas import InvalidSchema, check_schema, violations
from templates_app.tera import TemplateRenderError, TemplateSyntaxError, compile_template, template_for


@dataclass(frozen=True, slots=True)
class Preview:
    """What rendering would give: the text, when it renders, and everything that speaks against it."""

    text: str | None
    problems: list[DomainError]


@transaction.atomic
def create_template(
    *,
    generator_id: UUID | None,
    name: str,
    description: str | None,
    template_content: str,
    parameters_schema: str,
    actor: Actor,
) -> StackTemplate:
    """The next version of `name` among the live ones of its owner, the first when there is none.

    Raises InvalidTemplate, InvalidTemplateSyntax, InvalidParametersSchema, GeneratorInactive.
    """
    if not is_name(name):
        raise InvalidTemplate
    _check(description, template_content, parameters_schema)
    return _add_version(
        generator_id=generator_id,
        name=name,
        description=description,
        template_content=template_content,
        parameters_schema=parameters_schema,
        kind="template.created",
        actor=actor,
    )


@transaction.atomic
def update_template(
    *,
    template: StackTemplate,
    description: str | None,
    template_content: str,
    parameters_schema: str,
    actor: Actor,
) -> StackTemplate:
    """A new version beside `template`, which stays; no description inherits its. Labels are not copied.

    Raises InvalidTemplate, InvalidTemplateSyntax, InvalidParametersSchema, GeneratorInactive.
    """
    _check(description, template_content, parameters_schema)
    return _add_version(
        generator_id=template.generator_id,
        name=template.name,
        description=template.description if description is None else description,
        template_content=template_content,
        parameters_schema=parameters_schema,
        kind="template.updated",
        actor=actor,
    )


@transaction.atomic
def delete_template(*, template: StackTemplate, actor: Actor) -> None:
    """Delete this version only; what was made from it keeps pointing at it."""
    now = timezone.now()
    if not StackTemplate.objects.active().filter(pk=template.pk).update(deleted_at=now, updated_at=now):
        return
    _tell("template.deleted", template, actor, None)


def instantiate(
    *, stack: Stack, template: StackTemplate, parameters: object, actor: Actor
) -> tuple[DeploymentObject, RenderedObject]:
    """Render the template and publish the text on the stack; both or nothing.

    Raises, in this order, TemplateStackMismatch, InvalidParameters, TemplateRenderFailed, InvalidDeploymentObject.
    """
    missing = missing_on(stack, template)
    if missing:
        raise TemplateStackMismatch(
            missing_labels=missing.labels, missing_annotations=[list(pair) for pair in missing.annotations]
        )
    text = _render(template, parameters)
    with transaction.atomic():
        obj = publish(stack_id=stack.id, yaml_content=text, is_deletion_marker=False, actor=actor)
        rendered = RenderedObject.objects.create(
            deployment_object=obj,
            template=template,
            template_version=template.version,
            template_parameters=json.dumps(
                parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False
            ),
        )
    return obj, rendered


def preview(*, template_content: str, parameters_schema: str, parameters: object) -> Preview:
    """Render without storing anything; refusals are collected, not raised."""
    problems: list[DomainError] = []
    text: str | None = None
    try:
        _validate(parameters_schema, parameters)
    except (InvalidParameters, InvalidParametersSchema) as error:
        problems.append(error)
    try:
        text = _render_text(template_content, parameters)
        check_manifest(text)
    except (TemplateRenderFailed, InvalidTemplateSyntax) as error:
        problems.append(error)
    except ManifestError as error:
        problems.append(InvalidDeploymentObject(str(error)))
    return Preview(text, problems)


def _render(template: StackTemplate, parameters: object) -> str:
    _validate(template.parameters_schema, parameters)
    return _render_text(template.template_content, parameters)


def _validate(parameters_schema: str, parameters: object) -> None:
    try:
        found = violations(parameters_schema, parameters)
    except InvalidSchema as error:
        raise InvalidParametersSchema(str(error)) from error
    if found:
        raise InvalidParameters(validation_errors=found)


def _render_text(template_content: str, parameters: object) -> str:
    try:
        return template_for(template_content).render(parameters)
    except TemplateSyntaxError as error:
        raise InvalidTemplateSyntax(str(error), line=error.line, column=error.column) from error
    except TemplateRenderError as error:
        raise TemplateRenderFailed(str(error), line=error.line, column=error.column) from error


def _check(description: str | None, template_content: str, parameters_schema: str) -> None:
    if not template_content.strip() or (description is not None and not description.strip()):
        raise InvalidTemplate
    try:
        compile_template(template_content)
    except TemplateSyntaxError as error:
        raise InvalidTemplateSyntax(str(error), line=error.line, column=error.column) from error
    try:
        check_schema(parameters_schema)
    except InvalidSchema as error:
        raise InvalidParametersSchema(str(error)) from error


def _add_version(
    *,
    generator_id: UUID | None,
    name: str,
    description: str | None,
    template_content: str,
    parameters_schema: str,
    kind: str,
    actor: Actor,
) -> StackTemplate:
    # The owner's lock puts simultaneous versions of one name in a queue.
    owner = lock_generator(generator_id if generator_id is not None else system_generator().id)
    require_active(owner, actor)
    newest: Any = (
        StackTemplate.objects.active()
        .versions_of(name, generator_id)
        .aggregate(newest=Max("version"))["newest"]
    )
    template = StackTemplate.objects.create(
        generator_id=generator_id,
        name=name,
        description=description,
        version=(newest or 0) + 1,
        template_content=template_content,
        parameters_schema=parameters_schema,
        checksum=hashlib.sha256(template_content.encode()).hexdigest(),
    )
    _tell(kind, template, actor, {"name": name, "version": template.version})
    return template


def _tell(kind: str, template: StackTemplate, actor: Actor, details: dict[str, object] | None) -> None:
    emit(Event(kind=kind, resource_type="template", resource_id=template.id, actor=actor, details=details))
