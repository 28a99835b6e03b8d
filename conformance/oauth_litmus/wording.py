"""Words that follow a number."""


def counted(number: float, noun: str) -> str:
    """Return a number and its noun, in the singular only for 1: `1 check`, `2 checks`."""
    shown = f"{number:g}" if isinstance(number, float) else str(number)
    return f"{shown} {noun}" if number == 1 else f"{shown} {noun}s"
