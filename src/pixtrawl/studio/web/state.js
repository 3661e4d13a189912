// What the page knows, as signals: each part of the page draws itself again when its own change.
import { batch, computed, signal } from "./html.js";
import { get, ofSet, post } from "./api.js";
import { Items } from "./items.js";
import { texts } from "./texts.js";

/** @typedef {import("./items.js").Item} Item */
/** @typedef {"images"|"map"|"not_kept"|"groups"|"doubts"|"check"|"charts"|"run"} Place */

/** @type {Place[]} */
const PLACES = ["images", "map", "not_kept", "groups", "doubts", "check", "charts", "run"];
/** Places without a view. @type {Place[]} */
const WITHOUT = ["check", "charts", "run"];
/** @typedef {{kind: "all"} | {kind: "range", anchor: number, to: number} | {kind: "picks", at: Set<number>}} Selection */

export const app = signal(/** @type {any} */ (null));
export const set = signal(/** @type {string|null} */ (null));
export const summary = signal(/** @type {any} */ (null));
export const place = signal(/** @type {Place} */ ("images"));
export const filter = signal(/** @type {Record<string, any>} */ ({}));
export const sort = signal({ by: "number", descending: false });
export const similarTo = signal(/** @type {string[]} */ ([]));
/** Words by whose meaning the images are ordered. */
export const meaning = signal("");
/** What the search field looks for: words of titles and pages, or their meaning in the pictures. */
export const searchBy = signal(/** @type {"words"|"meaning"} */ (localStorage.getItem("search_by") === "meaning" ? "meaning" : "words"));
/** Lines on the map that select. */
export const lasso = signal(/** @type {[number, number][][]} */ ([]));
export const view = signal(/** @type {any} */ (null));
export const items = signal(/** @type {Items|null} */ (null));
/** Grows whenever items were loaded or changed in place. */
export const itemsTick = signal(0);
export const current = signal(0);
export const selection = signal(/** @type {Selection|null} */ (null));
export const opened = signal(false);
export const detailShown = signal(false);
export const filtersShown = signal(false);
export const tilePx = signal(Number(localStorage.getItem("tile_px")) || 168);
/** Whether a rejected image's place is filled with another one. */
export const refill = signal(localStorage.getItem("refill") !== "no");
/** A view is asked for, and takes more than a moment. */
export const busy = signal(false);
export const problem = signal(/** @type {string|null} */ (null));
/** What is said at the lower edge: {text, undo?, bad?} */
export const said = signal(/** @type {{text: string, undo?: boolean, bad?: boolean}|null} */ (null));
export const live = signal(/** @type {any} */ ({ connected: false, progress: null, blocked: [], jobs: {} }));
/** Other images belong to the view than those that are shown. */
export const stale = signal(false);
/** What of the grid is in sight. */
export const inSight = signal({ first: 0, last: 0 });

/** In the duplicates: only those whose labels differ. */
export const conflictsOnly = signal(false);
/** In the duplicates: the copy that the keys are about. */
export const member = signal(/** @type {Item|null} */ (null));
/** Grows whenever a caption was changed. */
export const captionTick = signal(0);

export const currentItem = computed(() =>
  place.value === "groups" ? (member.value ?? undefined) : (itemsTick.value, items.value?.at(current.value)));
export const filtered = computed(() => Object.keys(filter.value).length > 0 || similarTo.value.length > 0 || meaning.value !== "" || (place.value === "map" && lasso.value.length > 0));

let says = 0;
/** @param {string} text @param {{undo?: boolean, bad?: boolean, stays?: boolean}} [more] stays: until it is closed */
export function say(text, more) {
  said.value = { text, ...more };
  clearTimeout(says);
  if (!more?.stays) says = window.setTimeout(() => (said.value = null), more?.bad ? 12_000 : 6_000);
}

/** A refusal as a sentence: those of the server begin in small letters. @param {string} text */
const sentence = (text) => (/^[a-z]+ /.test(text) && !text.startsWith("pixtrawl") ? text[0].toUpperCase() + text.slice(1) : text);

/** @param {unknown} error */
export function sayError(error) {
  say(sentence(/** @type {Error} */ (error).message || String(error)), { bad: true });
}

/** Number of images that an action is about. */
export const selectedCount = computed(() => {
  const s = selection.value;
  const total = view.value?.total ?? 0;
  if (!s) return total ? 1 : 0;
  if (s.kind === "all") return total;
  if (s.kind === "picks") return s.at.size;
  return Math.abs(s.to - s.anchor) + 1;
});

/** @param {number} index */
export function isSelected(index) {
  const s = selection.value;
  if (!s) return false;
  if (s.kind === "all") return true;
  if (s.kind === "picks") return s.at.has(index);
  return index >= Math.min(s.anchor, s.to) && index <= Math.max(s.anchor, s.to);
}

/** The view of the present place, filter and sort, as the server takes it. */
function wanted() {
  const kind = place.value === "map" ? "images" : place.value === "groups" && conflictsOnly.value ? "conflicts" : place.value;
  return {
    kind,
    filter: filter.value,
    sort: similarTo.value.length ? { by: "similar", descending: false } : sort.value,
    ...(similarTo.value.length ? { similar_to: similarTo.value } : {}),
    ...(meaning.value && kind === "images" ? { meaning: meaning.value } : {}),
    ...(place.value === "map" && lasso.value.length ? { lasso: lasso.value } : {}),
  };
}

/** After so long it is said that an answer is waited for. */
const BUSY_MS = 300;
/** After so long, more images of a part were looked at. */
const AGAIN_MS = 700;

let asked = 0;
/**
 * Ask for the view of the present place, filter and sort.
 * @param {{keep?: boolean}} [how] keep: stay at the present image, else go to the first
 */
export async function showView({ keep = false } = {}) {
  if (!set.value || WITHOUT.includes(place.value)) return;
  const mine = ++asked;
  const here = keep ? currentItem.peek()?.n : undefined;
  const slow = setTimeout(() => (busy.value = mine === asked), BUSY_MS);
  try {
    const found = await post(`${ofSet(set.value)}/views`, wanted());
    const index = here === undefined ? 0 : await indexOf(found.view, here);
    if (mine !== asked) return;
    batch(() => {
      items.peek()?.close();
      view.value = found;
      selection.value = null;
      stale.value = false;
      problem.value = null;
      current.value = Math.min(index ?? current.peek(), Math.max(0, found.total - 1));
      items.value = new Items(/** @type {string} */ (set.value), found.view, {
        loaded: () => itemsTick.value++,
        gone: () => void showView({ keep: true }),
        failed: sayError,
      });
      itemsTick.value++;
    });
    if (found.done < 1) setTimeout(() => mine === asked && !selection.value && void showView({ keep: true }), AGAIN_MS);
  } catch (error) {
    if (mine !== asked) return;
    view.value = null;
    problem.value = sentence(/** @type {Error} */ (error).message);
  } finally {
    clearTimeout(slow);
    if (mine === asked) busy.value = false;
  }
}

/** Show a place with all its images, at the one with this number. @param {Place} to @param {number} number */
export async function goToImage(to, number) {
  await go(to, { sort: { by: "number", descending: false } });
  const index = view.value && (await indexOf(view.value.view, number));
  if (typeof index === "number") current.value = index;
}

/** Where the image with a number lies in a view; null where it is not in it. @param {string} key @param {number} number */
export async function indexOf(key, number) {
  try {
    const found = await get(`${ofSet(/** @type {string} */ (set.value))}/views/${encodeURIComponent(key)}/find?number=${number}`);
    return /** @type {number|null} */ (found.index ?? null);
  } catch (error) {
    if (/** @type {any} */ (error).status === 404) return null;
    throw error;
  }
}

/** Read the summary of the set again. */
export async function readSummary() {
  if (!set.value) return;
  try {
    summary.value = await get(ofSet(set.value));
  } catch (error) {
    problem.value = /** @type {Error} */ (error).message;
  }
}

/** @param {Place} to @param {{filter?: Record<string, any>, similar?: string[], sort?: {by: string, descending: boolean}}} [given] */
export function go(to, given = {}) {
  batch(() => {
    place.value = to;
    opened.value = false;
    view.value = null;
    similarTo.value = given.similar ?? [];
    meaning.value = "";
    lasso.value = [];
    filter.value = given.filter ?? {};
    if (given.sort) sort.value = given.sort;
    else if (sort.value.by === "similar" || (to !== "images" && !["number", "newest", "random"].includes(sort.value.by))) sort.value = { by: "number", descending: false };
  });
  remember();
  return showView();
}

/** @param {Record<string, any>} changed values by field; undefined or empty ones end the filter of their field */
export function narrow(changed) {
  const next = { ...filter.value, ...changed };
  for (const [field, value] of Object.entries(next)) {
    const empty = value === undefined || value === "" || (typeof value === "object" && value && !Object.keys(value).length);
    if (empty) delete next[field];
  }
  filter.value = next;
  remember();
  void showView({ keep: true });
}

/** Order the images by how near they are to the meaning of words; none end that. @param {string} words */
export async function seek(words) {
  const before = { place: place.value, meaning: meaning.value, similar: similarTo.value };
  batch(() => {
    if (place.value !== "map") place.value = "images";
    meaning.value = words;
    similarTo.value = [];
  });
  try {
    if (words) {
      say(texts.seeking);
      await post(`${ofSet(/** @type {string} */ (set.value))}/views`, wanted());
      said.value = null;
    }
  } catch (error) {
    batch(() => {
      place.value = before.place;
      meaning.value = before.meaning;
      similarTo.value = before.similar;
    });
    return say(sentence(/** @type {Error} */ (error).message), { bad: true, stays: true });
  }
  remember();
  await showView();
}

/** @param {{by: string, descending: boolean}} by */
export function order(by) {
  batch(() => {
    sort.value = by;
    similarTo.value = [];
    meaning.value = "";
  });
  remember();
  void showView({ keep: true });
}

/** The address bar holds where one is, so that a reload leads back. */
export function remember() {
  const parts = new URLSearchParams();
  if (set.value) parts.set("set", set.value);
  parts.set("place", place.value);
  if (Object.keys(filter.value).length) parts.set("filter", JSON.stringify(filter.value));
  if (sort.value.by !== "number" || sort.value.descending) parts.set("sort", `${sort.value.by}${sort.value.descending ? " down" : ""}`);
  if (meaning.value) parts.set("meaning", meaning.value);
  history.replaceState(null, "", `#${parts}`);
}

/** Take place, filter and sort from the address bar. */
export function recall() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const to = parts.get("place");
  if (to && PLACES.includes(/** @type {Place} */ (to))) place.value = /** @type {Place} */ (to);
  try {
    const given = JSON.parse(parts.get("filter") ?? "{}");
    if (given && typeof given === "object" && !Array.isArray(given)) filter.value = given;
  } catch {
    say(texts.addressUnread, { bad: true }); // typed by hand; all images are shown
  }
  meaning.value = parts.get("meaning") ?? "";
  const [by, down] = (parts.get("sort") ?? "number").split(" ");
  sort.value = { by, descending: down === "down" };
  return parts.get("set");
}
