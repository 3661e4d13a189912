// The map's two canvases: the points, and above them what moves: lasso, ring, the current image.
import { circle, enlarged, inside, line, nearest, whole } from "./lasso.js";

/** Colours of the labels with most images, told apart in both themes; all others are grey. */
export const COLOURS = ["#2f7fd0", "#d2691e", "#2f9e62", "#c2559d", "#a8870f", "#7a68d8", "#c8433b", "#3aa3ad", "#7d8f2a", "#97694a"];
export const OTHERS = "#8b8f94";
const MOVE_PX = 16;
const CLICK_PX = 6;
const HIT_PX = 12;

/** @typedef {{ids: number[], n: number[], x: number[], y: number[], label: number[], labels: string[]}} Points */
/** @typedef {{select(lines: [number, number][][], add: boolean): void, choose(point: number): void, point(at: number): void}} Told */

/** The colour of each label, by its images. @param {Points} points @returns {{name: string, n: number, colour: string}[]} by position in `labels` */
export function legend(points) {
  const counts = new Array(points.labels.length).fill(0);
  for (const one of points.label) counts[one]++;
  const order = counts.map((_, at) => at).sort((a, b) => counts[b] - counts[a]);
  const colours = new Array(points.labels.length).fill(OTHERS);
  order.slice(0, COLOURS.length).forEach((at, place) => (colours[at] = COLOURS[place]));
  return points.labels.map((name, at) => ({ name, n: counts[at], colour: colours[at] }));
}

export class Plot {
  /** @param {HTMLElement} field @param {Told} told */
  constructor(field, told) {
    this.field = field;
    this.told = told;
    const [below, above] = /** @type {HTMLCanvasElement[]} */ ([...field.querySelectorAll("canvas")]);
    this.below = below;
    this.above = above;
    /** @type {Points} */
    this.points = { ids: [], n: [], x: [], y: [], label: [], labels: [] };
    /** @type {number[][]} points by label */
    this.ofLabel = [];
    /** @type {string[]} */
    this.colours = [];
    /** @type {[number, number][][]} */
    this.lines = [];
    this.chosen = inside([], [], []);
    this.current = -1;
    /** @type {[number, number][]|null} */
    this.drawn = null;
    this.add = false;
    /** @type {[number, number]|null} where a hand that moves the map was */
    this.held = null;
    this.ring = { x: 0, y: 0, radius: 40, shown: false };
    this.frame = 0;
    this.eye = whole(1, 1);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(field);
    const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ take, /** @type {object} */ how = {}) => this.above.addEventListener(name, take, how);
    on("pointerdown", (e) => this.down(e));
    on("pointermove", (e) => this.move(e));
    on("pointerup", (e) => this.up(e));
    on("pointercancel", () => this.up(null));
    on("pointerleave", () => this.told.point(-1));
    on("wheel", (e) => this.wheel(e), { passive: false });
    on("keydown", (e) => this.key(e));
    on("focus", () => this.ringTo(this.above.matches(":focus-visible")));
    on("blur", () => this.ringTo(false));
    this.fit();
  }

  /** @param {Points} points */
  show(points) {
    this.points = points;
    this.colours = legend(points).map((one) => one.colour);
    this.ofLabel = points.labels.map(() => []);
    points.label.forEach((label, i) => this.ofLabel[label].push(i));
    this.mark(this.lines, this.current);
  }

  /** Draw the lines that select, and the current image. @param {[number, number][][]} lines @param {number} current a point, or -1 */
  mark(lines, current) {
    this.lines = lines;
    this.current = current;
    this.chosen = inside(lines, this.points.x, this.points.y);
    this.draw();
  }

  /** The whole map, at the size that the field has now. */
  fit() {
    const { clientWidth: width, clientHeight: height } = this.field;
    const ratio = devicePixelRatio || 1;
    for (const canvas of [this.below, this.above]) [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    this.eye = whole(width, height);
    [this.ring.x, this.ring.y] = [width / 2, height / 2];
    this.draw();
  }

  /** @param {number} by */
  zoom(by) {
    const { clientWidth: width, clientHeight: height } = this.field;
    this.eye = enlarged(this.eye, by, this.ring.shown ? this.ring.x : width / 2, this.ring.shown ? this.ring.y : height / 2, whole(width, height).k);
    this.draw();
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.drawPoints();
      this.drawAbove();
    });
  }

  /** @param {HTMLCanvasElement} canvas */
  cleared(canvas) {
    const to = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const ratio = devicePixelRatio || 1;
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    to.clearRect(0, 0, canvas.width, canvas.height);
    return to;
  }

  drawPoints() {
    const to = this.cleared(this.below);
    const { x, y, ids } = this.points;
    const { k, x: left, y: top } = this.eye;
    const size = Math.max(2, Math.min(6, 500 / Math.sqrt(ids.length + 1)));
    const passes = this.lines.length ? [0, 1] : [1];
    for (const chosen of passes) {
      to.globalAlpha = chosen ? 0.9 : 0.22;
      const px = chosen && this.lines.length ? size + 1 : size;
      this.ofLabel.forEach((points, label) => {
        to.fillStyle = this.colours[label];
        for (const i of points) {
          if (this.lines.length && this.chosen[i] !== chosen) continue;
          to.fillRect(x[i] * k + left - px / 2, y[i] * k + top - px / 2, px, px);
        }
      });
    }
  }

  drawAbove() {
    const to = this.cleared(this.above);
    to.strokeStyle = to.fillStyle = getComputedStyle(this.above).color;
    const onPage = (/** @type {[number, number][]} */ places) => places.map(([px, py]) => /** @type {[number, number]} */ ([px * this.eye.k + this.eye.x, py * this.eye.k + this.eye.y]));
    to.setLineDash([5, 4]);
    for (const places of this.lines) outline(to, onPage(places));
    if (this.drawn) outline(to, this.drawn);
    to.setLineDash([]);
    if (this.current >= 0) {
      to.lineWidth = 2.5;
      outline(to, circle(this.points.x[this.current] * this.eye.k + this.eye.x, this.points.y[this.current] * this.eye.k + this.eye.y, 8), false);
    }
    if (this.ring.shown) {
      to.lineWidth = 1.5;
      outline(to, circle(this.ring.x, this.ring.y, this.ring.radius));
    }
    to.lineWidth = 1;
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  at(event) {
    const box = this.above.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button !== 0 && event.button !== 1) return;
    this.above.setPointerCapture(event.pointerId);
    if (event.button === 1 || event.altKey) this.held = this.at(event);
    else this.drawn = [this.at(event)];
    this.add = event.shiftKey;
  }

  /** @param {PointerEvent} event */
  move(event) {
    const [px, py] = this.at(event);
    if (this.held) {
      this.eye = { ...this.eye, x: this.eye.x + px - this.held[0], y: this.eye.y + py - this.held[1] };
      this.held = [px, py];
      return this.draw();
    }
    if (!this.drawn) return this.told.point(nearest(this.eye, this.points.x, this.points.y, px, py, HIT_PX));
    const [lastX, lastY] = this.drawn[this.drawn.length - 1];
    if (Math.abs(px - lastX) + Math.abs(py - lastY) < 3) return;
    this.drawn.push([px, py]);
    this.drawAbove();
  }

  /** @param {PointerEvent|null} event */
  up(event) {
    const drawn = this.drawn;
    this.drawn = this.held = null;
    this.drawAbove();
    if (!drawn || !event) return;
    const [xs, ys] = [drawn.map((one) => one[0]), drawn.map((one) => one[1])];
    const small = Math.max(...xs) - Math.min(...xs) < CLICK_PX && Math.max(...ys) - Math.min(...ys) < CLICK_PX;
    if (!small && drawn.length > 2) return this.told.select([line(this.eye, drawn)], this.add);
    const hit = nearest(this.eye, this.points.x, this.points.y, xs[0], ys[0], HIT_PX);
    if (hit >= 0) this.told.choose(hit);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    const [px, py] = this.at(/** @type {any} */ (event));
    this.eye = enlarged(this.eye, Math.exp(-event.deltaY / 400), px, py, whole(this.field.clientWidth, this.field.clientHeight).k);
    this.draw();
  }

  /** The ring is the lasso of the keyboard. @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const ring = this.ring;
    const steps = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] })[event.key];
    if (steps) {
      const far = event.shiftKey ? 4 * MOVE_PX : MOVE_PX;
      ring.x = Math.max(0, Math.min(this.field.clientWidth, ring.x + far * steps[0]));
      ring.y = Math.max(0, Math.min(this.field.clientHeight, ring.y + far * steps[1]));
    } else if (event.key === "+" || event.key === "-") ring.radius = Math.max(6, Math.min(600, ring.radius * (event.key === "+" ? 1.25 : 0.8)));
    else if (event.key === "PageUp" || event.key === "PageDown") this.zoom(event.key === "PageUp" ? 1.4 : 1 / 1.4);
    else if (event.key === "Home") this.fit();
    else if (event.key === "Enter" || event.key === " ") this.told.select([line(this.eye, circle(ring.x, ring.y, ring.radius))], event.shiftKey);
    else return;
    event.preventDefault(); // the keys of the grid are not meant
    this.ringTo(true);
  }

  /** @param {boolean} shown */
  ringTo(shown) {
    this.ring.shown = shown;
    this.drawAbove();
  }

  close() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }
}

/** @param {CanvasRenderingContext2D} to @param {[number, number][]} corners @param {boolean} [tinted] */
function outline(to, corners, tinted = true) {
  to.beginPath();
  corners.forEach(([px, py], i) => (i ? to.lineTo(px, py) : to.moveTo(px, py)));
  to.closePath();
  to.stroke();
  if (!tinted) return;
  to.globalAlpha = 0.08;
  to.fill();
  to.globalAlpha = 1;
}
