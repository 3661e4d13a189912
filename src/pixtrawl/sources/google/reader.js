// What pixtrawl reads in an image search page. Structure, attributes and shapes of URLs only: class
// names change with every answer. The page itself is left as it is; nothing global is defined.
() => {
  const IDS = ["data-docid", "data-tbnid", "data-id"];
  const NAMED = "[data-docid],[data-tbnid],[data-id],[data-lpage],[data-ri],[data-hveid][data-ved]";
  const LINK = 'a[href*="/imgres?"]';
  const isThumb = (u) => /^data:|encrypted-tbn\d*\.|^https?:\/\/[^/]*gstatic\.com\/|[?&]q=tbn(:|%3A)/i.test(u);
  const elements = new Map(), sent = new Map(), keys = new WeakMap();
  const inline = new Map(), owners = new Map(), links = [], seenLinks = new Set(), scripts = new WeakSet();
  let serial = 0, armed = null, noted = [], changes = 0, pressed = null;

  // Below 80 px it is a filter chip or a site's icon. A blocked image has no size of its own, and
  // its box is that of its alt text: its size is then unknown (0), which does not exclude it.
  const side = (im) => {
    const given = Math.max(+im.getAttribute("width") || 0, +im.getAttribute("height") || 0);
    const own = Math.max(im.naturalWidth, im.naturalHeight);
    if (!own && im.complete && !given) {
      const box = im.getBoundingClientRect();
      return Math.max(box.width, box.height) >= 80 ? Math.max(box.width, box.height) : 0;
    }
    const box = im.getBoundingClientRect();
    return Math.max(given, own, box.width, box.height);
  };
  const isBig = (im) => { const s = side(im); return s === 0 || s >= 80; };
  const bigIn = (el) => { let n = 0; for (const im of el.getElementsByTagName("img")) if (isBig(im) && ++n > 1) break; return n; };
  const cellOf = (im) => {
    const named = im.closest(NAMED);
    if (named && bigIn(named) <= 1) return named;
    let el = im;
    for (let i = 0; i < 10; i++) {
      const up = el.parentElement;
      if (!up || up === document.body || bigIn(up) > 1) break;
      el = up;
    }
    return el;
  };
  // An attribute of an ancestor counts only while the ancestor is about this image alone.
  const attribute = (im, cell, name) => {
    const holder = im.closest(`[${name}]`);
    if (holder && bigIn(holder) <= 1) return holder.getAttribute(name);
    const inside = cell.querySelector(`[${name}]`);
    return inside ? inside.getAttribute(name) : null;
  };
  const thumbOf = (im) => {
    for (const name of ["src", "data-src", "data-iurl"]) {
      const value = im.getAttribute(name) || "";
      if (/^https?:/.test(value)) return value;
      if (/^\/(?!\/)/.test(value)) return new URL(value, document.baseURI).href;
    }
    const src = im.getAttribute("src") || "";
    return src.length > 400 && src.startsWith("data:image/") ? src : "";
  };
  const hashes = new Map();
  const hashOf = (text) => {
    if (hashes.has(text)) return hashes.get(text);
    let h = 0x811c9dc5;  // FNV-1a
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    hashes.set(text, h >>> 0);
    return h >>> 0;
  };
  const keyOf = (im, id, thumb) => {
    if (id) return "i:" + id;
    if (/^http/.test(thumb)) return "t:" + thumb;
    if (thumb) return "d:" + thumb.length + ":" + hashOf(thumb);
    if (!keys.has(im)) keys.set(im, "e:" + ++serial);
    return keys.get(im);
  };
  // Tag names up to the third ancestor: where many images share it, they are a grid.
  const shapeOf = (im) => {
    const names = [];
    for (let el = im, i = 0; el && i < 4; el = el.parentElement, i++) names.push(el.tagName);
    return names.join(">");
  };

  const rowOf = (im, shapes) => {
    const cell = cellOf(im);
    if (im.closest('a[href*="/search?"]') || (armed !== null && im === pressed)) return null;
    let id = null;
    for (const name of IDS) if ((id = attribute(im, cell, name))) break;
    const page = attribute(im, cell, "data-lpage"), thumb = thumbOf(im);
    const link = cell.querySelector(LINK) || im.closest(LINK);
    const isNamed = !!(id || page || link || im.closest("[data-ri]"));
    const isKnown = isNamed || isThumb(thumb) || !!im.closest("[data-hveid][data-ved]");
    if (!isBig(im) && (!isNamed || cell.getElementsByTagName("img").length > 1)) return null;
    if (!isKnown && (shapes.get(shapeOf(im)) || 0) < 4) return null;
    const key = keyOf(im, id, thumb), before = keys.get(im);
    // The same thumbnail once more, in a preview panel: not another result.
    if (thumb && !id && owners.has(thumb) && owners.get(thumb) !== key) return null;
    if (thumb) owners.set(thumb, key);
    keys.set(im, key);
    if (thumb.startsWith("data:")) inline.set(key, thumb);
    elements.set(key, im);
    return {
      key, was: before && before !== key ? before : null, id: id || "", element: im.id || "",
      page: page || "", title: im.getAttribute("alt") || "",
      thumb: /^http/.test(thumb) ? thumb : "", inline: thumb.startsWith("data:"),
      known: isKnown, link: link ? link.getAttribute("href") : "",
      width: +attribute(im, cell, "data-ow") || 0, height: +attribute(im, cell, "data-oh") || 0,
    };
  };

  const noteLink = (a) => {
    const href = a.getAttribute("href") || "";
    if (!href.includes("/imgres?") || seenLinks.has(href)) return;
    seenLinks.add(href);
    const cell = a.closest(NAMED);
    let im = a.querySelector("img") || (cell && bigIn(cell) <= 1 && cell.querySelector("img"));
    for (let el = a.parentElement, i = 0; !im && el && el !== document.body && i < 4; el = el.parentElement, i++)
      if (bigIn(el) === 1) im = [...el.getElementsByTagName("img")].find(isBig);
    links.push({ href, key: (im && keys.get(im)) || armed || "" });
  };
  // The picture that a click brings up: its address is noted and its load called off.
  const noteImage = (im) => {
    if (armed === null) return;
    const src = im.getAttribute("src") || "";
    if (!/^https?:/.test(im.src) || isThumb(im.src) || !src || keys.has(im)) return;
    const out = im.closest("a[href]");
    noted.push({ url: src.startsWith("http") ? src : im.src, key: armed, page: out ? out.href : "", title: im.alt || "", shown: !im.checkVisibility || im.checkVisibility() });
    im.removeAttribute("src");
  };
  new MutationObserver((mutations) => {
    changes++;
    for (const m of mutations) {
      if (m.type === "attributes") {
        if (m.target.tagName === "A") noteLink(m.target);
        else if (m.target.tagName === "IMG") noteImage(m.target);
        continue;
      }
      for (const node of m.addedNodes) {
        if (node.nodeType !== 1) continue;
        if (node.tagName === "A") noteLink(node);
        else if (node.tagName === "IMG") noteImage(node);
        if (!node.firstElementChild) continue;
        for (const a of node.querySelectorAll(LINK)) noteLink(a);
        if (armed !== null) for (const im of node.getElementsByTagName("img")) noteImage(im);
      }
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["href", "src"] });
  // A click may not lead away from the results.
  addEventListener("click", (e) => {
    const a = e.target instanceof Element && e.target.closest("a[href]");
    if (a && armed !== null && !e.defaultPrevented) e.preventDefault();
  });

  const scroller = () => {
    const page = document.scrollingElement || document.documentElement;
    if (page.scrollHeight > innerHeight + 50) return page;
    let best = page, most = 50;
    for (const el of document.querySelectorAll("div,main,section,ul")) {
      const hidden = el.scrollHeight - el.clientHeight;
      if (hidden > most && el.clientHeight > 200 && /auto|scroll/.test(getComputedStyle(el).overflowY)) { best = el; most = hidden; }
    }
    return best;
  };
  const pointOf = (im) => {
    const box = im.getBoundingClientRect();
    if (!im.isConnected || (!box.width && !box.height)) return null;
    const x = box.x + box.width / 2, y = box.y + box.height / 2;
    return x > 0 && y > 0 && x < innerWidth && y < innerHeight ? [x, y] : null;
  };

  return {
    // News since the last call: tiles, links, script texts, and how often the page changed.
    read() {
      const shapes = new Map(), images = [...document.images], tiles = [], texts = [];
      for (const im of images) if (isBig(im)) shapes.set(shapeOf(im), (shapes.get(shapeOf(im)) || 0) + 1);
      for (const im of images) {
        const row = rowOf(im, shapes);
        if (!row) continue;
        const text = JSON.stringify({ ...row, was: null });
        if (sent.get(row.key) !== text) { sent.set(row.key, text); tiles.push(row); }
      }
      for (const a of document.querySelectorAll(LINK)) noteLink(a);
      for (const s of document.scripts) {
        if (scripts.has(s) || s.src || !s.textContent) continue;
        scripts.add(s);
        texts.push(s.textContent);
      }
      return { tiles, links: links.splice(0), texts, changes };
    },
    changes: () => changes,
    // Brings the first of these tiles into view; the points of all that are in view then.
    bring(wanted) {
      const there = wanted.filter((k) => elements.get(k) && elements.get(k).isConnected);
      const points = () => there.map((k) => [k, pointOf(elements.get(k))]).filter((p) => p[1]);
      let seen = points();
      if (!seen.length && there.length) { elements.get(there[0]).scrollIntoView({ block: "start" }); seen = points(); }
      return { points: seen, left: there.length };
    },
    // Second best: events that the page may tell from real ones, but seldom does.
    touch(wanted) {
      for (const k of wanted) {
        const im = elements.get(k);
        if (!im || !im.isConnected) continue;
        for (const name of ["pointerover", "mouseover", "mouseenter", "mousemove", "focusin", "mousedown", "contextmenu"]) {
          const Type = name === "focusin" ? FocusEvent : name.startsWith("pointer") ? PointerEvent : MouseEvent;
          im.dispatchEvent(new Type(name, { bubbles: name !== "mouseenter", cancelable: true, composed: true, button: name === "contextmenu" ? 2 : 0 }));
        }
      }
    },
    // Makes ready for a click; gives the point where a real one would land on the tile.
    arm(key) {
      const im = elements.get(key);
      noted = []; armed = key; pressed = im || null;
      if (!im || !im.isConnected) return { there: false, point: null, changes };
      im.scrollIntoView({ block: "center" });
      const point = pointOf(im), top = point && document.elementFromPoint(point[0], point[1]);
      const cell = cellOf(im);
      return { there: true, point: top && (cell.contains(top) || top.contains(im)) && top !== document.body && top.tagName !== "HTML" ? point : null, changes };
    },
    press(key) { const im = elements.get(key); if (im) im.click(); },
    noted: () => ({ images: noted.splice(0), links: links.splice(0), changes }),
    disarm() { armed = null; pressed = null; },
    picture: (key) => inline.get(key) || "",
    // One step down; whether the end was reached.
    scroll(whole) {
      const el = scroller(), before = el.scrollTop;
      const step = whole ? el.scrollHeight : (el === document.scrollingElement ? innerHeight : el.clientHeight) * 0.8;
      el.scrollTo({ top: before + step, behavior: "instant" });
      el.dispatchEvent(new Event("scroll", { bubbles: true }));
      return { moved: el.scrollTop !== before, end: el.scrollTop + el.clientHeight >= el.scrollHeight - 4 };
    },
    // The point of a button for more results: below the last tile, by its words.
    more(words) {
      const pattern = new RegExp(words, "i");
      let last = 0;
      for (const im of elements.values()) if (im.isConnected) last = Math.max(last, im.getBoundingClientRect().top);
      for (const el of document.querySelectorAll('button,[role="button"],input[type="button"],input[type="submit"],a')) {
        const words = (el.value || el.innerText || el.getAttribute("aria-label") || "").trim();
        const box = el.getBoundingClientRect();
        if (words.length > 60 || !pattern.test(words) || !box.width || !box.height || box.top < last - 5) continue;
        if (el.tagName === "A" && el.getAttribute("href") && !/^(#|javascript:)/.test(el.getAttribute("href"))) continue;
        if (el.disabled || el.getAttribute("aria-disabled") === "true") continue;
        el.scrollIntoView({ block: "center" });
        const point = pointOf(el), top = point && document.elementFromPoint(point[0], point[1]);
        if (top && (el.contains(top) || top.contains(el))) return point;
        el.click();
        return [-1, -1];
      }
      return null;
    },
  };
}
