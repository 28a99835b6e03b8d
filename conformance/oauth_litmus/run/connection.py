"""The connection of a run: its transports, its headers, and the secrets that must not be recorded."""

from __future__ import annotations

import platform
import re
from typing import TYPE_CHECKING

from oauth_litmus import __version__
from oauth_litmus.http.wire import ConnectionSettings, Wire
from oauth_litmus.oauth.handed_in import HandedIn
from oauth_litmus.target.profile import Profile, ProfileError, from_environment

if TYPE_CHECKING:
    from oauth_litmus.clock import Clock
    from oauth_litmus.http.transcript import Transcript
    from oauth_litmus.http.wire import TransportFactory
    from oauth_litmus.run.options import Options


def transports_of(profile: Profile) -> TransportFactory:
    """The HTTP transports that the profile describes.

    Raises:
        ProfileError: a certificate file or the proxy cannot be used.
    """
    http = profile.http
    try:
        connection = ConnectionSettings(http.proxy, http.ca_file, http.client_certificate, http.client_key)
        transports = connection.transports()
        transports(None)
    except OSError as error:
        raise ProfileError(f"cannot use the certificate files of the profile: {error}") from error
    except (ImportError, ValueError) as error:
        raise ProfileError(f"cannot use the proxy of the profile: {error}") from error
    return transports


def learn_secrets(profile: Profile, transcript: Transcript) -> None:
    """Redact the secrets of the profile wherever they appear.

    Raises:
        ProfileError: an environment variable that holds a secret is not set.
    """
    for name in profile.http.secret_headers.values():
        transcript.redactor.learn(from_environment(name))
    for _, value in profile.login.secrets():
        transcript.redactor.learn(value)
    transcript.redactor.hide(profile.login.secret_names())


def open_wire(
    options: Options, run_id: str, clock: Clock, transcript: Transcript, transports: TransportFactory
) -> Wire:
    """The wire of a run. Every request carries the run's id in its User-Agent."""
    profile, http = options.profile, options.profile.http
    headers = {
        "user-agent": f"oauth-litmus/{__version__} (Python {platform.python_version()}; run {run_id})",
        **http.headers,
    }
    transcript.redactor.publish(run_id)
    # The operator also controls the upstream, which may be behind the same edge and need the same secret headers.
    known = profile.trusted_with(options.url).and_of(profile.upstream_control)
    return Wire(
        transports, clock, transcript, headers, secret_headers=http.secrets(), known=known, timeout=http.timeout
    )


def publish_addresses(transcript: Transcript, *addresses: object) -> None:
    """Exempt the parts of the server's own URLs from redaction: a tenant's or project's id may look like a secret."""
    for address in addresses:
        if isinstance(address, str):
            for part in re.split(r"[/.:?#]", address):
                if part:
                    transcript.redactor.publish(part)


def handed_in_token(profile: Profile, transcript: Transcript) -> HandedIn | None:
    """Read the access token that the operator gives for the checks of the resource.

    Raises:
        ProfileError: the file or the environment variable cannot be read.
    """
    token = profile.tokens.value()
    transcript.redactor.learn(token, "access_token")
    return HandedIn(token) if token else None
