"""The web application: addresses, which publication, headers, pages for what is not there.

Belongs here: everything between a request and `parts`. Nothing is written, nothing is sent to any
host: only GET is answered, only to this machine's own names, and a page may load nothing but its
own style. Does not belong here: what a page says (`parts`), starting a server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestration.lib.pages import parts
from orchestration.lib.pages.asking import NotThereError, Value, open_book
from orchestration.lib.pages.deep import linked
from orchestration.lib.pages.parts import LawText, Links, Maker, Page
from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import current_number, release_folder, release_numbers
from orchestration.lib.scorecard import shown
from orchestration.lib.scorecard.tables import mark
from orchestration.settings import Home

#: Another name in the Host header is a page of somebody else that was pointed at this machine.
HOSTS = ("127.0.0.1", "localhost")
_TEMPLATES = Path(__file__).parent / "templates"
_POLICY = "default-src 'none'; img-src data:; base-uri 'none'; frame-ancestors 'none'; "
#: The scorecard carries its style within itself.
_SCORECARD_POLICY = _POLICY + "style-src 'unsafe-inline'; form-action 'none'"
_HEADERS = {
    "content-security-policy": _POLICY + "style-src 'self'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # The next request asks the file that is published then.
    "cache-control": "no-store",
}
#: As far as a number of a page or of a publication goes: what a database counts with.
_HIGHEST = 2**31


@dataclass(frozen=True)
class Site:
    """What all pages know: the state folder and what people are told of the laws."""

    home: Home
    laws: Mapping[str, LawText]
    templates: jinja2.Environment

    def answer(self, request: Request, make: Callable[[Maker], Page], **values: Value) -> Response:
        """A page of the publication that was asked for."""
        chosen = _chosen(request)
        with open_book(self.home, chosen) as book:
            maker = Maker(book, values, _skips(request), Links(chosen))
            return self.page(request, maker, make(maker))

    def told(self, status: int, title: str, *lines: str) -> Response:
        """A page that says why there is no other."""
        text = self._filled(
            "told.html.jinja", title=title, lines=lines, words="", chosen=None, links=Links(None)
        )
        return HTMLResponse(text, status)

    def page(self, request: Request, maker: Maker, page: Page) -> Response:
        """A page as people get it."""
        text = self._filled(
            "live.html.jinja",
            page=page,
            answers=list(maker.answers.values()),
            links=maker.links,
            chosen=maker.links.chosen,
            is_current=maker.book.is_current,
            numbers=release_numbers(self.home)[::-1],
            path=request.url.path,
            words=page.words,
            mark=mark,
        )
        return HTMLResponse(text)

    def _filled(self, name: str, **facts: Any) -> str:
        banner = shown.banner_of(self.home, self.laws)
        return self.templates.get_template(name).render(banner=banner, **facts)


def make_app(home: Home, laws: Mapping[str, LawText]) -> ASGIApp:
    """The application of one state folder."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    site = Site(home, laws, templates)

    def start(request: Request) -> Response:
        return site.answer(request, lambda maker: parts.start(home, maker))

    def search(request: Request) -> Response:
        words = request.query_params.get("q", "").strip()[:200]
        return site.answer(request, lambda maker: parts.search(maker, words), words=words)

    def campaign(request: Request) -> Response:
        key = request.path_params["key"]
        return site.answer(
            request,
            lambda maker: parts.campaign(maker, key),
            campaign=key,
            scope=f"campaign:{key}",
        )

    def velocity(request: Request) -> Response:
        scope = request.path_params["key"]
        return site.answer(request, lambda maker: parts.velocity(maker, scope), scope=scope)

    def handoff(request: Request) -> Response:
        side, owner = request.path_params["side"], request.path_params["key"]
        return site.answer(
            request, lambda maker: parts.handoff(maker, side, owner), side=side, owner=owner
        )

    def cohort(request: Request) -> Response:
        key = request.path_params["key"]
        try:
            begins = date.fromisoformat(request.path_params["start"])
        except ValueError:
            raise NotThereError(f"cohort {key}, {request.path_params['start']}") from None
        return site.answer(
            request,
            lambda maker: parts.cohort(maker, key, begins),
            campaign=key,
            cohort=begins,
        )

    def lead(request: Request) -> Response:
        lead_id = request.path_params["key"]
        return site.answer(request, lambda maker: parts.lead(maker, lead_id), lead=lead_id)

    def publication(request: Request) -> Response:
        number = request.path_params["number"]
        with open_book(home, number) as book:
            maker = Maker(book, {}, _skips(request), Links(number))
            return site.page(request, maker, parts.publication(home, maker))

    def law(request: Request) -> Response:
        law_id = request.path_params["key"]
        text = laws.get(law_id)
        return site.answer(request, lambda maker: parts.law(home, maker, text, law_id), law=law_id)

    def scorecard(request: Request) -> Response:
        chosen = _chosen(request)
        number = current_number(home) if chosen is None else chosen
        if number is None or number not in release_numbers(home):
            raise NotThereError("scorecard" if number is None else f"publication {number}")
        banner = shown.banner_of(home, laws) if chosen is None else ""
        text = linked(shown.page_of(release_folder(home, number)), Links(chosen))
        text = text.replace(shown.BANNER, banner or shown.BANNER, 1)
        return HTMLResponse(text, headers={"content-security-policy": _SCORECARD_POLICY})

    def style(_: Request) -> Response:
        text = shown.style() + (_TEMPLATES / "live.css").read_text(encoding="utf-8")
        return Response(text, media_type="text/css")

    def not_there(_: Request, error: Exception) -> Response:
        return site.told(
            404,
            f"There is no {error}.",
            "It may be in another publication: choose one on the page of any publication.",
            "Or search for it: part of a campaign's name, the number of a lead, a deal or a law.",
        )

    def no_page(_: Request, error: Exception) -> Response:
        match error:
            case HTTPException(status_code=status, detail=words) if status != 404:
                return site.told(status, f"{words}.")
        return site.told(404, "There is no such page.", "Begin at the start, or search.")

    def no_file(_: Request, error: Exception) -> Response:
        return site.told(503, "There is no publication to show.", *str(error).splitlines())

    def failed(_: Request, error: Exception) -> Response:
        return site.told(
            500,
            "This page could not be made.",
            "What went wrong is in the window where the pages were started.",
        )

    return _Headed(
        Starlette(
            routes=[
                Route("/", start),
                Route("/search", search),
                Route("/cohort/{key:path}/{start}", cohort),
                Route("/campaign/{key:path}", campaign),
                Route("/velocity/{key:path}", velocity),
                Route("/handoff/{side}/{key:path}", handoff),
                Route("/lead/{key:path}", lead),
                Route("/publication/{number:int}", publication),
                Route("/law/{key}", law),
                Route("/scorecard", scorecard),
                Route("/style.css", style),
            ],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))],
            exception_handlers={
                NotThereError: not_there,
                ReleaseError: no_file,
                HTTPException: no_page,
                Exception: failed,
            },
        )
    )


def _chosen(request: Request) -> int | None:
    """The publication that the address names; none is the one that readers see now."""
    text = request.query_params.get("publication", "")
    if not text:
        return None
    number = _natural(text)
    if number is None:
        raise NotThereError(f"publication {text}")
    return number


def _skips(request: Request) -> dict[str, int]:
    """Per question the rows that are passed over; what is no number passes over none."""
    asked = request.query_params
    return {name: _natural(asked[name]) or 0 for name in parts.QUESTIONS if name in asked}


def _natural(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    return min(int(text), _HIGHEST)


class _Headed:
    """Every answer with its headers, refusals and failures too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                had = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in _HEADERS.items()
                        if name.encode() not in had
                    ),
                ]
            await send(message)

        await self._app(scope, receive, headed)
