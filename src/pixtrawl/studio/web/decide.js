// Decisions: which images they are about, the question first where it is more than one, and undo.
import { batch } from "./html.js";
import { ofSet, post } from "./api.js";
import { ask, confirmed } from "./asking.js";
import * as state from "./state.js";
import { texts } from "./texts.js";

/** @typedef {{action: string, reason?: string, label?: string, text?: string, find?: string, reset?: boolean, by_hand?: boolean}} Decision */

/** Actions for what was not kept, in place of keep and reject. */
const OF_NOT_KEPT = /** @type {Record<string, string>} */ ({ keep: "bring_back", reject: "never_again" });

/** @param {Decision} decision @returns {Decision} */
const ofNotKept = (decision) => ({ ...decision, action: OF_NOT_KEPT[decision.action] ?? decision.action });

/** What an action is about, as the server takes it; null where there is nothing. */
export async function about() {
  const { items, view, selection, current } = state;
  const s = selection.value;
  if (state.place.value === "groups") {
    const member = state.currentItem.value; // the view's own index knows nothing of the copies
    return member ? { on: { ids: [member.id] }, one: member } : null;
  }
  const held = items.value;
  if (!held || !view.value?.total) return null;
  if (s?.kind === "all") return { on: { view: view.value.view, all: true }, one: null };
  if (s?.kind === "range" && s.anchor !== s.to) {
    const start = Math.min(s.anchor, s.to);
    return { on: { view: view.value.view, start, count: Math.abs(s.to - s.anchor) + 1 }, one: null };
  }
  if (s?.kind === "picks" && s.at.size > 1) {
    const picked = await Promise.all([...s.at].map((index) => held.have(index)));
    return { on: { ids: picked.map((item) => loaded(item).id) }, one: null };
  }
  const item = loaded(await held.have(current.value));
  return { on: { ids: [item.id] }, one: item };
}

/** A decision is never about fewer images than were chosen. @param {import("./items.js").Item|undefined} item */
function loaded(item) {
  if (!item) throw new Error(texts.notLoaded);
  return item;
}

/**
 * Decide about the selected images, or the current one; goes on to the next image after one.
 * @param {Decision} decision
 */
export async function decide(decision) {
  if (state.place.value === "not_kept") decision = ofNotKept(decision);
  let target;
  try {
    target = await about();
  } catch (error) {
    return state.sayError(error);
  }
  if (!target) return;
  if (target.one) return decideOne(target.one, decision);
  return decideMany(target.on, decision);
}

/** @param {import("./items.js").Item} item @param {Decision} decision */
export async function decideOne(item, decision) {
  if (item.id.startsWith("c")) decision = ofNotKept(decision);
  if (decision.action === "bring_back" && item.restorable === false) return state.say(texts.notRestorable, { bad: true });
  const before = { decision: item.decision, reason: item.reason, label: item.label };
  if (decision.action === "reject" || decision.action === "keep") item.decision = decision.action;
  if (decision.action === "reject") item.reason = decision.reason;
  if (decision.action === "relabel" && decision.label) item.label = decision.label;
  const { current, view } = state;
  batch(() => {
    state.itemsTick.value++;
    const moves = ["keep", "reject", "bring_back", "never_again"].includes(decision.action);
    if (moves && current.value < (view.value?.total ?? 0) - 1 && state.place.value !== "groups") current.value++;
  });
  try {
    const answer = await send({ ids: [item.id] }, 1, decision);
    state.say(answer.summary, { undo: true });
  } catch (error) {
    if (/** @type {any} */ (error).body?.would_change === 0) return state.say(texts.alreadySo);
    Object.assign(item, before);
    state.itemsTick.value++;
    state.sayError(error);
  }
}

/**
 * The server says how many would change, the person confirms that very number, then it is done.
 * @param {object} on @param {Decision} decision
 */
export async function decideMany(on, decision) {
  try {
    let { count, left } = await wouldChange(on, decision);
    for (;;) {
      if (!count) return state.say(left ? texts.onlyByHand(left) : texts.nothingChanges);
      if (!(await confirmed(`${texts.confirm(decision, count)}${left ? ` ${texts.leftByHand(left)}` : ""}`, texts.actions[decision.action]))) return;
      try {
        const answer = await send(on, count, decision);
        state.selection.value = null;
        state.say(answer.summary, { undo: true });
        refresh();
        return;
      } catch (error) {
        const now = /** @type {any} */ (error).body?.would_change;
        if (typeof now !== "number") throw error;
        left = /** @type {any} */ (error).body.left_by_hand ?? 0;
        count = now; // another window was quicker: ask again with the new number
      }
    }
  } catch (error) {
    state.sayError(error);
  }
}

/** @param {object} on @param {Decision} decision @returns {Promise<{count: number, left: number}>} */
async function wouldChange(on, decision) {
  try {
    const answer = await send(on, 0, decision);
    return { count: answer.changed, left: answer.left_by_hand ?? 0 };
  } catch (error) {
    const body = /** @type {any} */ (error).body;
    if (typeof body?.would_change !== "number") throw error;
    return { count: body.would_change, left: body.left_by_hand ?? 0 };
  }
}

/** Said only where the place is to stay empty: filling it is what the server does anyway. @param {Decision} decision */
const unfilled = (decision) => (decision.action === "reject" && !state.refill.value ? { refill: false } : {});

/** @param {object} on @param {number} expect @param {Decision} decision */
async function send(on, expect, decision) {
  const answer = await post(`${ofSet(/** @type {string} */ (state.set.value))}/decisions`, { ...decision, ...unfilled(decision), on, expect });
  state.summary.value = { ...state.summary.value, can_undo: true, can_redo: false };
  return answer;
}

/** @param {"undo"|"redo"} which */
export async function takeBack(which) {
  try {
    const answer = await post(`${ofSet(/** @type {string} */ (state.set.value))}/${which}`, {});
    state.say(answer.changed || answer.batch ? answer.summary : texts.nothingTo[which]);
    refresh();
  } catch (error) {
    if (/** @type {any} */ (error).status === 409) state.say(texts.nothingTo[which]);
    else state.sayError(error);
  }
}

/** Read again what is in sight, after decisions. */
export function refresh() {
  const { first, last } = state.inSight.value;
  if (state.place.value === "groups") void state.showView();
  else state.items.value?.refresh(first, last);
  void state.readSummary();
}

/** Ask for the reason, then reject. */
export async function rejectAsking() {
  if (!state.view.value?.total) return;
  if (state.place.value === "not_kept") return decide({ action: "reject" });
  const reason = await ask({ kind: "reason", title: texts.rejectTitle(state.selectedCount.value) });
  if (reason !== null) await decide({ action: "reject", ...(reason ? { reason } : {}) });
}

/** Ask for the label, then relabel. */
export async function relabelAsking() {
  if (!state.view.value?.total || state.place.value === "not_kept") return;
  const labels = (state.summary.value?.labels ?? []).map((/** @type {any} */ one) => one.name);
  const label = await ask({ kind: "text", title: texts.relabelTitle(state.selectedCount.value), field: texts.label, among: labels, given: state.selection.value ? undefined : state.currentItem.value?.like });
  if (label) await decide({ action: "relabel", label });
}
