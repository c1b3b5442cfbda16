"""Creates template versions, and publishes versions of stacks from them."""

import hashlib
import json
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction

from core import clock
from core.errors import DomainError
from core.events import Actor, Event, emit, fields_of
from core.validators import is_blank, is_name
from generators.errors import GeneratorNotFound
from generators.models import Generator
from generators.services import lock_generator, require_active, system_generator
from parameter_schemas import InvalidSchema, check_schema, violations
from stacks.errors import InvalidDeploymentObject
from stacks.manifests import Manifest
from stacks.models import DeploymentObject, Stack
from stacks.services import DEFAULT_OPTIONS, PublishOptions, check_publishable, publish_checked
from templates_app.access import find_template
from templates_app.errors import (
    InvalidParameters,
    InvalidParametersSchema,
    InvalidTemplate,
    InvalidTemplateSyntax,
    TemplateNotFound,
    TemplateRenderFailed,
    TemplateStackMismatch,
)
from templates_app.event_kinds import TemplateEventKind
from templates_app.models import RenderedObject, StackTemplate
from templates_app.requirements import missing_on
from tera import TemplateRenderError, TemplateSyntaxError, compile_template, template_for

# The texts may hold secrets, so of them only the checksum.
_AUDITED = ("name", "version", "description", "checksum")


@dataclass(frozen=True, slots=True)
class Draft:
    """The checked content of a template version."""

    description: str | None
    template_content: str
    parameters_schema: str


@dataclass(frozen=True, slots=True)
class Rendering:
    """A checked manifest that was rendered from a template, with what is in it, and the parameters as JSON text."""

    template: StackTemplate
    parameters: str
    text: str
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Preview:
    """The result of rendering: the text, if any, and all problems."""

    text: str | None
    problems: list[DomainError]


def draft(*, description: str | None, template_content: str, parameters_schema: str) -> Draft:
    """Check the content of a new template version. Takes long for hostile texts; call it before a transaction.

    Raises InvalidTemplate, InvalidTemplateSyntax, InvalidParametersSchema.
    """
    if is_blank(template_content) or (description is not None and is_blank(description)):
        raise InvalidTemplate
    try:
        compile_template(template_content)
    except TemplateSyntaxError as error:
        raise InvalidTemplateSyntax(str(error), line=error.line, column=error.column) from error
    try:
        check_schema(parameters_schema)
    except InvalidSchema as error:
        raise InvalidParametersSchema(str(error)) from error
    return Draft(description, template_content, parameters_schema)


def lock_template(template_id: UUID) -> StackTemplate:
    """The live version, its owner locked until the transaction ends. Raises TemplateNotFound."""
    template = find_template(template_id)
    try:
        _lock_owner(template.generator_id)
    except GeneratorNotFound as error:
        raise TemplateNotFound(id=template_id) from error
    # Read again, because it may have been deleted before we got the lock.
    return find_template(template_id)


@transaction.atomic
def create_template(*, generator_id: UUID | None, name: str, draft: Draft, actor: Actor) -> StackTemplate:
    """The next version of `name` among the live ones of its owner, the first when there is none.

    Raises InvalidTemplate, GeneratorNotFound, GeneratorInactive.
    """
    if not is_name(name):
        raise InvalidTemplate
    return _add_version(
        generator_id=generator_id,
        name=name,
        draft=draft,
        kind=TemplateEventKind.TEMPLATE_CREATED,
        actor=actor,
    )


@transaction.atomic
def update_template(*, template: StackTemplate, draft: Draft, actor: Actor) -> StackTemplate:
    """Add a version beside the locked `template`, which stays. Without a description it takes the old one's.
    Labels are not copied.

    Raises GeneratorInactive.
    """
    if draft.description is None:
        draft = replace(draft, description=template.description)
    return _add_version(
        generator_id=template.generator_id,
        name=template.name,
        draft=draft,
        kind=TemplateEventKind.TEMPLATE_UPDATED,
        actor=actor,
    )


@transaction.atomic
def delete_template(*, template: StackTemplate, actor: Actor) -> None:
    """Delete this locked version only; what was made from it keeps pointing at it."""
    template.deleted_at = template.updated_at = clock.now()
    template.save(update_fields=["deleted_at", "updated_at"])
    _tell(TemplateEventKind.TEMPLATE_DELETED, template, actor, None, before=fields_of(template, _AUDITED))


@transaction.atomic
def reveal_template(*, template: StackTemplate, actor: Actor) -> None:
    """Note that somebody is shown the values of Secrets in this version."""
    _tell(
        TemplateEventKind.TEMPLATE_REVEALED,
        template,
        actor,
        {"name": template.name, "version": template.version},
    )


def render_for(*, stack: Stack, template: StackTemplate, parameters: object) -> Rendering:
    """Render the template for a stack. Takes long for hostile templates; call it before a transaction.

    Raises, in this order, TemplateStackMismatch, InvalidParameters, TemplateRenderFailed, InvalidDeploymentObject.
    """
    missing = missing_on(stack, template)
    if missing:
        raise TemplateStackMismatch(
            missing_labels=missing.labels, missing_annotations=[list(pair) for pair in missing.annotations]
        )
    _validate(template.parameters_schema, parameters)
    try:
        text = _render(template.template_content, parameters)
    except InvalidTemplateSyntax as error:
        # The caller sent no template, so a stored template that no longer compiles is a failure to render.
        raise TemplateRenderFailed(error.text, **error.details) from error
    manifest = check_publishable(text, is_deletion_marker=False)
    return Rendering(template, _as_json(parameters), text, manifest)


@transaction.atomic
def publish_rendering(
    *, stack_id: UUID, rendering: Rendering, actor: Actor, options: PublishOptions = DEFAULT_OPTIONS
) -> tuple[DeploymentObject, RenderedObject]:
    """Publish the manifest and record its source; both or nothing. Raises what `publish_checked` raises."""
    obj = publish_checked(
        stack_id=stack_id,
        yaml_content=rendering.text,
        is_deletion_marker=False,
        actor=actor,
        options=options,
        objects=rendering.manifest.objects,
    )
    rendered = RenderedObject.objects.create(
        deployment_object=obj,
        template=rendering.template,
        template_version=rendering.template.version,
        template_parameters=rendering.parameters,
    )
    return obj, rendered


def preview(*, template_content: str, parameters_schema: str, parameters: object) -> Preview:
    """Render without storing anything. Refusals are collected, not raised."""
    problems: list[DomainError] = []
    text: str | None = None
    try:
        _validate(parameters_schema, parameters)
    except (InvalidParameters, InvalidParametersSchema) as error:
        problems.append(error)
    try:
        text = _render(template_content, parameters)
        check_publishable(text, is_deletion_marker=False)
    except (TemplateRenderFailed, InvalidTemplateSyntax, InvalidDeploymentObject) as error:
        problems.append(error)
    return Preview(text, problems)


def _as_json(parameters: object) -> str:
    return json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _validate(parameters_schema: str, parameters: object) -> None:
    try:
        found = violations(parameters_schema, parameters)
    except InvalidSchema as error:
        raise InvalidParametersSchema(str(error)) from error
    if found:
        raise InvalidParameters(validation_errors=found)


def _render(template_content: str, parameters: object) -> str:
    try:
        return template_for(template_content).render(parameters)
    except TemplateSyntaxError as error:
        raise InvalidTemplateSyntax(str(error), line=error.line, column=error.column) from error
    except TemplateRenderError as error:
        raise TemplateRenderFailed(str(error), line=error.line, column=error.column) from error


def _lock_owner(generator_id: UUID | None) -> Generator:
    # The owner's lock puts simultaneous versions of one name in a queue. System templates have no owner, so their
    # versions lock the system generator.
    return lock_generator(generator_id if generator_id is not None else system_generator().id)


def _add_version(
    *, generator_id: UUID | None, name: str, draft: Draft, kind: TemplateEventKind, actor: Actor
) -> StackTemplate:
    require_active(_lock_owner(generator_id), actor)
    versions = StackTemplate.objects.active().versions_of(name, generator_id)
    newest = versions.order_by("-version").first()
    before = None if newest is None else fields_of(newest, _AUDITED)
    template = StackTemplate.objects.create(
        generator_id=generator_id,
        name=name,
        description=draft.description,
        version=newest.version + 1 if newest is not None else 1,
        template_content=draft.template_content,
        parameters_schema=draft.parameters_schema,
        checksum=hashlib.sha256(draft.template_content.encode()).hexdigest(),
    )
    _tell(
        kind,
        template,
        actor,
        {"name": name, "version": template.version},
        before=before,
        after=fields_of(template, _AUDITED),
    )
    return template


def _tell(
    kind: TemplateEventKind,
    template: StackTemplate,
    actor: Actor,
    details: dict[str, object] | None,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    emit(
        Event(
            kind=kind,
            resource_type="template",
            resource_id=template.id,
            actor=actor,
            details=details,
            before=before,
            after=after,
        )
    )
