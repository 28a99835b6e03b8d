"""The settings of `startproject`, plus the toolkit with open registration and short lifetimes."""

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

HERE = Path(__file__).parent
PACKAGE = __package__

SECRET_KEY = get_random_secret_key()
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = f"{PACKAGE}.urls"
STATIC_URL = "static/"
LOGIN_URL = "login"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "oauth2_provider",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# The toolkit relies on SELECT … FOR UPDATE, which SQLite lacks; instead, transactions lock from their start.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["NOTES_DATABASE"],
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        },
    }
}
# Each registration hashes a secret, and the default hasher takes half a second; tests of Django projects use this one.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

CODE_TTL, ACCESS_TOKEN_TTL, REFRESH_TOKEN_TTL = 6, 5, 5
"""Lifetimes in seconds, so short that the suite can wait; a refresh token's starts when its access token expires."""

OAUTH2_PROVIDER = {
    "DCR_ENABLED": True,
    "DCR_REGISTRATION_PERMISSION_CLASSES": ("oauth2_provider.dcr.AllowAllDCRPermission",),
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": CODE_TTL,
    "ACCESS_TOKEN_EXPIRE_SECONDS": ACCESS_TOKEN_TTL,
    "REFRESH_TOKEN_EXPIRE_SECONDS": REFRESH_TOKEN_TTL,
}
if os.environ.get("NOTES_STRICT"):
    # All of the toolkit's settings for RFC 9700, which its release 4.0 is to enable by default.
    OAUTH2_PROVIDER |= {
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
        "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
        "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
        "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
        "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    }
