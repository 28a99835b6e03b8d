"""Find a login driver by name: a built-in driver, one from an installed package, or `package:object`."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, cast

from oauth_litmus.login.drivers import LoginDriver, NoLogin, RedirectsDriver
from oauth_litmus.login.manual import ManualDriver
from oauth_litmus.login.script import Script
from oauth_litmus.target.login_settings import ProfileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauth_litmus.target.profile import Profile

GROUP = "oauth_litmus.login_drivers"
"""An entry point of this group, or `package:object`, names a factory that takes the profile and returns a `LoginDriver`."""
OWN = ("redirects", "browser", "manual", "none")


def driver_for(profile: Profile, name: str | None = None, max_logins: int | None = None) -> LoginDriver:
    """Return the login driver that the command line or the profile names.

    Without a name, it is `none` if an access token is provided, and `redirects` otherwise. `max_logins` overrides the
    number of logins in the profile that a person may be asked for.

    Raises:
        ProfileError: there is no such driver, it cannot be used here, or an environment variable is not set.
    """
    match name or profile.login.driver or ("none" if profile.tokens.is_given else "redirects"):
        case "none":
            return NoLogin()
        case "manual":
            return ManualDriver(profile.login.max_logins if max_logins is None else max_logins)
        case "redirects":
            return RedirectsDriver(profile.login.values(), script=Script.of(profile.login.steps))
        case "browser":
            return _browser(profile)
        case wanted:
            return _other(wanted, profile)


def _browser(profile: Profile) -> LoginDriver:
    # Import Playwright only for this driver: it is an optional dependency.
    try:
        from oauth_litmus.login.browser import BrowserDriver
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "playwright":
            raise
        raise ProfileError(
            "the login driver `browser` needs Playwright: pip install 'oauth-litmus[browser]'. Any Chromium on this "
            'machine will do: name it in the profile, as `[login.browser] executable = "/usr/bin/chromium"` or '
            '`channel = "chrome"` (docs/login.md)'
        ) from error
    return BrowserDriver.of(profile)


def _other(name: str, profile: Profile) -> LoginDriver:
    found = _entry_point(name)
    try:
        driver = cast("Callable[[Profile], object]", found.load())(profile)
    except ProfileError:
        raise
    except Exception as error:
        raise ProfileError(
            f"the login driver {name!r} ({found.value}) cannot be used: {type(error).__name__}: {error}"
        ) from error
    missing = [member for member in ("name", "walks", "press") if not hasattr(driver, member)]
    if missing:
        raise ProfileError(f"{found.value} returned no login driver: missing {', '.join(missing)} (docs/login.md)")
    return cast("LoginDriver", driver)


def _entry_point(name: str) -> EntryPoint:
    if ":" in name:
        return EntryPoint(name, name, GROUP)
    found: dict[str, EntryPoint] = {entry_point.name: entry_point for entry_point in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join([*OWN, *sorted(found)])
        raise ProfileError(
            f"there is no login driver {name!r}; choose one of {known}, or `package:object` (docs/login.md)"
        )
    return found[name]
