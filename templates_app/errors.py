"""Refusals about templates."""

from core.errors import Forbidden, Invalid, NotFound, Unprocessable


class TemplateNotFound(NotFound):
    code = "template_not_found"
    message = "There is no such template."


class TemplateNotAccessible(Forbidden):
    code = "template_not_accessible"
    message = "The template belongs to another generator."


class TemplatesNotAccessible(Forbidden):
    code = "templates_not_accessible"
    message = "Agents have no templates."


class TemplateNotOwned(Forbidden):
    code = "template_not_owned"
    message = "Only an admin or the generator that owns the template may change it."


class InvalidTemplate(Invalid):
    code = "invalid_template"
    message = (
        "A template needs a name of 1 to 255 characters and content; its description is null or not blank."
    )


class InvalidTemplateSyntax(Invalid):
    code = "invalid_template_syntax"
    message = "The template is not valid."


class InvalidParametersSchema(Invalid):
    code = "invalid_parameters_schema"
    message = "The parameters schema is not a valid JSON Schema."


class InvalidParameters(Invalid):
    code = "invalid_parameters"
    message = "Invalid parameters: they do not fit the template's schema."
    top_level_details = ("validation_errors",)


class TemplateRenderFailed(Invalid):
    code = "template_render_failed"
    message = "The template cannot be rendered with these parameters."


class TemplateStackMismatch(Unprocessable):
    code = "template_stack_mismatch"
    message = "The stack lacks labels or annotations that the template asks for."
    top_level_details = ("missing_labels", "missing_annotations")


class TemplateLabelNotFound(NotFound):
    code = "template_label_not_found"
    message = "The template has no such label."


class TemplateAnnotationNotFound(NotFound):
    code = "template_annotation_not_found"
    message = "The template has no such annotation."


class TemplateIdMismatch(Invalid):
    code = "template_id_mismatch"
    message = "The template id in the body is not the one in the path."


class ProvenanceNotFound(NotFound):
    code = "provenance_not_found"
    message = "The deployment object was not made from a template."
