"""A Django project with django-oauth-toolkit, as in its tutorial, with the toolkit's default settings."""
