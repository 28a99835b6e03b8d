"""What comes from a server is shown, never obeyed: control characters become visible, and XML gets what it allows."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and line feed, and the marks by which text can reorder what a reader sees.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """The text with control characters as escapes, so that a hostile body cannot steer a terminal."""
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text.replace("\r\n", "\n"))


def xml_text(text: str) -> str:
    """The same, without the characters that XML 1.0 forbids (section 2.2)."""
    return _NOT_XML.sub("\ufffd", printable(text))
