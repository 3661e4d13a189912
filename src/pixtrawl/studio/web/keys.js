// One map of keys for all views.
import { batch } from "./html.js";
import { ask, question, questionKey } from "./asking.js";
import { captionAsking } from "./captions.js";
import { decide, rejectAsking, relabelAsking, takeBack } from "./decide.js";
import { shape } from "./grid.js";
import { groupKey } from "./groups.js";
import * as state from "./state.js";
import { texts } from "./texts.js";

const MOVES = /** @type {Record<string, () => number>} */ ({
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: () => -shape.columns,
  ArrowDown: () => shape.columns,
  PageUp: () => -shape.columns * shape.pageRows,
  PageDown: () => shape.columns * shape.pageRows,
  Home: () => -Infinity,
  End: () => Infinity,
});

/** Go to another image; with `extend`, select up to it. @param {number} by @param {boolean} extend */
export function move(by, extend) {
  const total = state.view.value?.total ?? 0;
  if (!total) return;
  const from = state.current.value;
  let to = Math.max(0, Math.min(total - 1, from + by));
  // up and down stay in their column, except into a last row that is not full
  if (Math.abs(by) >= shape.columns && Number.isFinite(by) && to !== from + by && !state.opened.value) {
    const column = from % shape.columns;
    to = by < 0 ? column : Math.min(total - 1, Math.floor((total - 1) / shape.columns) * shape.columns + column);
  }
  batch(() => {
    const s = state.selection.value;
    state.selection.value = extend ? { kind: "range", anchor: s?.kind === "range" ? s.anchor : from, to } : null;
    state.current.value = to;
  });
}

async function goToNumber() {
  const typed = await ask({ kind: "number", title: texts.goTo, field: texts.number, button: texts.go });
  if (!typed || !state.view.value) return;
  try {
    const index = await state.indexOf(state.view.value.view, Number(typed));
    if (index === null) state.say(texts.notInView(typed), { bad: true });
    else move(index - state.current.value, false);
  } catch (error) {
    state.sayError(error);
  }
}

/** Of a longer range, so many are compared. */
const MOST_ALIKE = 50;

async function similar() {
  const ids = [];
  const s = state.selection.value;
  if (s?.kind === "picks") for (const index of s.at) ids.push((await state.items.value?.have(index))?.id);
  else if (s?.kind === "range") {
    const first = Math.min(s.anchor, s.to);
    for (let i = first; i <= Math.min(Math.max(s.anchor, s.to), first + MOST_ALIKE - 1); i++) ids.push((await state.items.value?.have(i))?.id);
  } else ids.push(state.currentItem.value?.id);
  const known = /** @type {string[]} */ (ids.filter(Boolean));
  if (known.length) state.go("images", { similar: known });
}

function escape() {
  if (state.opened.value) state.opened.value = false;
  else if (state.selection.value) state.selection.value = null;
  else if (state.place.value === "map" && state.lasso.value.length) {
    state.lasso.value = [];
    void state.showView({ keep: true });
  }
  else if (state.filtersShown.value) state.filtersShown.value = false;
  else if (state.detailShown.value) state.detailShown.value = false;
}

const ACTIONS = /** @type {Record<string, (event: KeyboardEvent) => unknown>} */ ({
  " ": () => (state.opened.value = !state.opened.value),
  Enter: () => (state.opened.value = !state.opened.value),
  Escape: escape,
  k: () => decide({ action: "keep" }),
  x: rejectAsking,
  r: relabelAsking,
  c: captionAsking,
  d: () => state.go(state.place.value === "groups" ? "images" : "groups"),
  s: similar,
  m: () => state.go(state.place.value === "map" ? "images" : "map", { filter: state.filter.value }),
  i: () => (state.detailShown.value = !state.detailShown.value),
  f: () => (state.filtersShown.value = !state.filtersShown.value),
  z: () => takeBack("undo"),
  Z: () => takeBack("redo"),
  g: goToNumber,
  "/": () => document.getElementById("search")?.focus(),
  "?": () => ask({ kind: "keys", title: texts.keysTitle }),
});

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (questionKey(event) || event.defaultPrevented || event.isComposing) return;
  const target = event.target instanceof Element ? event.target : document.body;
  // a question that was answered a moment ago is in the page until the next frame
  const typing = !target.closest("dialog") && target.matches("input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select");
  if (typing) {
    if (event.key === "Escape") focusView();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && !event.altKey) {
    if (!state.view.value?.total) return;
    state.selection.value = { kind: "all" };
    state.say(texts.selectedAll(state.view.value.total));
    return event.preventDefault();
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    return void takeBack(event.shiftKey ? "redo" : "undo");
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  // a button or link keeps the keys that work it
  if ((event.key === " " || event.key === "Enter") && target.matches("button, a, summary, input, label")) return;
  if (!state.set.value) return;
  if (state.place.value === "groups" && groupKey(event)) return event.preventDefault();
  if (event.key in MOVES && !target.closest(".panel")) {
    if (!["images", "map", "not_kept", "doubts"].includes(state.place.value)) return;
    move(MOVES[event.key](), event.shiftKey);
    return event.preventDefault();
  }
  const action = ACTIONS[event.key];
  if (!action) return;
  event.preventDefault();
  void action(event);
}

/** Give the focus back to the grid. */
export function focusView() {
  const tile = document.querySelector(".tile.current");
  if (tile instanceof HTMLElement) tile.focus({ preventScroll: true });
  else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

export function listen() {
  document.addEventListener("keydown", pressed);
}

export const isAsking = () => question.peek() !== null;
