"""All settings, from environment variables only. docs/reference/settings.md explains each variable."""

import os
import re
import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from brokkr_site import admin_site, api_tags
from config.database import database_settings, database_timeouts
from config.env import (
    env_bool,
    env_choice,
    env_choices,
    env_folder,
    env_hex_keys,
    env_int,
    env_list,
    env_networks,
    env_ports,
    env_secret,
    env_str,
    env_url,
)
from config.processes import is_broker
from config.reloadable_settings import read_reloadable_settings
from config.secret_files import (
    AUDIT_KEY_FILE,
    WEBHOOK_KEY_FILE,
    kept_secret,
    load_or_create_audit_key,
    load_or_create_secret_key,
)
from core.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env_folder("BROKKR_DATA_DIR", BASE_DIR / "data")

# --- Security -------------------------------------------------------------------------------------
DEBUG = env_bool("BROKKR_DEBUG", default=False)
SECRET_KEY = env_secret("BROKKR_SECRET_KEY") or load_or_create_secret_key(DATA_DIR)
# Nothing here builds an absolute URL from the Host header, and probes call pods by address.
ALLOWED_HOSTS = env_list("BROKKR_ALLOWED_HOSTS", "*")
CSRF_TRUSTED_ORIGINS = env_list("BROKKR_CSRF_TRUSTED_ORIGINS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env_bool("BROKKR_COOKIE_SECURE", default=not DEBUG)
SESSION_COOKIE_AGE = env_int("BROKKR_SESSION_HOURS", 12, minimum=1, maximum=720) * 3600
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env_bool("BROKKR_BEHIND_TLS_PROXY", default=False) else None
)
TRUSTED_PROXY_COUNT = env_int("BROKKR_TRUSTED_PROXY_COUNT", 0, minimum=0, maximum=10)
X_FRAME_OPTIONS = "DENY"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Failed logins count per address, so that nobody can lock out another user by typing that user's name.
AXES_LOCKOUT_PARAMETERS = "console.login.counted_together"
AXES_CLIENT_IP_CALLABLE = "console.login.address"
AXES_FAILURE_LIMIT = env_int("BROKKR_LOGIN_FAILURES", 5, minimum=1, maximum=1000)
AXES_COOLOFF_TIME = timedelta(minutes=env_int("BROKKR_LOGIN_LOCK_MINUTES", 15, minimum=1, maximum=1440))
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

# --- Applications ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "brokkr_site",  # First, because its templates and commands replace those of the theme and of Django.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "console.apps.ControlRoomConfig",  # django.contrib.admin with our site.
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "rest_framework",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "core",
    "paks",
    "generators",
    "stacks",
    "agents",
    "templates_app",
    "workorders",
    "health",
    "diagnostics",
    "telemetry",
    "audit",
    "webhooks",
    "config",
    "inventory",
    "rollouts",
    "sync",
    "history",
    "fleet",
    "plans",
    "bulk",
    "lane",
    "server",
    "console",  # Last, because at each migration it reads the permissions of all other apps.
]

MIDDLEWARE = [
    # Outermost, so that it logs and counts the status that the client sees.
    "core.middleware.RequestMiddleware",
    "config.middleware.ReloadMiddleware",
    "core.middleware.OriginMiddleware",
    "core.middleware.ApiMiddleware",
    "core.middleware.PageTransportMiddleware",
    "core.middleware.PageStaticFilesMiddleware",
    "core.middleware.PageSessionMiddleware",
    "core.middleware.HostMiddleware",
    "core.middleware.PageForgeryMiddleware",
    "core.middleware.PageAuthenticationMiddleware",
    "core.middleware.PageMessageMiddleware",
    "core.middleware.PageFrameMiddleware",
    "core.middleware.PageSecurityPolicyMiddleware",
    "rollouts.middleware.FreezeOverrideMiddleware",
    "audit.middleware.RefusedAttemptsMiddleware",
]

ROOT_URLCONF = "brokkr_site.urls"
WSGI_APPLICATION = "brokkr_site.wsgi.application"
# A redirect would turn a client's POST into a GET; `/agents` and `/agents/` are two operations.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            # Numbers for people, with commas between the thousands.
            "builtins": ["django.contrib.humanize.templatetags.humanize"],
        },
    }
]

# --- Database -------------------------------------------------------------------------------------
# How long this process waits depends on what it is.
_timeouts = database_timeouts(sys.argv)
DATABASES = {"default": database_settings(DATA_DIR, _timeouts)}
# For one statement, should the server say nothing.
DATABASE_PATIENCE_SECONDS = _timeouts.patience_seconds
# What a session must have, in seconds. Behind a pooler our connections cannot bring it.
DATABASE_TIMEOUTS = _timeouts.parameters
DATABASE_HAS_POOLER = bool(DATABASES["default"].get("DISABLE_SERVER_SIDE_CURSORS"))
# SQLite ignores the columns that an index only includes. They matter for speed alone.
# The login form itself says that an address is locked out, so axes' middleware has nothing to do.
SILENCED_SYSTEM_CHECKS = ["models.W040", "axes.W002"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- What may change while the broker runs --------------------------------------------------------
_reloadable = read_reloadable_settings()
LOG_LEVEL = _reloadable["LOG_LEVEL"]
DIAGNOSTIC_CLEANUP_INTERVAL_SECONDS = _reloadable["DIAGNOSTIC_CLEANUP_INTERVAL_SECONDS"]
DIAGNOSTIC_MAX_AGE_HOURS = _reloadable["DIAGNOSTIC_MAX_AGE_HOURS"]
WEBHOOK_DELIVERY_INTERVAL_SECONDS = _reloadable["WEBHOOK_DELIVERY_INTERVAL_SECONDS"]
WEBHOOK_DELIVERY_BATCH_SIZE = _reloadable["WEBHOOK_DELIVERY_BATCH_SIZE"]
WEBHOOK_RETENTION_DAYS = _reloadable["WEBHOOK_RETENTION_DAYS"]
CORS_ORIGINS = _reloadable["CORS_ORIGINS"]
CORS_ALLOW_ALL_ORIGINS = _reloadable["CORS_ALLOW_ALL_ORIGINS"]
CORS_ALLOWED_ORIGINS = _reloadable["CORS_ALLOWED_ORIGINS"]
CORS_PREFLIGHT_MAX_AGE = _reloadable["CORS_PREFLIGHT_MAX_AGE"]

# --- Pages of other origins that may call the API -------------------------------------------------
CORS_URLS_REGEX = r"^/(?!admin/|static/)"
CORS_ALLOW_METHODS = env_list("BROKKR__CORS__ALLOWED_METHODS", "GET,POST,PUT,PATCH,DELETE,OPTIONS")
CORS_ALLOW_HEADERS = env_list(
    "BROKKR__CORS__ALLOWED_HEADERS",
    "Authorization,Content-Type,Content-Encoding,If-Match,If-None-Match,If-Plan,Idempotency-Key,"
    "X-Brokkr-Override-Freeze,X-Request-Id",
)
CORS_EXPOSE_HEADERS = ["ETag", "Idempotency-Replayed", "Link", "Retry-After", "X-Request-Id", "X-Total-Count"]

# --- Web server: the rest of it is in gunicorn.conf.py --------------------------------------------
WEB_HOST = env_str("BROKKR_BIND", "0.0.0.0")  # noqa: S104  what runs in a container serves its network
WEB_PORT = env_int("BROKKR_PORT", 3000, minimum=1, maximum=65535)
# One process per core that this one may use. More processes or threads would only wait for a core or the GIL.
WEB_WORKERS = env_int("BROKKR_WEB_WORKERS", len(os.sched_getaffinity(0)), minimum=1, maximum=256)
WEB_THREADS = env_int("BROKKR_WEB_THREADS", 4, minimum=1, maximum=256)
# No process knows how many others there are.
WEB_REPLICAS = env_int("BROKKR_WEB_REPLICAS", 1, minimum=1, maximum=1000)
# After it there must be time for a lock: PostgreSQL lets a statement wait for one row twice as long as `lock_timeout`.
QUEUE_PATIENCE_SECONDS = env_int("BROKKR_QUEUE_PATIENCE_SECONDS", 2, minimum=1, maximum=60)

# --- Admin ----------------------------------------------------------------------------------------
UNFOLD = admin_site.UNFOLD

# The image in the manifests that the page of new agents proposes.
AGENT_IMAGE = env_str("BROKKR_AGENT_IMAGE", "")
# Where people find it, for links in messages. Nothing here guesses it from a request.
PUBLIC_URL = env_url("BROKKR_PUBLIC_URL")

# --- Language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# --- Static files: served by this process, no collectstatic needed --------------------------------
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- REST API -------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["paks.api.authentication.PakAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["paks.api.permissions.DenyAll"],
    "DEFAULT_THROTTLE_CLASSES": ["paks.api.throttling.KeyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.renderers.JsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.negotiation.AlwaysFirstRenderer",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "core.api.openapi.auto_schema.BrokkrSchema",
    "EXCEPTION_HANDLER": "core.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "LIST_SERIALIZER_ERRORS_AS_DICT": True,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
MAX_JSON_BYTES = env_int("BROKKR_MAX_JSON_BYTES", 2 * 1024 * 1024, minimum=1024)
MAX_MANIFEST_BYTES = env_int("BROKKR_MAX_MANIFEST_BYTES", 10 * 1024 * 1024, minimum=1024)

SPECTACULAR_SETTINGS = {
    "TITLE": "Brokkr broker",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Distributes Kubernetes objects to many clusters by pull. "
    "Every request carries a key: `Authorization: Bearer <pak>`.",
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "OAS_VERSION": "3.1.0",
    "TAGS": api_tags.TAGS,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # A PATCH here needs the fields it names as required.
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_NAME_OVERRIDES": {
        "EventStatus": "agents.models.event.EventStatus",
        "WorkOrderStatus": ["PENDING", "CLAIMED", "RETRY_PENDING", "COMPLETED", "FAILED"],
        "RetryStatus": ["retry_scheduled"],
        "DeploymentHealthStatus": "health.models.HealthStatus",
        "ObjectHealthBodyStatusEnum": ["healthy", "degraded", "failing", "unknown"],
        "CheckStatus": ["ok", "blocked", "unknown"],
        "DeliveryStatus": "webhooks.models.delivery.Status",
        "RolloutState": "rollouts.models.RolloutState",
        "RolloutAgentState": "rollouts.members.Standing",
        "CheckVerdict": "rollouts.models.RolloutCheck.Verdict",
        "FreezeScope": "rollouts.models.Freeze.Scope",
        "ChangeKind": ["gaining", "changing", "losing"],
        "AgentCondition": ["heard", "silent", "inactive"],
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "brokkr_site.api_document.complete_document",
    ],
}

# --- Keys -----------------------------------------------------------------------------------------
PAK_PREFIX = env_str("BROKKR__PAK__PREFIX", "brokkr")
PAK_SHORT_TOKEN_PREFIX = env_str("BROKKR__PAK__SHORT_TOKEN_PREFIX", "BR")
PAK_SHORT_TOKEN_LENGTH = env_int("BROKKR__PAK__SHORT_TOKEN_LENGTH", 8, minimum=4, maximum=32)
PAK_LONG_TOKEN_LENGTH = env_int("BROKKR__PAK__LONG_TOKEN_LENGTH", 24, minimum=16, maximum=64)
if "_" in PAK_PREFIX or "_" in PAK_SHORT_TOKEN_PREFIX:
    raise ImproperlyConfigured("BROKKR__PAK__PREFIX and BROKKR__PAK__SHORT_TOKEN_PREFIX may not contain '_'.")
ADMIN_PAK_HASH = env_secret("BROKKR__BROKER__PAK_HASH").lower()
if ADMIN_PAK_HASH and not re.fullmatch(r"[0-9a-f]{64}", ADMIN_PAK_HASH):
    raise ImproperlyConfigured("BROKKR__BROKER__PAK_HASH must be the 64 hex digits of a key's hash.")
# The documentation of the original broker publishes this key, so anybody may hold it.
DEVELOPMENT_PAK_HASH = "4c697273df3d764cba950bb5c04368097685f09259f5bd880d892cf1ff9f4cdd"
if ADMIN_PAK_HASH == DEVELOPMENT_PAK_HASH and not DEBUG:
    raise ImproperlyConfigured(
        "BROKKR__BROKER__PAK_HASH is the public development hash; anybody holds its key. "
        "Use the hash of a key of your own (`manage.py generate_pak`); BROKKR_DEBUG=true allows it for trials."
    )

# For how long an old key works on, if a person of the admin site does not choose otherwise.
KEY_OVERLAP_SECONDS = env_int("BROKKR_KEY_OVERLAP_SECONDS", 86400, minimum=0, maximum=7 * 86400)
KEY_WARNING_DAYS = env_int("BROKKR_KEY_WARNING_DAYS", 14, minimum=0, maximum=365)

# --- Behaviour ------------------------------------------------------------------------------------
REQUIRE_REGISTRATION = env_bool("BROKKR_REQUIRE_REGISTRATION", default=False)
RATE_LIMIT_PER_SECOND = env_int("BROKKR_RATE_LIMIT_PER_SECOND", 0, minimum=0, maximum=100_000)
RATE_LIMIT_BURST = env_int("BROKKR_RATE_LIMIT_BURST", 100, minimum=1, maximum=1_000_000)
CONFIRM_BY_NAME_PERCENT = env_int("BROKKR_CONFIRM_BY_NAME_PERCENT", 10, minimum=0, maximum=100)
DELETION_BUDGET_PERCENT = env_int("BROKKR_DELETION_BUDGET_PERCENT", 100, minimum=0, maximum=100)
HEARTBEAT_DURABLE = env_bool("BROKKR_HEARTBEAT_DURABLE", default=True)
FRAGMENT_CACHE_BYTES = env_int("BROKKR_FRAGMENT_CACHE_MIB", 64, minimum=1, maximum=65536) * 1024 * 1024
MANIFESTS = env_choice("BROKKR_MANIFESTS", "strict", {"strict", "lenient"})
TARGET_STATE_DEFAULT = env_choice("BROKKR_TARGET_STATE_DEFAULT", "full", {"full", "incremental"})
SYNC_INTERVAL_SECONDS = env_int("BROKKR_SYNC_INTERVAL_SECONDS", 30, minimum=1, maximum=3600)
AGENT_SILENT_AFTER_SECONDS = env_int("BROKKR_AGENT_SILENT_AFTER_SECONDS", 300, minimum=1)
HEALTH_STALE_SECONDS = env_int("BROKKR_HEALTH_STALE_SECONDS", 300, minimum=1)

# --- How long rows are kept; no number means for ever ----------------------------------------------
_MAX_DAYS = 36500
AGENT_EVENTS_RETENTION_DAYS = env_int(
    "BROKKR__BROKER__AGENT_EVENTS_RETENTION_DAYS", 30, minimum=0, maximum=_MAX_DAYS
)
AUDIT_LOG_RETENTION_DAYS = env_int(
    "BROKKR__BROKER__AUDIT_LOG_RETENTION_DAYS", 90, minimum=0, maximum=_MAX_DAYS
)
AGENT_OFFERS_RETENTION_DAYS = env_int("BROKKR_AGENT_OFFERS_RETENTION_DAYS", 400, minimum=0, maximum=_MAX_DAYS)
HEALTH_RETENTION_DAYS = env_int("BROKKR_HEALTH_RETENTION_DAYS", 7, minimum=0, maximum=_MAX_DAYS)
WORK_ORDER_LOG_RETENTION_DAYS = env_int(
    "BROKKR_WORK_ORDER_LOG_RETENTION_DAYS", 90, minimum=0, maximum=_MAX_DAYS
)
HISTORY_RETENTION_DAYS = env_int("BROKKR_HISTORY_RETENTION_DAYS", 400, minimum=0, maximum=_MAX_DAYS)

# --- Webhooks -------------------------------------------------------------------------------------
# The first key encrypts, all of them decrypt. `bootstrap --with-webhook-key` keeps one in the data folder.
WEBHOOK_ENCRYPTION_KEYS = env_hex_keys(
    "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY", default=kept_secret(DATA_DIR, WEBHOOK_KEY_FILE)
)
WEBHOOK_ALLOWED_SCHEMES = env_choices("BROKKR_WEBHOOK_ALLOWED_SCHEMES", "https,http", {"http", "https"})
WEBHOOK_ALLOWED_PORTS = env_ports("BROKKR_WEBHOOK_ALLOWED_PORTS", "80,443,8080,8443")
WEBHOOK_ALLOWED_NETWORKS = env_networks("BROKKR_WEBHOOK_ALLOWED_NETWORKS")

# --- Audit ----------------------------------------------------------------------------------------
# The first key signs. A key before it signs it once, which hands the trust on.
AUDIT_SIGNING_KEYS = env_hex_keys("BROKKR_AUDIT_SIGNING_KEY", default=kept_secret(DATA_DIR, AUDIT_KEY_FILE))
if not AUDIT_SIGNING_KEYS and is_broker(sys.argv):
    AUDIT_SIGNING_KEYS = [bytes.fromhex(load_or_create_audit_key(DATA_DIR))]
AUDIT_SEAL_SECONDS = env_int("BROKKR_AUDIT_SEAL_SECONDS", 3, minimum=1, maximum=3600)

# --- Logs -----------------------------------------------------------------------------------------
TRACING = env_bool("BROKKR_TRACING", default=False)
if TRACING and find_spec("opentelemetry") is None:
    raise ImproperlyConfigured(
        "BROKKR_TRACING is on, and OpenTelemetry is not installed: pip install -r locks/tracing.txt"
    )
LOG_FORMAT = env_choice("BROKKR__LOG__FORMAT", "text", {"text", "json"})
LOGGING = logging_config(level=LOG_LEVEL, style=LOG_FORMAT)
