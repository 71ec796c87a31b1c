"""The path converter for identities: slugs as repositories and products have them, dots and all."""

from django.urls import register_converter


class KeyConverter:
    """Letters, digits and `-._~:@+`; nothing that a path gives another meaning."""

    regex = r"[A-Za-z0-9][A-Za-z0-9._~:@+-]{0,299}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KeyConverter, "key")
