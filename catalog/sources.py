"""Sources: the document that a figure was read from, found by slug or address, or added."""

from django.utils import timezone
from django.utils.text import slugify

from catalog.models import Source


class SourceError(ValueError):
    """A source that cannot be found or added: the field, the value, what is accepted."""

    def __init__(self, field: str, value: str, accepted: str) -> None:
        super().__init__(f"{field}: {value!r} is not accepted; accepted: {accepted}")
        self.field, self.value, self.accepted = field, value, accepted


def find_or_add_source(
    *, slug: str = "", title: str = "", url: str = "", publisher: str = "", published_on: str = ""
) -> Source:
    """The source of that slug, or of that address and title; one that is not known yet is added.

    Raises SourceError when the slug is unknown and address and title are not both given.
    """
    if slug and (found := Source.objects.filter(slug=slug).first()) is not None:
        return found
    if not (title and url):
        raise SourceError("slug", slug, "the slug of a known source, or url and title of a new one")
    if (found := Source.objects.filter(url=url, title=title).first()) is not None:
        return found
    return Source.objects.create(
        slug=free_slug(slug or title),
        title=title,
        url=url,
        publisher=publisher,
        published_on=published_on,
        read_on=timezone.now().date(),
    )


def free_slug(text: str) -> str:
    """A slug made of the text that no source has yet."""
    base = slugify(text)[:180] or "source"
    slug, number = base, 2
    while Source.objects.filter(slug=slug).exists():
        slug, number = f"{base}-{number}", number + 1
    return slug
