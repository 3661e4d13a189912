// The first script: where a module is missing, it says so in place of an empty page.
import { texts } from "./texts.js";

import("./main.js").catch((error) => {
  const place = document.getElementById("app");
  if (!place) throw error;
  const line = document.createElement("p");
  line.className = "first-words";
  line.textContent = texts.scriptsMissing;
  const detail = document.createElement("p");
  detail.className = "first-words quiet";
  detail.textContent = String(error);
  place.replaceChildren(line, detail);
});
