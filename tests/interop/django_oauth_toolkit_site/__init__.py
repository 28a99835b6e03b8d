"""A Django project with django-oauth-toolkit, as its tutorial builds one, with the toolkit's own defaults."""
