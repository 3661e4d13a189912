// Open a data set, or go back to the list of them.
import { batch } from "./html.js";
import { get } from "./api.js";
import { follow } from "./live.js";
import * as state from "./state.js";

/** @param {string} id @param {import("./state.js").Place} [place] */
export async function open(id, place) {
  batch(() => {
    if (state.set.value && state.set.value !== id) state.filter.value = {};
    state.set.value = id;
    if (place) state.place.value = place;
    state.view.value = null;
    state.problem.value = null;
    state.summary.value = null;
  });
  state.remember();
  await Promise.all([state.readSummary(), state.showView()]);
  follow(id);
}

export async function toSets() {
  state.set.value = null;
  history.replaceState(null, "", "#");
  state.app.value = await get("/api/state");
}
