"""Encryption at rest: the store holds Supabase's tokens and the token answers kept for the leeway only encrypted."""

from collections.abc import Sequence
from typing import TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import BaseModel

Content = TypeVar("Content", bound=BaseModel)


class Sealer:
    """Encrypt small models with the first Fernet key; decrypt with any of the keys."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys or [Fernet.generate_key()]])

    def seal(self, content: BaseModel) -> str:
        """Encrypt and authenticate `content`."""
        return self._fernet.encrypt(content.model_dump_json().encode()).decode()

    def open(self, sealed: str, kind: type[Content]) -> Content | None:
        """Decrypt `sealed`; None if none of the keys sealed it."""
        try:
            return kind.model_validate_json(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            return None
