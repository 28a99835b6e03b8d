"""Make text from a server safe to print: escape control characters, and replace characters that XML forbids."""

from __future__ import annotations

import re

# C0 and C1 controls except tab and line feed, and the Unicode marks that reverse or reorder the text on screen.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """Return the text with control characters escaped, so that a hostile body cannot control the terminal."""
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text.replace("\r\n", "\n"))


def xml_text(text: str) -> str:
    """Return the printable text, with U+FFFD for each character that XML 1.0 forbids (section 2.2)."""
    return _NOT_XML.sub("\ufffd", printable(text))
