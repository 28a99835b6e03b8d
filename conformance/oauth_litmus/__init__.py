"""oauth-litmus: a black-box conformance suite for OAuth 2.1 authorization servers."""

from importlib.metadata import version

__version__ = version("oauth-litmus")
