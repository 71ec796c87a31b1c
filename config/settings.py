"""Settings of Inference Atlas, read from the environment variables that `config/env.py` registers."""

import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from config import admin_site, embedded, env
from estimates.schedule import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

# ---- What kind of machine this is ----------------------------------------------------------------------

ENVIRONMENT = env.choice(
    "ATLAS_ENV",
    default="production" if env.is_set("DATABASE_URL") else "development",
    accepted=("development", "production"),
    meaning="Development has its own secret key and a login, production refuses to start without a secret.",
)
DEVELOPMENT = ENVIRONMENT == "development"
DEBUG = env.flag("DJANGO_DEBUG", default=False, meaning="Django's debug pages; never in production.")
if DEBUG and not DEVELOPMENT:
    raise ImproperlyConfigured(
        "DJANGO_DEBUG=1 is refused in production: set ATLAS_ENV=development or unset it."
    )


def development_secret_key() -> str:
    """A random key of this clone, kept under `.local/`, so that sessions survive a restart."""
    path = embedded.local_dir() / "secret_key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))
        return path.read_text().strip()


if DEVELOPMENT:
    SECRET_KEY = env.optional("SECRET_KEY", meaning="Signs sessions and tokens.") or development_secret_key()
else:
    SECRET_KEY = env.required(
        "SECRET_KEY",
        why="production needs a secret of its own, 50 random characters or more",
        meaning="Signs sessions and tokens.",
    )
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS",
    default=("127.0.0.1", "localhost", "[::1]", "testserver") if DEVELOPMENT else (),
    meaning="Host names that the service answers to.",
)
CSRF_TRUSTED_ORIGINS = env.words(
    "CSRF_TRUSTED_ORIGINS", default=(), meaning="Origins, with scheme, that may post forms."
)
ATLAS_ANONYMOUS_READ = env.flag(
    "ATLAS_ANONYMOUS_READ",
    default=DEVELOPMENT,
    meaning="Reading the API and the pages needs no token or session.",
)
ATLAS_MAX_BODY_BYTES = env.integer(
    "ATLAS_MAX_BODY_BYTES",
    default=4_000_000,
    minimum=1_000,
    maximum=100_000_000,
    meaning="Largest request body; above it 413.",
)

# ---- Applications --------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.AtlasConfig",  # first: its templates stand before those of the libraries
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "config.access",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "catalog",
    "estimates",
]

UNFOLD = admin_site.UNFOLD

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "config.metrics.requests.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.DatabaseUnavailableMiddleware",
    "config.middleware.BodyLimitMiddleware",
    "config.middleware.JsonDepthMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "config.middleware.AdminContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.ChangeContextMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# ---- Database ------------------------------------------------------------------------------------------

DATABASE_NAME = env.text(
    "DATABASE_NAME", default="inference_atlas", meaning="Database on the private Postgres."
)
TEST_DATABASE_NAME = env.optional(
    "TEST_DATABASE_NAME",
    meaning="Database of a test run; give parallel runs different names. Default: test_ and the name.",
)
DATABASE_FROM_URL = env.database_from_url(
    "DATABASE_URL", meaning="A Postgres 18 server in place of the private one."
)
DATABASE_IS_PRIVATE = DATABASE_FROM_URL is None
env.text(
    "ATLAS_LOCAL_DIR", default=".local", meaning="Directory of the private servers and the development key."
)
_database = DATABASE_FROM_URL or embedded.database_settings(DATABASE_NAME)
DATABASES = {
    "default": {
        **_database,
        "OPTIONS": {"connect_timeout": 5, **_database["OPTIONS"]},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": TEST_DATABASE_NAME},
    }
}

# ---- Tasks ---------------------------------------------------------------------------------------------

BROKER_FROM_URL = env.broker_url(
    "BROKER_URL", meaning="A Valkey or Redis server in place of the private one."
)
BROKER_IS_PRIVATE = BROKER_FROM_URL is None
CELERY_BROKER_URL = BROKER_FROM_URL or embedded.broker_url()
CELERY_RESULT_BACKEND = None  # results live in Postgres
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ALWAYS_EAGER = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = f"atlas.{_database['NAME']}"  # databases that share a broker share no work
CELERY_TASK_PUBLISH_RETRY = (
    False  # a request never waits for the broker: the sweeper finds what a lost hint missed
)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 2
# Above the hard time limit, so that only a lost worker's message is delivered again.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
}
ATLAS_CLAIM_LEASE_SECONDS = env.integer(
    "ATLAS_CLAIM_LEASE_SECONDS",
    default=15,
    minimum=2,
    maximum=3_600,
    meaning="How long a worker may be silent before the calculations that it makes are given to another.",
)
ATLAS_JOB_LEASE_SECONDS = env.integer(
    "ATLAS_JOB_LEASE_SECONDS",
    default=60,
    minimum=1,
    maximum=3_600,
    meaning="How long a worker may be silent before the part of a job that it makes is given to another.",
)
ATLAS_JOB_KEEP_DAYS = env.integer(
    "ATLAS_JOB_KEEP_DAYS", default=30, minimum=1, maximum=3_650, meaning="Days that results of jobs are kept."
)
ATLAS_SCHEDULE_LEASE_SECONDS = env.integer(
    "ATLAS_SCHEDULE_LEASE_SECONDS",
    default=120,
    minimum=1,
    maximum=3_600,
    meaning="How long a worker may be silent before the run of a schedule that it does is given to another.",
)
ATLAS_PRICE_IMPORT_DIR = env.optional(
    "ATLAS_PRICE_IMPORT_DIR", meaning="Directory below which schedules may read price files."
)
ATLAS_PRICE_IMPORT_HOSTS = env.words(
    "ATLAS_PRICE_IMPORT_HOSTS",
    default=(),
    meaning="Hosts that schedules may fetch price files from, by https.",
)
ATLAS_READY_STALE_SECONDS = env.integer(
    "ATLAS_READY_STALE_SECONDS",
    default=3_600,
    minimum=0,
    maximum=31_536_000,
    meaning="Age of the oldest stale estimate above which /readyz answers 503; 0: no limit.",
)
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = str(embedded.local_dir() / "celerybeat-schedule")

# ---- API -----------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["config.rest.rendering.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.rest.parsing.StrictJsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.rest.negotiation.Negotiation",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.access.authentication.AccessTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["config.access.permissions.MayRead"],
    "DEFAULT_THROTTLE_CLASSES": ["config.rest.throttling.ClientThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "anonymous": env.text(
            "ATLAS_RATE_ANONYMOUS", default="1200/min", meaning="API requests of one address without a token."
        ),
        "token": env.text(
            "ATLAS_RATE_TOKEN", default="6000/min", meaning="API requests of one token or person."
        ),
    },
    "NUM_PROXIES": None if DEVELOPMENT else 1,
    "EXCEPTION_HANDLER": "config.rest.exception_handler.exception_handler",
    "UNICODE_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Inference Atlas",
    "DESCRIPTION": "Which hardware runs a language model, how fast, for how many users, at what cost per "
    "million tokens, how sure that is, and where each number comes from.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SORT_OPERATION_PARAMETERS": False,
    "SERVE_PERMISSIONS": ["config.access.permissions.MayRead"],
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # `make test` validates the schema, without a database
    "POSTPROCESSING_HOOKS": ["config.rest.schema.finish"],
}

# ---- Time, language, files -----------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = None if DEVELOPMENT else BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEVELOPMENT
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEVELOPMENT
WHITENOISE_AUTOREFRESH = DEBUG

# ---- Security ------------------------------------------------------------------------------------------

SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
DATA_UPLOAD_MAX_MEMORY_SIZE = ATLAS_MAX_BODY_BYTES
BEHIND_TLS = env.flag(
    "ATLAS_TLS",
    default=not DEVELOPMENT,
    meaning="Served over HTTPS by a proxy that sets X-Forwarded-Proto: secure cookies, HSTS.",
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from within the cluster
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# ---- Logs ----------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice(
    "LOG_LEVEL", default="INFO", accepted=("DEBUG", "INFO", "WARNING", "ERROR"), meaning="Least level logged."
)
LOG_FORMAT = env.choice(
    "LOG_FORMAT",
    default="line" if DEVELOPMENT else "json",
    accepted=("line", "json"),
    meaning="Log lines for a person, or one JSON object each for a machine.",
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "config.request_id.RequestIdFilter"}},
    "formatters": {
        "line": {"format": "{levelname:<7} {name} [{request_id}] {message}", "style": "{"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["request_id"]},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # Celery tells of every tick and every task; what the tasks did is told by the estimates themselves.
        "celery": {"level": "WARNING"},
        "gunicorn.access": {"level": "INFO"},
        **{
            name: {"level": LOG_LEVEL}
            for name in ("config", "catalog", "estimates", "django", "celery.apps", "celery.worker.consumer")
        },
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
