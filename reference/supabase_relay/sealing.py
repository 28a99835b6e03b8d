"""Encryption at rest: Supabase's tokens, and an answer kept for the leeway, are never in the store in the clear."""

from collections.abc import Sequence
from typing import TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import BaseModel

Content = TypeVar("Content", bound=BaseModel)


class Sealer:
    """Seals small models with the first of several Fernet keys, and opens what any of them sealed."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys or [Fernet.generate_key()]])

    def seal(self, content: BaseModel) -> str:
        """Encrypt and authenticate `content`."""
        return self._fernet.encrypt(content.model_dump_json().encode()).decode()

    def open(self, sealed: str, kind: type[Content]) -> Content | None:
        """What was sealed, or None where it was sealed by nobody who holds one of the keys."""
        try:
            return kind.model_validate_json(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            return None
