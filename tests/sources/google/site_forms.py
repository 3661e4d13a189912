"""A search site in the forms that Google Images had from 2020 to 2026, written from descriptions.

Synthetic: no recorded result grid exists. Every class name is another one in every answer. The
first path component names the form, so that `base_url=http://127.0.0.1:PORT/<form>` picks it.
"""

from __future__ import annotations

import base64
import html
import json
import random
from dataclasses import dataclass, field
from urllib.parse import quote

SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='200' height='150'><text y='20'>NAME</text></svg>"


@dataclass(frozen=True)
class Item:
    """One picture of the site."""

    number: int
    query: str

    @property
    def id(self) -> str:
        return f"D{self.number:03d}_{abs(hash(self.query)) % 10**6}xM"

    @property
    def url(self) -> str:
        q = quote(self.query)
        ends = ["jpg", "png?w=1&h=2", "jpeg?sig=a%2Fb%3D&x=é", "webp#frag", "", "jpg?a=b;c=d"]
        return f"http://pics.example/{q}/bild-ü-{self.number}/{self.number}.{ends[self.number % 6]}"

    @property
    def page(self) -> str:
        return f"http://blog.example/{quote(self.query)}/{self.number}?a=1&b=2"

    @property
    def title(self) -> str:
        return f'{self.query} No {self.number} & "friends" – größe'

    @property
    def width(self) -> int:
        return 1000 + self.number

    @property
    def height(self) -> int:
        return 600 + self.number

    @property
    def thumb(self) -> str:
        return f"https://encrypted-tbn{self.number % 4}.gstatic.com/images?q=tbn:ANd9Gc{self.id}&s"


def js(text: str) -> str:
    """A JavaScript string in Google's manner: non-ASCII kept, = & < > as \\u00xx, / as it is."""
    out = json.dumps(text, ensure_ascii=False)
    for char in "=&<>'":
        out = out.replace(char, f"\\u{ord(char):04x}")
    return out


def record(item: Item, *, slashes: bool = False) -> str:
    text = (
        f"[1,[0,{js(item.id)},[{js(item.thumb)},183,275],[{js(item.url)},{item.height},{item.width}]"
        f',null,0,"rgb(1,2,3)",null,0,{{"2000":[null,"pics.example","12KB"],"2001":[null,null,null,5,3],'
        f'"2003":[null,{js(item.id + "_M")},{js(item.page)},{js(item.title)},null,null,0,"x"]}}]]'
    )
    return text.replace("/", "\\/") if slashes else text


@dataclass
class Page:
    """Helper to write a page whose classes are random."""

    items: list[Item]
    rng: random.Random = field(default_factory=random.Random)

    def cls(self) -> str:
        return " ".join("".join(self.rng.choices("abcdefXYZ019", k=6)) for _ in range(2))

    def chips(self) -> str:
        return "".join(
            f'<a class="{self.cls()}" href="/search?q=chip{i}&udm=2"><img class="{self.cls()}" width=46 height=46'
            f' src="https://encrypted-tbn0.gstatic.com/images?q=tbn:chip{i}" alt="chip"></a>'
            for i in range(4)
        )

    def wrap(self, body: str, script: str = "") -> str:
        return (
            f"<!doctype html><html><head><meta charset=utf-8><title>q - Google Search</title><style>.{self.cls().split()[0]}"
            f"{{}}</style></head><body class='{self.cls()}'><form action=/search><input name=q></form>"
            f"{self.chips()}<div id=grid style='display:flex;flex-wrap:wrap'>{body}</div><div id=foot></div>"
            f"<script>{script}</script></body></html>"
        )

    def img(self, item: Item, src: str | None = None) -> str:
        source = item.thumb if src is None else src
        return (
            f'<img class="{self.cls()}" src="{html.escape(source)}" alt="{html.escape(item.title)}"'
            " style='width:200px;height:150px'>"
        )


def data_uri(item: Item) -> str:
    return f"data:image/svg+xml,{quote(SVG.replace('NAME', item.id))}{' ' * 300}"


def form_2020(page: Page) -> str:
    tiles = "".join(
        f'<div class="{page.cls()}" data-ri="{i}" data-id="{item.id}" data-tbnid="{item.id}" data-ow={item.width}'
        f' data-oh={item.height} jsname="N9Xkfe"><a class="{page.cls()}">{page.img(item, data_uri(item))}</a></div>'
        for i, item in enumerate(page.items)
    )
    data = ",".join(record(item, slashes=True) for item in page.items)
    return page.wrap(
        tiles,
        f"var AF_initDataCallback=function(){{}};AF_initDataCallback({{key:'ds:1',hash:'2',data:[null,[[{data}]]]}});",
    )


def tile_2024(page: Page, item: Item) -> str:
    return (
        f'<div class="{page.cls()}" jsname="dTDiAc" data-docid="{item.id}" data-lpage="{html.escape(item.page)}" data-hveid=C data-ved=0a>'
        f'<div class="{page.cls()}"><g-img>{page.img(item, "data:image/gif;base64,R0lGODlhAQABAIAAAP///////yH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==")}</g-img>'
        f'<img width=16 height=16 src="https://www.gstatic.com/favicon{item.number}.png"></div></div>'
    )


def form_2024(page: Page) -> str:
    tiles = "".join(tile_2024(page, item) for item in page.items)
    data = ",".join(f"{js(item.id)}:{record(item)}" for item in page.items)
    return page.wrap(
        tiles, f"window.WIZ_global_data={{x:1}};var m={{{data}}};(function(){{var a=m;}})();"
    )


def form_escaped(page: Page) -> str:
    """Records inside a single-quoted string of a script, as \\x22."""
    inner = ",".join(record(item) for item in page.items)
    inner = (
        inner.replace("\\", "\\\\")
        .replace('"', "\\x22")
        .replace("'", "\\x27")
        .replace("[", "\\x5b")
    )
    tiles = "".join(tile_2024(page, item) for item in page.items)
    return page.wrap(tiles, f"var z='\\x5b{inner}]';")


def tile_2026(page: Page, item: Item) -> str:
    return (
        f'<div data-hveid="CA{item.number}" data-ved="2ah{item.number}" jsaction="x:y"><div role=listitem>'
        f"{page.img(item)}<span>{html.escape(item.title)}</span></div></div>"
    )


def form_2026(page: Page) -> str:
    data = ",".join(record(item) for item in page.items)
    return page.wrap("".join(tile_2026(page, item) for item in page.items), f"var s=[{data}];")


def href(item: Item) -> str:
    values = {"imgurl": item.url, "imgrefurl": item.page, "docid": "zz" + item.id, "tbnid": item.id,
              "w": str(item.width), "h": str(item.height), "hl": "en"}  # fmt: skip
    return "/imgres?" + "&".join(f"{k}={quote(v, safe='')}" for k, v in values.items())


def hidden(value: object) -> str:
    """A value for a script in a form that no pattern over the text can read."""
    coded = base64.b64encode(json.dumps(value).encode()).decode()
    return f"JSON.parse(atob('{coded}'))"


def links_script(page: Page, event: str, trusted: bool) -> str:
    table = hidden([href(item) for item in page.items])
    return (
        f"const t={table};[...document.querySelectorAll('#grid>div')].forEach((d,i)=>d.addEventListener('{event}',e=>{{"
        f"if({json.dumps(trusted)}&&!e.isTrusted)return;let a=d.querySelector('a');if(a)return;a=document.createElement('a');"
        "setTimeout(()=>{a.setAttribute('href',t[i]);d.appendChild(a)},20)},true));"
    )


def form_hover(page: Page) -> str:
    return page.wrap(
        "".join(tile_2026(page, i) for i in page.items), links_script(page, "mouseover", True)
    )


def form_context(page: Page) -> str:
    return page.wrap(
        "".join(tile_2026(page, i) for i in page.items), links_script(page, "contextmenu", False)
    )


def form_click(page: Page) -> str:
    table = hidden([[i.url, i.page] for i in page.items])
    tiles = "".join(
        f"<div><div class='{page.cls()}' role=button>{page.img(i, data_uri(i))}</div></div>"
        for i in page.items
    )
    return page.wrap(
        tiles,
        f"const t={table};const p=document.createElement('div');p.style='position:fixed;right:0;top:0;width:500px;height:90%;background:#eee';"
        "[...document.querySelectorAll('#grid>div')].forEach((d,i)=>d.onclick=e=>{document.body.append(p);"
        "p.innerHTML=`<a href='${t[i][1]}'><img></a>`;const m=p.querySelector('img');m.src=d.querySelector('img').src;"
        "setTimeout(()=>{m.src=t[i][0]},30)});",
    )


def form_panel(page: Page) -> str:
    """A panel of three, where the original replaces the thumbnail late and neighbours load too."""
    table = hidden([[i.url, i.page, i.title] for i in page.items])
    tiles = "".join(
        f"<div data-ri={i.number}><a>{page.img(i, data_uri(i))}</a></div>" for i in page.items
    )
    return page.wrap(
        tiles,
        f"const t={table};const p=document.createElement('div');document.body.append(p);"
        "p.style='position:fixed;right:0;top:0;width:400px;height:90%;background:#eee';"
        "const tiles=[...document.querySelectorAll('#grid>div')];tiles.forEach((d,i)=>d.onclick=e=>{p.innerHTML='';"
        "[i-1,i,i+1].forEach((j,k)=>{if(!t[j])return;const a=document.createElement('a'),m=document.createElement('img');"
        "a.href=t[j][1];m.alt=t[j][2];m.src=tiles[j].querySelector('img').src;a.append(m);p.append(a);"
        "if(k!=1)a.style.display='none';setTimeout(()=>{m.src=t[j][0]},k==1?1300:1000)})});",
    )


def form_request(page: Page) -> str:
    """A click loads the picture out of the document's sight first."""
    table = hidden([i.url for i in page.items])
    tiles = "".join(tile_2026(page, i) for i in page.items)
    return page.wrap(
        tiles,
        f"const t={table};[...document.querySelectorAll('#grid>div')].forEach((d,i)=>d.onclick=e=>{{const m=new Image();"
        "m.src=t[i];m.onload=()=>{document.body.append(m)}});",
    )


def form_thumbs_only(page: Page) -> str:
    return page.wrap("".join(tile_2026(page, item) for item in page.items))


def form_deferred(page: Page) -> str:
    """Thumbnails arrive later, by a map of element ids, and are the only tie between tile and record."""
    tiles = "".join(
        f'<div data-hveid=1 data-ved="v{i.number}"><img id="dimg_{i.number}" alt="{html.escape(i.title)}" '
        'src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" style="width:200px;height:150px"></div>'
        for i in page.items
    )
    table = ",".join(f'"dimg_{i.number}":{js(i.thumb)}' for i in page.items)
    data = ",".join(
        record(i).replace('"2003"', '"2009"').replace(js(i.page), "null") for i in page.items
    )
    return page.wrap(tiles, f"var google={{}};google.ldi={{{table}}};var r=[{data}];")


def form_scroll(page: Page, per: int = 20) -> str:
    """The rest comes by XHR in hex-framed chunks; only two screens of tiles stay in the page."""
    first = page.items[:per]
    data = ",".join(record(i) for i in first)
    return page.wrap(
        "".join(tile_2024(page, i) for i in first),
        f"var r=[{data}];let n={per},busy=false,done=false;"
        "addEventListener('scroll',async()=>{if(busy||done||scrollY+innerHeight<document.body.scrollHeight-300)return;busy=true;"
        "const b=location.pathname+location.search+'&asearch=arc&async=_id:x,_fmt:pc&start='+n;"
        "const t=await (await fetch(b)).text();n+=20;const m=t.match(/<!--([^]*?)-->/);if(!m){done=true;return}"
        "grid.insertAdjacentHTML('beforeend',m[1]);while(grid.children.length>40)grid.firstElementChild.remove();busy=false});"
        "document.getElementById('foot').style.height='50px';",
    )


def scroll_chunk(page: Page, start: int) -> str:
    items = page.items[start : start + 20]
    if not items:
        return ")]}'\n5;[null]"
    inner = json.dumps("[" + ",".join(record(i) for i in items) + "]", ensure_ascii=False)
    tiles = "".join(tile_2024(page, i) for i in items)
    payload = f'[[["xjs.x",{inner}],["n",null]]]'
    return f")]}}'\n{len(tiles):x};<!--{tiles}-->{len(payload):x};{payload}"


def form_virtual(page: Page) -> str:
    """Tiles exist only around the viewport, and their links only after a hover."""
    table = hidden([[i.thumb, i.title, href(i)] for i in page.items])
    return page.wrap(
        "",
        f"const t={table};grid.style='position:relative;height:'+(Math.ceil(t.length/4)*220)+'px';const on=new Map();"
        "function draw(){t.forEach((r,i)=>{const y=Math.floor(i/4)*220,near=y>scrollY-400-grid.offsetTop&&y<scrollY+innerHeight+100;"
        "if(near&&!on.has(i)){const d=document.createElement('div');d.dataset.hveid=i;d.dataset.ved='v'+i;d.style=`position:absolute;top:${y}px;left:${i%4*220}px`;"
        "d.innerHTML=`<img style='width:200px;height:150px'>`;const m=d.firstChild;m.alt=r[1];m.src=r[0];"
        "d.onmouseover=()=>{if(d.querySelector('a'))return;const a=document.createElement('a');a.setAttribute('href',r[2]);d.append(a)};grid.append(d);on.set(i,d)}"
        "if(!near&&on.has(i)){on.get(i).remove();on.delete(i)}})}addEventListener('scroll',draw);draw();",
    )


def form_more(page: Page) -> str:
    """A button brings the second half."""
    half = len(page.items) // 2
    data = ",".join(record(i) for i in page.items[:half])
    rest = json.dumps("".join(tile_2024(page, i) for i in page.items[half:]))
    late = ",".join(record(i) for i in page.items[half:])
    return page.wrap(
        "".join(tile_2024(page, i) for i in page.items[:half]),
        f"var r=[{data}];foot.innerHTML='<input type=button value=\"Show more results\">';"
        f"foot.firstChild.onclick=()=>{{grid.insertAdjacentHTML('beforeend',{rest});const s=document.createElement('script');"
        f"s.textContent={json.dumps('var q=[' + late + ']')};document.body.append(s);foot.innerHTML='';}};",
    )


CAPTCHA = (
    "<html><title>sorry</title><body><form id=captcha-form action=index method=post><div data-sitekey=6L data-s=x></div>"
    "</form>Our systems have detected unusual traffic from your computer network.</body></html>"
)
WALL = (
    "<!doctype html><title>Google Search</title><noscript><meta http-equiv=refresh content='0;url=/httpservice/retry/enablejs?sei=1'>"
    "</noscript><script>var SG_SS=1;/*" + "x" * 80_000 + "*/%s</script>"
)
SOFT = (
    "<html><head><title>q - Google Search</title></head><body><noscript><iframe src='/httpservice/retry/enablejs?sei=abc'></iframe>"
    "</noscript><div id=main></div></body></html>"
)
CONSENT = (
    "<title>Before you continue</title><h1>Bevor Sie fortfahren</h1>"
    "<form action='../save' method=post><input type=hidden name=set_eom value=false><button>Alle akzeptieren</button></form>"
    "<form action='../save' method=post><input type=hidden name=set_eom value=true><input type=hidden name=continue value='%s'>"
    "<button>Alle ablehnen</button></form>"
)
NOTHING = "<html><title>q</title><body><p>Your search - q - did not match any image results.</p><img src=/logo.png></body></html>"
CHANGED = "<html><title>q</title><body><h1>Something new</h1><img src=/logo.png width=300 height=200><p>words</p></body></html>"

FORMS = {
    name[5:]: function for name, function in list(globals().items()) if name.startswith("form_")
}
COUNTS = {"scroll": 90, "virtual": 60, "click": 12, "request": 8, "panel": 3}
