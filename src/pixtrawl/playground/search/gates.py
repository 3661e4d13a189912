"""Pages before the results: consent, captcha, walls and unknown pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Final
from urllib.parse import quote, urlsplit

from pixtrawl.playground.messages import ServerRequest, ServerResponse
from pixtrawl.playground.search.variants import Variant

CONSENT_COOKIE: Final = "SOCS"
REJECTED: Final = "CAESHAgBEhIaAB"
_CONSENT_DAYS: Final = 395


@dataclass
class Gates:
    """Decides before each search whether it is let through. `seen`: queries asked already."""

    seen: set[tuple[str, str]] = field(default_factory=set)

    def check(
        self, request: ServerRequest, variant: Variant, query: str, *, further: bool
    ) -> ServerResponse | None:
        """Return the page that stops this search, or None."""
        gates = variant.gates
        if "captcha" in gates or ("captcha-later" in gates and further):
            target = f"{variant.prefix}/sorry/index?continue={quote(request.target, safe='')}"
            return redirect(target + "&q=EgR_AAABGKzJ")
        if "rate-limit" in gates:
            return ServerResponse(b"slow down", 429, headers=[("Retry-After", "120")])
        for name, page in _PAGES.items():
            if name in gates:
                return page
        if gates & {"consent", "consent-stays"} and not further:
            stays = "consent-stays" in gates
            if stays or CONSENT_COOKIE not in request.cookies:
                target = quote(request.target, safe="")
                return redirect(f"{variant.prefix}/consent-page/m?continue={target}&hl=en")
        if "empty-once" in gates and (variant.prefix, query) not in self.seen:
            self.seen.add((variant.prefix, query))
            return ServerResponse(
                _shell(f"{escape(query)} - Playground Search", "<div id='cnt'></div>")
            )
        return None

    def own_pages(
        self, request: ServerRequest, variant: Variant, path: str
    ) -> ServerResponse | None:
        """Return consent and captcha pages themselves."""
        if path == "/consent-page/m":
            return ServerResponse(_consent_page(variant.prefix, request.query.get("continue", "/")))
        if path == "/consent-page/save" and request.method == "POST":
            return _consent_saved(request)
        if path == "/sorry/index":
            return ServerResponse(_shell(request.target, _CAPTCHA), 429)
        return None

    def dress(self, page: str, variant: Variant) -> ServerResponse:
        """Return the result page, with a consent dialog over it where the variant has one."""
        if "consent-dialog" in variant.gates:
            page = page.replace("</body>", _DIALOG + "</body>")
        return ServerResponse(page.encode())


def redirect(target: str, status: int = 302, *headers: tuple[str, str]) -> ServerResponse:
    """Return a redirect to `target`, which may be relative."""
    return ServerResponse(
        status=status, content_type=None, headers=[("Location", target), *headers]
    )


def _local(target: str) -> str:
    """Drop scheme and host of `target`: the consent page redirects within this site only."""
    parts = urlsplit(target)
    return "/" + parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")


def _consent_saved(request: ServerRequest) -> ServerResponse:
    rejected = request.form.get("set_eom") == "true"
    value = REJECTED if rejected else "CAISHAgCEhIaAB"
    age = _CONSENT_DAYS * 86400
    cookie = f"{CONSENT_COOKIE}={value}; Path=/; Max-Age={age}; SameSite=Lax"
    return redirect(_local(request.form.get("continue", "/")), 303, ("Set-Cookie", cookie))


def _consent_form(prefix: str, target: str, *, reject: bool) -> str:
    name, label = ("W0wltc", "Reject all") if reject else ("L2AGLb", "Accept all")
    return (
        f"<form action='{prefix}/consent-page/save' method='POST'>"
        f"<input type='hidden' name='continue' value='{escape(_local(target), quote=True)}'>"
        f"<input type='hidden' name='set_eom' value='{'true' if reject else 'false'}'>"
        f"<button id='{name}' aria-label='{label}'>{label}</button></form>"
    )


def _consent_page(prefix: str, target: str) -> bytes:
    forms = [_consent_form(prefix, target, reject=choice) for choice in (False, True)]
    return _shell("Before you continue", "<h1>Before you continue</h1>" + "".join(forms))


def _shell(title: str, body: str) -> bytes:
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{escape(title)}</title></head><body>{body}</body></html>"
    ).encode()


_CAPTCHA: Final = (
    "<form id='captcha-form' action='index' method='post'><div id='recaptcha' class='g-recaptcha' "
    "data-sitekey='playground' data-s='playground'></div></form><hr>About this page<p>Our systems "
    "have detected unusual traffic from your computer network. This page checks to see if it is "
    "really you sending the requests, and not a robot.</p>"
)
_DIALOG: Final = (
    "<div role='dialog' aria-modal='true' aria-label='Before you continue' id='pg-consent' "
    "style='position:fixed;inset:10%;background:#fff;z-index:9'><h1>Before you continue</h1>"
    "<button id='W0wltc'>Reject all</button><button id='L2AGLb'>Accept all</button></div><script>"
    f"if(document.cookie.indexOf('{CONSENT_COOKIE}=')>=0)document.getElementById('pg-consent')"
    ".remove();else ['W0wltc','L2AGLb'].forEach(function(id){document.getElementById(id).onclick="
    f"function(){{document.cookie='{CONSENT_COOKIE}={REJECTED}; path=/';"
    "document.getElementById('pg-consent').remove();};});</script>"
)
_WALL: Final = (
    "<noscript><meta http-equiv='refresh' content='0;url=/httpservice/retry/enablejs?sei=pg'>"
    "<div>Please click <a href='/httpservice/retry/enablejs?sei=pg'>here</a> if you are not "
    "redirected within a few seconds.</div></noscript><script>(function(){var SG_SS='*pg';})();"
)
_PAGES: Final = {
    "forbidden": ServerResponse(_shell("403", "<h1>Forbidden</h1>"), 403),
    "broken": ServerResponse(_shell("500", "<h1>That is an error.</h1>"), 500),
    "js-wall": ServerResponse(
        _shell("Playground Search", _WALL + "/*" + "pad " * 20_000 + "*/</script>").replace(
            b"<title>Playground Search", b"<title>Google Search"
        )
    ),
    "soft-block": ServerResponse(
        _shell("", "<noscript><iframe src='/httpservice/retry/enablejs'></iframe></noscript>")
    ),
    "changed": ServerResponse(
        _shell("Pictures", "<main>" + "<section><figure></figure></section>" * 400 + "</main>")
    ),
}
