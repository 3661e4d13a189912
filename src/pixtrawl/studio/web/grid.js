// The grid: only rows in sight and a margin are in the page; rows that leave are used again.
import { effect, html, useEffect, useRef } from "./html.js";
import { thumbAddress } from "./api.js";
import { layout, moved, revealing, rowsAt, toScrolled } from "./geometry.js";
import * as state from "./state.js";
import { texts } from "./texts.js";

const GAP_PX = 8;
const CAPTION_PX = 22;
const MARGIN_ROWS = 2;
const SETTLED_MS = 150;

/** Columns and rows that a page key moves by. */
export const shape = { columns: 1, pageRows: 1 };

/** @param {string} name @param {string} className */
function make(name, className) {
  const element = document.createElement(name);
  element.className = className;
  return element;
}

/** The tiles of one view, drawn by hand: a framework would compare a thousand nodes at every scroll. */
class Tiles {
  /** @param {HTMLElement} scroller */
  constructor(scroller) {
    this.scroller = scroller;
    this.sizer = make("div", "sizer");
    this.sizer.setAttribute("role", "presentation");
    scroller.append(this.sizer);
    /** @type {Map<number, HTMLElement>} */
    this.rows = new Map();
    /** @type {HTMLElement[]} */
    this.spare = [];
    this.position = 0; // true one, in px
    this.scrolledFrom = 0;
    this.layout = this.measured();
    this.settling = 0;
    this.frame = 0;
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    scroller.addEventListener("pointerdown", (event) => this.pressed(event));
    scroller.addEventListener("dblclick", () => (state.opened.value = true));
    scroller.addEventListener("focusin", (event) => this.focused(event));
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(scroller);
  }

  measured() {
    const style = getComputedStyle(this.scroller);
    const widthPx = this.scroller.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return layout({
      total: state.view.value?.total ?? 0, widthPx, viewportPx: this.scroller.clientHeight,
      tilePx: Math.min(state.tilePx.value, Math.max(88, (widthPx - 2 * GAP_PX) / 3)), gapPx: GAP_PX, captionPx: CAPTION_PX, ratio: devicePixelRatio || 1,
    });
  }

  resized() {
    const anchor = state.current.peek();
    const was = this.layout;
    const now = this.measured();
    if (now.columns === was.columns && now.rowPx === was.rowPx && now.scrolledPx === was.scrolledPx && now.viewportPx === was.viewportPx) return;
    const offset = Math.floor(anchor / was.columns) * was.rowPx - this.position;
    const seen = offset >= 0 && offset < was.viewportPx;
    this.renew(seen ? { index: anchor, offset } : { index: Math.floor(this.position / was.rowPx) * was.columns, offset: 0 });
  }

  /** Lay everything anew, with an image where it was. @param {{index: number, offset: number}} anchor */
  renew(anchor) {
    const focused = this.scroller.contains(document.activeElement);
    this.layout = this.measured();
    const l = this.layout;
    this.sizer.style.height = `${l.scrolledPx}px`;
    this.scroller.style.setProperty("--columns", String(l.columns));
    this.scroller.style.setProperty("--row", `${l.rowPx - GAP_PX}px`);
    this.scroller.setAttribute("aria-rowcount", String(l.rows));
    this.scroller.setAttribute("aria-colcount", String(l.columns));
    for (const row of this.rows.keys()) this.retire(row);
    this.spare.length = 0;
    this.sizer.replaceChildren();
    this.go(Math.floor(anchor.index / l.columns) * l.rowPx - anchor.offset);
    if (focused) this.focus();
  }

  /** Go to a true position. @param {number} position */
  go(position) {
    shape.columns = this.layout.columns;
    shape.pageRows = Math.max(1, Math.floor(this.layout.viewportPx / this.layout.rowPx));
    const l = this.layout;
    this.position = Math.max(0, Math.min(position, Math.max(0, l.truePx - l.viewportPx)));
    this.scrolledFrom = Math.round(toScrolled(l, this.position));
    this.scroller.scrollTop = this.scrolledFrom;
    this.draw();
  }

  scrolled() {
    const now = this.scroller.scrollTop;
    if (Math.abs(now - this.scrolledFrom) < 0.5) return; // set by `go`
    this.position = moved(this.layout, this.position, this.scrolledFrom, now);
    this.scrolledFrom = now;
    this.draw();
    clearTimeout(this.settling);
    this.settling = window.setTimeout(() => this.settle(), SETTLED_MS);
  }

  /** Where small movements have added up, bring the scroll bar back to the share it stands for. */
  settle() {
    const l = this.layout;
    if (l.truePx > l.scrolledPx && Math.abs(toScrolled(l, this.position) - this.scrolledFrom) > 1) this.go(this.position);
  }

  draw() {
    const l = this.layout;
    const { first, last } = rowsAt(l, this.position, MARGIN_ROWS);
    const pinned = Math.floor(state.current.peek() / l.columns); // keeps the focus though it is out of sight
    for (const row of this.rows.keys()) if ((row < first || row > last) && row !== pinned) this.retire(row);
    if (l.total) for (let row = first; row <= last; row++) this.rows.has(row) || this.put(row);
    if (l.total && !this.rows.has(pinned)) this.put(pinned);
    for (const [row, element] of this.rows) {
      const shown = Math.max(first - 1, Math.min(last + 1, row));
      element.style.transform = `translateY(${this.scrolledFrom + shown * l.rowPx + GAP_PX - this.position}px)`;
    }
    const seen = { first: first * l.columns, last: Math.min(l.total, (last + 1) * l.columns) - 1 };
    const before = state.inSight.peek();
    if (l.total && (before.first !== seen.first || before.last !== seen.last)) state.inSight.value = seen;
    if (l.total) state.items.peek()?.want(Math.max(0, seen.first), seen.last);
  }

  /** @param {number} row */
  retire(row) {
    const element = this.rows.get(row);
    if (!element) return;
    this.rows.delete(row);
    element.hidden = true;
    for (const cell of element.children) {
      cell.removeAttribute("tabindex");
      cell.classList.remove("current"); // else a hidden tile would be taken for the one to be focused
    }
    this.spare.push(element);
  }

  /** @param {number} row */
  put(row) {
    const l = this.layout;
    let element = this.spare.pop();
    if (!element) {
      element = make("div", "row");
      element.setAttribute("role", "row");
      for (let column = 0; column < l.columns; column++) element.append(this.cell(column));
      this.sizer.append(element);
    }
    element.hidden = false;
    element.setAttribute("aria-rowindex", String(row + 1));
    this.rows.set(row, element);
    this.fill(row, element);
  }

  /** @param {number} column */
  cell(column) {
    const cell = make("div", "tile");
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("aria-colindex", String(column + 1));
    const image = /** @type {HTMLImageElement} */ (make("img", "picture"));
    image.decoding = "async";
    image.draggable = false;
    image.addEventListener("load", () => cell.classList.remove("no-picture"));
    image.addEventListener("error", () => cell.classList.add("no-picture"));
    cell.append(image, make("span", "caption"), make("span", "badge"));
    return cell;
  }

  /** @param {number} row @param {HTMLElement} element */
  fill(row, element) {
    const first = row * this.layout.columns;
    [...element.children].forEach((child, column) => this.show(/** @type {HTMLElement} */ (child), first + column));
  }

  /** @param {HTMLElement} cell @param {number} index */
  show(cell, index) {
    const inside = index < this.layout.total;
    cell.hidden = !inside;
    if (!inside) return;
    const item = state.items.peek()?.at(index);
    const [image, caption, badge] = /** @type {[HTMLImageElement, HTMLElement, HTMLElement]} */ ([...cell.children]);
    cell.dataset.index = String(index);
    const key = item ? `${item.id} ${item.decision} ${item.reason} ${item.label}` : "";
    if (cell.dataset.key !== key) {
      cell.dataset.key = key;
      const px = state.tilePx.peek() * (devicePixelRatio || 1) > 200 ? 320 : 160;
      const address = item ? thumbAddress(/** @type {string} */ (state.set.peek()), item, px) : "";
      if (!item) image.removeAttribute("src");
      else if (item.v === "") { // nothing that may be shown
        image.removeAttribute("src");
        cell.classList.add("no-picture");
      } else if (image.getAttribute("src") !== address) {
        cell.classList.remove("no-picture");
        image.src = address;
      }
      image.alt = item ? texts.pictureOf(item) : "";
      caption.textContent = item ? texts.caption(item) : "";
      const why = item ? texts.badge(item) : null;
      badge.textContent = why ?? "";
      badge.hidden = !why;
      cell.title = item?.detail ?? "";
      cell.dataset.decision = item?.decision ?? "";
    }
    const now = index === state.current.peek();
    cell.tabIndex = now ? 0 : -1;
    cell.classList.toggle("current", now);
    const selected = state.isSelected(index);
    cell.classList.toggle("selected", selected);
    cell.setAttribute("aria-selected", String(selected));
  }

  /** Draw again what changed in place, and bring the current image into sight. @param {boolean} follow */
  renewTiles(follow) {
    if (follow) {
      const to = revealing(this.layout, this.position, state.current.peek());
      if (to !== this.position) this.go(to);
      else this.draw();
    }
    for (const [row, element] of this.rows) this.fill(row, element);
    if (follow && (this.scroller.contains(document.activeElement) || document.activeElement === document.body)) this.focus();
  }

  focus() {
    const cell = this.scroller.querySelector(".tile.current");
    if (cell instanceof HTMLElement && document.activeElement !== cell) cell.focus({ preventScroll: true });
  }

  /** @param {FocusEvent} event */
  focused(event) {
    const cell = event.target instanceof Element ? event.target.closest(".tile") : null;
    if (cell instanceof HTMLElement && cell.classList.contains("current")) {
      const to = revealing(this.layout, this.position, state.current.peek());
      if (to !== this.position) this.go(to);
    }
  }

  /** @param {PointerEvent} event */
  pressed(event) {
    const cell = event.target instanceof Element ? event.target.closest(".tile") : null;
    if (!(cell instanceof HTMLElement) || event.button !== 0) return;
    const index = Number(cell.dataset.index);
    const s = state.selection.value;
    if (event.shiftKey) {
      const anchor = s?.kind === "range" ? s.anchor : state.current.value;
      state.selection.value = { kind: "range", anchor, to: index };
    } else if (event.ctrlKey || event.metaKey) {
      const at = new Set(s?.kind === "picks" ? s.at : [state.current.value]);
      if (!at.delete(index)) at.add(index);
      state.selection.value = { kind: "picks", at };
    } else state.selection.value = null;
    state.current.value = index;
    event.preventDefault();
    cell.focus({ preventScroll: true });
  }

  close() {
    this.observer.disconnect();
    clearTimeout(this.settling);
  }
}

export function Grid() {
  const place = useRef(/** @type {any} */ (null));
  useEffect(() => {
    const tiles = new Tiles(place.current);
    let shownView = "";
    let shownTile = state.tilePx.peek();
    let at = -1;
    const stop = effect(() => {
      const key = state.view.value?.view ?? "";
      const tile = state.tilePx.value;
      const current = state.current.value;
      void state.itemsTick.value;
      void state.selection.value;
      if (key !== shownView || tile !== shownTile) {
        const first = shownView === "";
        [shownView, shownTile] = [key, tile];
        tiles.renew({ index: current, offset: 0 });
        tiles.renewTiles(true);
        if (first) tiles.focus();
      } else tiles.renewTiles(current !== at);
      at = current;
    });
    return () => {
      stop();
      tiles.close();
    };
  }, []);
  return html`<div ref=${place} class="grid" role="grid" aria-multiselectable="true" aria-label=${texts.gridLabel}></div>`;
}
