// Where points of the map lie on the page, and in which lines: arithmetic only, nothing of the page.

/** Places on the map are whole numbers from 0 to this. */
export const SIDE = 65_535;
/** Corners of a line; a hand draws more, and nobody sees them. */
const MOST_CORNERS = 256;
const PAD_PX = 14;

/** @typedef {{k: number, x: number, y: number}} Eye how much a place is enlarged, and where 0,0 lies, in px */

/** The whole map in a field. @param {number} widthPx @param {number} heightPx @returns {Eye} */
export function whole(widthPx, heightPx) {
  const k = Math.max(1, Math.min(widthPx, heightPx) - 2 * PAD_PX) / SIDE;
  return { k, x: (widthPx - k * SIDE) / 2, y: (heightPx - k * SIDE) / 2 };
}

/** Enlarged around a point of the page. @param {Eye} eye @param {number} by @param {number} px @param {number} py @param {number} least @returns {Eye} */
export function enlarged(eye, by, px, py, least) {
  const k = Math.max(least, Math.min(least * 60, eye.k * by));
  return { k, x: px - ((px - eye.x) * k) / eye.k, y: py - ((py - eye.y) * k) / eye.k };
}

/** The place at a point of the page. @param {Eye} eye @param {number} px @param {number} py @returns {[number, number]} */
export const placeAt = (eye, px, py) => [bounded((px - eye.x) / eye.k), bounded((py - eye.y) / eye.k)];

/** @param {number} n */
const bounded = (n) => Math.max(0, Math.min(SIDE, Math.round(n)));

/** A drawn line as places, with few corners. @param {Eye} eye @param {[number, number][]} drawn @returns {[number, number][]} */
export function line(eye, drawn) {
  const step = Math.max(1, Math.ceil(drawn.length / MOST_CORNERS));
  return drawn.filter((_, i) => i % step === 0).map(([px, py]) => placeAt(eye, px, py));
}

/** A circle as a line. @param {number} px @param {number} py @param {number} radiusPx @returns {[number, number][]} */
export const circle = (px, py, radiusPx) =>
  Array.from({ length: 32 }, (_, i) => /** @type {[number, number]} */ ([px + radiusPx * Math.cos((i * Math.PI) / 16), py + radiusPx * Math.sin((i * Math.PI) / 16)]));

/**
 * Which points lie in one of the lines, by the rule that the server has, too (even-odd).
 * @param {[number, number][][]} lines @param {number[]} xs @param {number[]} ys @returns {Uint8Array}
 */
export function inside(lines, xs, ys) {
  const found = new Uint8Array(xs.length);
  for (const corners of lines) {
    const [left, right] = [Math.min(...corners.map((c) => c[0])), Math.max(...corners.map((c) => c[0]))];
    for (let i = 0; i < xs.length; i++) {
      if (found[i] || xs[i] < left || xs[i] > right) continue;
      let odd = false;
      for (let a = 0, b = corners.length - 1; a < corners.length; b = a++) {
        const [[x1, y1], [x2, y2]] = [corners[a], corners[b]];
        if (y1 > ys[i] !== y2 > ys[i] && xs[i] < ((x2 - x1) * (ys[i] - y1)) / (y2 - y1) + x1) odd = !odd;
      }
      if (odd) found[i] = 1;
    }
  }
  return found;
}

/** The point nearest to one of the page, within a distance; -1 without one. @param {Eye} eye @param {number[]} xs @param {number[]} ys @param {number} px @param {number} py @param {number} withinPx */
export function nearest(eye, xs, ys, px, py, withinPx) {
  let [best, least] = [-1, withinPx * withinPx];
  for (let i = 0; i < xs.length; i++) {
    const [dx, dy] = [xs[i] * eye.k + eye.x - px, ys[i] * eye.k + eye.y - py];
    const square = dx * dx + dy * dy;
    if (square < least) [best, least] = [i, square];
  }
  return best;
}
