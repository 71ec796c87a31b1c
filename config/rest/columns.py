"""A resource as a table of columns: filters, ordering, sparse fields, JSON, CSV and schema come from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable

Row = dict[str, Any]


class Type(Enum):
    """What a column holds. `MONEY` is a decimal string, `JSON` nested data that no filter reads."""

    TEXT = "text"
    SLUG = "slug"
    CHOICE = "choice"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Reference:
    """The resource that a slug points to, so that an unknown slug is an error with near matches.

    Attributes:
        noun: the kind of thing, for the message.
        model: its table; `key` its column.
        also: finds slugs by other names, {given: slug}, for names that are no slug.
    """

    noun: str
    model: type[Model]
    key: str = "slug"
    also: Callable[[Iterable[str]], Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a resource.

    Attributes:
        name: as it stands in JSON, CSV and parameters, with its unit.
        source: ORM path, or a function that makes the expression; the name where None.
        words: stored value -> word, for a `CHOICE`; the same text on both sides for text choices.
        filterable, sortable: whether parameters may name it.
        listed: shown in a list when `fields=` does not ask for it.
        nullable: `__isnull` is offered; an empty text counts as unknown.
        attached: no part of the query; the resource's `attach` adds it to the rows of a page.
        example: a plausible value for the documentation.
    """

    name: str
    type: Type
    meaning: str = ""
    source: str | Callable[[], Combinable] | None = None
    words: Mapping[Any, str] = field(default_factory=dict)
    reference: Reference | None = None
    filterable: bool = True
    sortable: bool = True
    listed: bool = True
    nullable: bool = False
    attached: bool = False
    example: Any = None

    @property
    def path(self) -> str:
        """The name under which a queryset knows the column, once `annotated`."""
        if self.source is None:
            return self.name
        return self.source if isinstance(self.source, str) else f"col_{self.name}"

    def annotation(self) -> dict[str, Combinable]:
        """What the queryset must be annotated with before `path` can be used."""
        return {self.path: self.source()} if callable(self.source) else {}

    def present(self, value: Any) -> Any:
        """A database value as the API shows it: words for codes, null for unknown text."""
        if self.words:
            return self.words.get(value)
        if self.type in (Type.TEXT, Type.SLUG) and value == "":
            return None
        if self.type is Type.MONEY and value is not None:
            exact = Decimal(f"{value:.6g}") if isinstance(value, float) else value.normalize()
            return format(exact, "f")
        return value


def presenter(column: Column) -> Callable[[Any], Any] | None:
    """`Column.present` of a column whose values need it; None where they are shown as they are."""
    if column.words or column.type in (Type.TEXT, Type.SLUG, Type.MONEY):
        return column.present
    return None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter that is no column: `apply` narrows the queryset by its parsed values."""

    name: str
    meaning: str
    apply: Callable[[QuerySet[Any], list[str]], QuerySet[Any]] | None = None
    words: tuple[str, ...] = ()
    repeatable: bool = False
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of thing that the API serves.

    Attributes:
        name: plural, as in the address; `noun` is one of them.
        key: column that identifies one thing in `/{name}/{key}`.
        columns: all that a list can show.
        ordering: default, column names with `-` for descending; the primary key settles ties.
        rows: the base queryset.
        sections: further parts of the detail, each a function of the primary key.
        attach: adds the attached columns that are asked for to rows, given with their primary keys.
        deep: offers `cursor=`, which walks all rows at constant cost.
        example_query: a query string for the documentation, executed in a test.
    """

    name: str
    noun: str
    meaning: str
    columns: tuple[Column, ...]
    rows: Callable[[], QuerySet[Any]]
    ordering: tuple[str, ...]
    key: str = "slug"
    parameters: tuple[Parameter, ...] = ()
    sections: Mapping[str, Callable[[int], Any]] = field(default_factory=dict)
    section_meanings: Mapping[str, str] = field(default_factory=dict)
    attach: Callable[[list[int], list[Row], set[str]], None] | None = None
    deep: bool = False
    has_detail: bool = True
    example_query: str = ""

    def column(self, name: str) -> Column:
        return self.by_name[name]

    @property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}


def text(name: str, meaning: str = "", **options: Any) -> Column:
    return Column(name, Type.TEXT, meaning, **{"nullable": True, **options})


def slug(name: str, meaning: str = "", **options: Any) -> Column:
    return Column(name, Type.SLUG, meaning, **options)


def choice(name: str, choices: Any, meaning: str = "", **options: Any) -> Column:
    """A column of Django choices; integer choices are shown by their lower-case names."""
    if any(isinstance(member.value, int) for member in choices):
        words = {member.value: member.name.lower() for member in choices}
    else:
        words = {member.value: str(member.value) for member in choices}
    return Column(name, Type.CHOICE, meaning, words=words, **options)


def integer(name: str, meaning: str = "", **options: Any) -> Column:
    return Column(name, Type.INTEGER, meaning, **options)


def number(name: str, meaning: str = "", **options: Any) -> Column:
    return Column(name, Type.NUMBER, meaning, **{"nullable": True, **options})


def money(name: str, meaning: str = "", **options: Any) -> Column:
    return Column(name, Type.MONEY, meaning, **{"nullable": True, **options})


def boolean(name: str, meaning: str = "", **options: Any) -> Column:
    return Column(name, Type.BOOLEAN, meaning, **options)


def date(name: str, meaning: str = "", **options: Any) -> Column:
    return Column(name, Type.DATE, meaning, **options)


def time(name: str, meaning: str = "", **options: Any) -> Column:
    return Column(name, Type.TIME, meaning, **options)


def attached(name: str, meaning: str = "", kind: Type = Type.JSON, **options: Any) -> Column:
    """A column that `Resource.attach` fills in."""
    return Column(name, kind, meaning, filterable=False, sortable=False, attached=True, **options)


def nested(name: str, meaning: str = "", **options: Any) -> Column:
    return Column(name, Type.JSON, meaning, **{"filterable": False, "sortable": False, **options})
