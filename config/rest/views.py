"""Views of a resource, made from its table: a list and one thing, both read-only."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.problems import problem
from config.rest import pages, slugs
from config.rest.columns import Resource, Row
from config.rest.conditional import answer_not_modified, etag_of
from config.rest.faults import Fault, invalid_parameters, not_found
from config.rest.parameters import DETAIL_PARAMETERS, clean, named, read_list
from config.rest.rendering import CsvRenderer, JsonRenderer, Table

assert slugs  # registers the converter that routes use


HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}


class ApiView(APIView):
    """A view whose answers to GET carry a strong ETag and answer `If-None-Match`."""

    renderer_classes: Any = [JsonRenderer]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer: Any = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in ("GET", "HEAD", "PATCH"):
            return answer
        if not isinstance(answer, Response) or answer.status_code != 200:
            return answer
        answer.render()
        if not answer.has_header("ETag"):
            answer["ETag"] = etag_of(answer.content, self.version_of(answer.data))
        for name, value in HEADERS.items():
            answer[name] = value
        if request.method == "HEAD":
            answer["Content-Length"] = str(len(answer.content))
            answer.content = b""
        return answer_not_modified(request, answer)

    def version_of(self, data: Any) -> int | None:
        """The version of the one row that the answer shows; None for a list."""
        return None


class ListView(ApiView):
    """Rows of a resource, filtered, ordered, in pages, as JSON or CSV."""

    resource: Resource
    renderer_classes: Any = [JsonRenderer, CsvRenderer]

    def get(self, request: Request) -> HttpResponseBase:
        page = pages.run(self.resource, read_list(self.resource, request.query_params))
        return list_response(request, page)


def list_response(request: Request, page: pages.Page) -> Response:
    """The page with its links, which stand in the `Link` header too, so that CSV has them."""
    following, preceding = (_link(request, change) for change in (page.following, page.preceding))
    body = {"count": page.count, "next": following, "previous": preceding, "results": page.rows}
    response = Response(Table(body, page.columns, page.rows))
    links = [f'<{link}>; rel="{name}"' for name, link in (("next", following), ("prev", preceding)) if link]
    if links:
        response["Link"] = ", ".join(links)
    return response


def _link(request: Request, change: dict[str, int] | None) -> str | None:
    if change is None:
        return None
    parameters = request.query_params.copy()
    for name, value in change.items():
        parameters[name] = str(value)
    return request.build_absolute_uri(f"{request.path}?{parameters.urlencode(safe=',')}")


class DetailView(ApiView):
    """One thing: all its columns and its sections; `fields=` and `omit=` choose among both."""

    resource: Resource

    def get(self, request: Request, key: str) -> Response:
        return Response(read_detail(self.resource, request, key))

    def version_of(self, data: Any) -> int | None:
        return data.get("version") if isinstance(data, dict) else None


def read_detail(resource: Resource, request: Request, key: str) -> Row:
    """The representation that the query string asks for.

    Raises:
        Problem: 400 for unknown parameters or fields, 404 with near matches for an unknown key.
    """
    faults: list[Fault] = []
    names = [column.name for column in resource.columns] + list(resource.sections)
    values = clean(request.query_params, DETAIL_PARAMETERS, faults)
    wanted = named(values, "fields", names, faults)
    omitted = named(values, "omit", names, faults) or []
    if faults:
        raise invalid_parameters(faults)
    return detail(resource, key, [name for name in wanted or names if name not in omitted])


def detail(resource: Resource, key: str, names: list[str] | None = None) -> Row:
    """One thing with the named columns and sections, all of them where None.

    Raises:
        Problem: 404 with near matches.
    """
    wanted = [column for column in resource.columns if names is None or column.name in names]
    identity = resource.column(resource.key)
    rows = pages.annotated(resource.rows().order_by(), wanted)
    try:
        found = pages.fetch(rows.filter(**{identity.path: key})[:1], wanted)
    except (ValueError, OverflowError):
        found = []
    if not found:
        known = _known_keys(resource.rows().model, identity.path) if resource.key == "slug" else []
        raise not_found(resource.noun, key, known)
    pk = found[0][0]
    row = pages.completed(resource, wanted, found)[0]
    for name, section in resource.sections.items():
        if names is None or name in names:
            row[name] = section(pk)
    return row


def _known_keys(model: type[Model], path: str) -> list[str]:
    return list(model._default_manager.order_by().values_list(path, flat=True))


def routes(resource: Resource, single: type[DetailView] | None = None) -> list[URLPattern]:
    """The addresses of a resource, with its schema described; `single` in place of the read-only detail."""
    from config.rest.schema import described_detail, described_list

    renderers: list[type[BaseRenderer]] = [JsonRenderer, CsvRenderer]
    listing: Any = type(
        f"{_camel(resource.name)}ListView",
        (ListView,),
        {"resource": resource, "renderer_classes": renderers, "__doc__": resource.meaning},
    )
    found = [path(resource.name, described_list(listing, resource).as_view(), name=f"{resource.name}-list")]
    if resource.has_detail:
        made: Any = single or type(
            f"{_camel(resource.noun)}DetailView",
            (DetailView,),
            {"resource": resource, "__doc__": resource.meaning},
        )
        address = f"{resource.name}/<key:key>"
        found.append(
            path(address, described_detail(made, resource).as_view(), name=f"{resource.name}-detail")
        )
    return found


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.replace("-", " ").split())


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponseBase:
    """The 404 of the API's addresses; one slash too many is a redirect that keeps method and body."""
    from django.http import HttpResponsePermanentRedirect
    from django.urls import Resolver404, resolve

    bare = request.path_info.rstrip("/")
    if bare != request.path_info:
        try:
            if resolve(bare).func is not unknown_address:
                query = request.META.get("QUERY_STRING", "")
                redirect = HttpResponsePermanentRedirect(f"{bare}?{query}" if query else bare)
                redirect.status_code = 308
                return redirect
        except Resolver404:
            pass
    return problem(404, "not-found", "There is nothing at this address; /api/v1/ lists what there is.")
