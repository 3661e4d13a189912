"""A hostile page: once opened in a browser, it tries every known way to an address inside.

`/hostile/INNER/...` on any host of the playground, where INNER are the inner hosts (host:port,
separated by commas; 127.1.0.1 on the same port without any). The first gets all ways, further ones
a few. The page's own part is harmless: three pictures. `WAYS` names each way; the way is part of
every inner URL, `/inner/WAY`.
"""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import quote, unquote

from pixtrawl.playground.messages import ServerRequest, ServerResponse

_INNER: Final = "http://{inner}/inner/{way}"
# Elements of the page's body, by way: {u} is the inner URL.
_BODY: Final = {
    "img": '<img src="{u}">',
    "img-no-ending": '<img src="{u}/img">',
    "srcset": '<img srcset="{u} 2x, {u} 1x">',
    "picture": '<picture><source srcset="{u}"><img></picture>',
    "lazy": '<img loading="lazy" src="{u}">',
    "svg-image": '<svg width="9" height="9"><image href="{u}" width="9" height="9"/></svg>',
    "svg-use": '<svg width="9" height="9"><use href="{u}#a"/></svg>',
    "css-background": '<div style="background:url({u});width:9px;height:9px">x</div>',
    "css-cursor": '<div style="cursor:url({u}),auto">x</div>',
    "css-list": '<ul style="list-style-image:url({u})"><li>x</ul>',
    "css-mask": '<div style="mask-image:url({u});-webkit-mask-image:url({u})">x</div>',
    "css-import": '<style>@import url("{u}");</style>',
    "css-font": (
        '<style>@font-face{{font-family:f1;src:url("{u}")}}</style>'
        '<p style="font-family:f1">font</p>'
    ),
    "stylesheet": '<link rel="stylesheet" href="{u}">',
    "script": '<script src="{u}"></script>',
    "script-module": '<script type="module" src="{u}"></script>',
    "iframe": '<iframe src="{u}"></iframe>',
    "iframe-srcdoc": "<iframe srcdoc=\"<img src='{u}'>\"></iframe>",
    "iframe-data": "<iframe src=\"data:text/html,<img src='{u}'>\"></iframe>",
    "iframe-base": "<iframe srcdoc=\"<base href='{u}/'><img src='by-base'>\"></iframe>",
    "iframe-refresh": "<iframe srcdoc=\"<meta http-equiv=refresh content='0;url={u}'>\"></iframe>",
    "frame-redirect": '<iframe src="to?{q}"></iframe>',
    "fenced-frame": '<fencedframe config="{u}"></fencedframe>',
    "object": '<object data="{u}"></object>',
    "embed": '<embed src="{u}">',
    "video": '<video src="{u}" preload="auto" autoplay muted></video>',
    "video-poster": '<video poster="{u}"></video>',
    "audio": '<audio src="{u}" preload="auto"></audio>',
    "track": '<video><track default src="{u}"></video>',
    "input-image": '<input type="image" src="{u}">',
    "table-background": '<table background="{u}"><tr><td>x</table>',
    "ping": '<a id="ping" href="#here" ping="{u}">x</a>',
    "redirect-301": '<img src="to?{q}&status=301">',
    "redirect-302": '<img src="to?{q}&status=302">',
    "redirect-303": '<img src="to?{q}&status=303">',
    "redirect-307": '<img src="to?{q}&status=307">',
    "redirect-308": '<img src="to?{q}&status=308">',
    "redirect-script": '<script src="to?{q}"></script>',
    "header-refresh": '<iframe src="to?{q}&by=refresh"></iframe>',
    "csp-report": '<iframe src="to?{q}&by=csp"></iframe>',
    "link-header": '<iframe src="to?{q}&by=link"></iframe>',
    "reporting": '<iframe src="to?{q}&by=report"></iframe>',
    "nel": '<img src="to?{q}&by=nel">',
}
# Links of the head, by way: the `rel` and what else stands there.
_LINKS: Final = {
    "link-icon": 'rel="icon"',
    "link-apple-icon": 'rel="apple-touch-icon"',
    "link-manifest": 'rel="manifest"',
    "prefetch": 'rel="prefetch"',
    "prerender": 'rel="prerender"',
    "preload": 'rel="preload" as="fetch" crossorigin',
    "preload-image": 'rel="preload" as="image"',
    "modulepreload": 'rel="modulepreload"',
    "preconnect": 'rel="preconnect"',
    "dns-prefetch": 'rel="dns-prefetch"',
    "compression-dictionary": 'rel="compression-dictionary"',
}
# Statements of the page's script, by way: u is the inner URL, host its host, q its redirect.
_SCRIPT: Final = {
    "fetch": "fetch(u)",
    "fetch-no-cors": "fetch(u, {mode: 'no-cors'})",
    "fetch-post": "fetch(u, {method: 'POST', mode: 'no-cors', body: 'x'.repeat(3000)})",
    "fetch-preflight": "fetch(u, {method: 'PUT', headers: {'x-a': '1'}, body: 'x'})",
    "fetch-keepalive": "fetch(u, {keepalive: true, mode: 'no-cors', method: 'POST', body: 'x'})",
    "fetch-local": "fetch(u, {mode: 'no-cors', targetAddressSpace: 'loopback'})",
    "fetch-redirect": "fetch('to?' + q, {mode: 'no-cors'})",
    "fetch-blob": (
        "new Worker(URL.createObjectURL(new Blob([`fetch('${u}', {mode: 'no-cors'})`])))"
    ),
    "xhr": "x = new XMLHttpRequest(); x.open('POST', u); x.send('x')",
    "event-source": "new EventSource(u)",
    "websocket": "new WebSocket(u.replace('http', 'ws'))",
    "websocket-tls": "new WebSocket(u.replace('http', 'wss'))",
    "tls": "fetch(u.replace('http', 'https'), {mode: 'no-cors'})",
    "beacon": "navigator.sendBeacon(u, 'x')",
    "form-post": (
        "f = document.createElement('form'); f.method = 'post'; f.action = u; f.target = 'ff';"
        "document.body.append(f); f.submit()"
    ),
    "window-open": "window.open(u)",
    "download": (
        "a = document.createElement('a'); a.href = u; a.download = 'x'; a.target = 'fd';"
        "document.body.append(a);"
        "a.click()"
    ),
    "import": "import(u)",
    "worker": "new Worker(URL.createObjectURL(new Blob([`importScripts('${u}')`])))",
    "shared-worker": (
        "new SharedWorker(URL.createObjectURL(new Blob([`fetch('${u}', {mode: 'no-cors'})`])))"
    ),
    "service-worker": "navigator.serviceWorker.register('worker.js?' + q)",
    "worklet": "CSS.paintWorklet.addModule(u)",
    "speculation-prefetch": "speculate({prefetch: [{urls: [u], eagerness: 'immediate'}]})",
    "speculation-prerender": "speculate({prerender: [{urls: [u], eagerness: 'immediate'}]})",
    "image-object": "new Image().src = u",
    "font-face": "new FontFace('f2', `url(${u})`).load()",
    "canvas-css": "document.body.style.setProperty('border-image', `url(${u}) 1`)",
    "frame-script": (
        "f = document.createElement('iframe'); document.body.append(f);"
        "f.contentWindow.fetch(u, {mode: 'no-cors'})"
    ),
    "webtransport": "new WebTransport(u.replace('http', 'https'))",
    "fetch-later": "fetchLater(u, {activateAfter: 0})",
    "stun": "rtc([{urls: `stun:${host}`}])",
    "turn-udp": "rtc([{urls: `turn:${host}?transport=udp`, username: 'u', credential: 'p'}])",
    "turn-tcp": "rtc([{urls: `turn:${host}?transport=tcp`, username: 'u', credential: 'p'}])",
    "turn-tls": "rtc([{urls: `turns:${host}?transport=tcp`, username: 'u', credential: 'p'}])",
    "rtc-candidate": "candidate(host)",
    "direct-socket": "new TCPSocket(host.split(':')[0], +host.split(':').pop())",
}
_MOVES: Final = ("move-location", "move-refresh", "move-redirect")
WAYS: Final = (*_LINKS, *_BODY, *_SCRIPT, *_MOVES)
# Of a second and further inner host, which is another spelling of one mostly.
_SHORT: Final = frozenset({"img", "iframe", "fetch-no-cors", "websocket", "tls", "redirect-302"})

_HELPERS: Final = """
const speculate = rules => {
  const s = document.createElement('script');
  s.type = 'speculationrules';
  s.textContent = JSON.stringify(rules);
  document.head.append(s);
};
const rtc = async servers => {
  const one = new RTCPeerConnection({iceServers: servers});
  one.createDataChannel('x');
  await one.setLocalDescription(await one.createOffer());
};
const candidate = async host => {
  const one = new RTCPeerConnection(), two = new RTCPeerConnection();
  one.createDataChannel('x');
  await one.setLocalDescription(await one.createOffer());
  await two.setRemoteDescription(one.localDescription);
  await two.setLocalDescription(await two.createAnswer());
  await one.setRemoteDescription(two.localDescription);
  const port = host.split(':').pop(), name = host.slice(0, -port.length - 1).replace(/[[\\]]/g, '');
  for (const [kind, more] of [['udp', ''], ['tcp', ' tcptype passive']])
    await one.addIceCandidate({sdpMid: '0', candidate:
      `candidate:1 1 ${kind} 2130706431 ${name} ${port} typ host${more}`});
};
let x, f, a;
"""


class HostilePage:
    """Serves the page, and what it needs from its own host."""

    name = "hostile-page"

    def answer(self, request: ServerRequest, path: str) -> ServerResponse | None:
        """Answer paths below /hostile/."""
        words = path.split("/")
        if len(words) < 4 or words[1] != "hostile":
            return None
        named = [one for one in unquote(words[2]).split(",") if ":" in one]
        port = request.host.rpartition(":")[2]
        inner = named or [f"127.1.0.1:{port}"]
        match words[-1]:
            case "to":
                return _led_on(request)
            case "worker.js":
                script = f"fetch({json.dumps(request.query['u'])}, {{mode: 'no-cors'}})"
                return ServerResponse(script.encode(), 200, "text/javascript")
            case "own.png":
                return ServerResponse(_PIXEL, 200, "image/png")
            case move if move in _MOVES:
                return _moving(move, inner[0])
            case _:
                return ServerResponse(_page(inner).encode())


def _page(inner: list[str]) -> str:
    head, body, script = [], [], []
    for number, host in enumerate(inner):
        tried = [way for way in WAYS if not number or way in _SHORT]
        for way in tried:
            url = _url(host, way)
            redirect = f"u={quote(url, safe='')}"
            if way in _LINKS:
                head.append(f'<link {_LINKS[way]} href="{url}">')
            elif way in _BODY:
                body.append(_BODY[way].format(u=url, q=redirect))
            elif way in _SCRIPT:
                known = json.dumps([url, redirect, host])
                script.append(
                    f"(async ([u, q, host]) => {{ try {{ {_SCRIPT[way]}; }} "
                    f"catch (e) {{}} }})({known});"
                )
    own = "".join(f'<img src="own.png?{n}" width="300" height="300">' for n in range(3))
    clicks = "document.querySelectorAll('#ping').forEach(one => one.click());"
    return (
        f"<!doctype html><html><head><title>hostile</title>{''.join(head)}</head><body>{own}"
        f"{''.join(body)}<iframe name=ff></iframe><iframe name=fd></iframe>"
        f"<script>{_HELPERS}{''.join(script)}{clicks}</script></body></html>"
    )


def _url(host: str, way: str) -> str:
    return _INNER.format(inner=host, way=way)


def _led_on(request: ServerRequest) -> ServerResponse:
    """Lead to the inner URL `u` in the manner `by`."""
    url = request.query.get("u", "")
    by = request.query.get("by", "")
    page = b"<!doctype html><img src=//blocked.invalid/x.png>x"
    groups = json.dumps({"group": "g", "max_age": 600, "endpoints": [{"url": url}]})
    rules = json.dumps({"report_to": "g", "max_age": 600, "success_fraction": 1.0})
    headers = {
        "refresh": [("Refresh", f"0;url={url}")],
        "csp": [("Content-Security-Policy", f"img-src 'none'; report-uri {url}")],
        "link": [("Link", f"<{url}>; rel=preload; as=image, <{url}2>; rel=preconnect")],
        "report": [
            ("Reporting-Endpoints", f'g="{url}"'),
            ("Content-Security-Policy", "img-src 'none'; report-to g"),
        ],
        "nel": [("Report-To", groups), ("NEL", rules)],
    }
    if by in headers:
        return ServerResponse(page, headers=headers[by])
    status = int(request.query.get("status", "302"))
    return ServerResponse(b"", status, None, [("Location", url)])


def _moving(way: str, inner: str) -> ServerResponse:
    """Return a page whose main frame moves inside."""
    url = _url(inner, way)
    if way == "move-redirect":
        return ServerResponse(b"", 302, None, [("Location", url)])
    if way == "move-refresh":
        text = f'<!doctype html><meta http-equiv="refresh" content="0;url={url}"><p>x'
    else:
        text = f"<!doctype html><p>x<script>location.href = {json.dumps(url)}</script>"
    return ServerResponse(text.encode())


_PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63"
    "f8cfc000000301010018dd8db00000000049454e44ae426082"
)
