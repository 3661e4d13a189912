// Where the tiles of the grid lie: arithmetic only, nothing of the page.
//
// Browsers cap the height of an element (33.5 million device pixels in Blink, 17.9 in Firefox, which
// lets a higher one collapse), so a million tiles cannot simply lie below each other. The rows have a
// true height; what is scrolled has a capped one. Small movements are carried out one to one, and a
// jump (the scroll bar dragged) leads to the same share of the true height.

/** Largest height that is scrolled, in device pixels; half of Firefox's cap. */
const CAP_DEVICE_PX = 8_000_000;

/**
 * @typedef {object} Layout
 * @property {number} total images
 * @property {number} columns
 * @property {number} rows
 * @property {number} rowPx height of a row with its gap
 * @property {number} viewportPx
 * @property {number} truePx height of all rows
 * @property {number} scrolledPx height of the element that is scrolled
 */

/**
 * @param {{total: number, widthPx: number, viewportPx: number, tilePx: number, gapPx: number, captionPx: number, ratio: number}} given
 * @returns {Layout}
 */
export function layout({ total, widthPx, viewportPx, tilePx, gapPx, captionPx, ratio }) {
  const columns = Math.max(1, Math.floor((widthPx + gapPx) / (tilePx + gapPx)));
  const rows = Math.ceil(total / columns);
  // columns share what is left, so tiles are as wide as fits and as high as asked for
  const rowPx = tilePx + captionPx + gapPx;
  const truePx = rows * rowPx + gapPx;
  const scrolledPx = Math.min(truePx, Math.floor(CAP_DEVICE_PX / Math.max(1, ratio)));
  return { total, columns, rows, rowPx, viewportPx, truePx, scrolledPx };
}

/** @param {Layout} l */
const trueEnd = (l) => Math.max(0, l.truePx - l.viewportPx);
/** @param {Layout} l */
const scrolledEnd = (l) => Math.max(0, l.scrolledPx - l.viewportPx);

/**
 * The true position for a scroll position, by share of the whole.
 * @param {Layout} l @param {number} scrollTop
 */
export function toTrue(l, scrollTop) {
  if (l.truePx <= l.scrolledPx) return clamp(scrollTop, 0, trueEnd(l));
  return clamp((scrollTop / scrolledEnd(l)) * trueEnd(l), 0, trueEnd(l));
}

/**
 * The scroll position for a true position.
 * @param {Layout} l @param {number} position
 */
export function toScrolled(l, position) {
  if (l.truePx <= l.scrolledPx) return clamp(position, 0, scrolledEnd(l));
  return clamp((position / trueEnd(l)) * scrolledEnd(l), 0, scrolledEnd(l));
}

/**
 * The true position after a scroll event: one to one for small movements, by share for jumps and ends.
 * @param {Layout} l @param {number} before true position @param {number} from scrollTop before @param {number} to scrollTop now
 */
export function moved(l, before, from, to) {
  if (l.truePx <= l.scrolledPx) return toTrue(l, to);
  if (to <= 0) return 0;
  if (to >= scrolledEnd(l) - 1) return trueEnd(l);
  if (Math.abs(to - from) > 2 * l.viewportPx) return toTrue(l, to);
  return clamp(before + to - from, 0, trueEnd(l));
}

/**
 * First and last row to be drawn, with a margin on both sides.
 * @param {Layout} l @param {number} position @param {number} margin rows
 */
export function rowsAt(l, position, margin) {
  const first = Math.floor(position / l.rowPx) - margin;
  const last = Math.floor((position + l.viewportPx) / l.rowPx) + margin;
  return { first: clamp(first, 0, Math.max(0, l.rows - 1)), last: clamp(last, -1, l.rows - 1) };
}

/**
 * The true position at which an image is wholly seen, as near to the present one as can be.
 * @param {Layout} l @param {number} position @param {number} index
 */
export function revealing(l, position, index) {
  const top = Math.floor(index / l.columns) * l.rowPx;
  const bottom = top + l.rowPx;
  if (top < position) return clamp(top - 8, 0, trueEnd(l));
  if (bottom > position + l.viewportPx) return clamp(bottom - l.viewportPx + 8, 0, trueEnd(l));
  return position;
}

/** @param {number} n @param {number} low @param {number} high */
export function clamp(n, low, high) {
  return Math.max(low, Math.min(high, n));
}
