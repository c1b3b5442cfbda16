"""The product's settings, with two bare views to compare with."""

import os

from brokkr_site.settings import *  # noqa: F403  a settings module is a list of names

LOGGING["loggers"]["httpx"] = {"level": "WARNING"}  # noqa: F405
LOGGING["loggers"]["pgserver"] = {"level": "WARNING"}  # noqa: F405
ROOT_URLCONF = "bench.urls"
# What the product's own chain costs is seen against Django's usual one.
if os.environ.get("BENCH_PLAIN_CHAIN"):
    MIDDLEWARE = [
        "corsheaders.middleware.CorsMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
