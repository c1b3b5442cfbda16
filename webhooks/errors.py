"""Refusals about webhooks."""

from core.errors import Conflict, Forbidden, InternalError, Invalid, NotFound, Unprocessable


class WebhookNotFound(NotFound):
    code = "webhook_not_found"
    message = "There is no such webhook subscription."


class WebhookIdMismatch(Invalid):
    code = "webhook_id_mismatch"
    message = "The id in the body is not the one in the path."


class UrlRequired(Invalid):
    code = "url_required"
    message = "A webhook needs a URL."


class InvalidUrlScheme(Invalid):
    code = "invalid_url_scheme"
    message = "The URL must begin with http:// or https://."


class InvalidWebhook(Invalid):
    code = "invalid_webhook"
    message = "The webhook breaks a rule."


class WebhookOutOfRange(Unprocessable):
    code = "invalid_webhook"
    message = "A number of the webhook is out of its range."


class UnsupportedField(Unprocessable):
    code = "unsupported_field"
    message = "The body has a field that would have no effect."


class WebhookTestFailed(Invalid):
    code = "webhook_test_failed"
    message = "The endpoint did not take the test event."
    top_level_details = ("success", "status_code", "body")


class WebhookKeyMissing(InternalError):
    code = "webhook_key_missing"
    message = (
        "Webhooks cannot be stored, because there is no key to encrypt them with: set "
        "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY to 64 hex digits (`openssl rand -hex 32`) for web and worker, and "
        "start them again."
    )


class WebhookUnreadable(InternalError):
    code = "webhook_unreadable"
    message = (
        "What is stored of this webhook cannot be decrypted: no key in BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY is the "
        "one it was encrypted with."
    )


class AgentPakRequired(Forbidden):
    code = "agent_pak_required"
    message = "Only agents report the result of a delivery."


class DeliveryNotFound(NotFound):
    code = "delivery_not_found"
    message = "There is no such delivery."


class DeliveryNotAcquiredByAgent(Forbidden):
    code = "delivery_not_acquired_by_agent"
    message = "This agent does not hold the delivery; its lease has ended or another has it."


class DeliveryUnderWay(Conflict):
    code = "delivery_under_way"
    message = "The delivery is being sent now; try again when the attempt has ended."
