// Answers a consent page: the button by its words, by what its form sends, by id. Never "accept".
(words) => {
  const pattern = new RegExp(words, "i");
  const shown = (el) => { const b = el.getBoundingClientRect(); return b.width > 0 && b.height > 0; };
  const roots = [...document.querySelectorAll('[role="dialog"],[role="alertdialog"],dialog[open],form'), document.body];
  const kinds = 'button,[role="button"],input[type="submit"],input[type="button"],a[role="button"]';
  const says = (b) => [b.innerText, b.value, b.getAttribute("aria-label"), b.name].filter((t) => t && t.length < 80).join(" ");
  for (const root of roots)
    for (const b of root.querySelectorAll(kinds))
      if (shown(b) && pattern.test(says(b))) { b.click(); return true; }
  for (const f of document.forms) {
    const eom = f.querySelector('input[name="set_eom"]');
    const no = (eom && eom.value === "true") || /reject|decline/i.test(f.getAttribute("action") || "");
    const b = no && f.querySelector(kinds);
    if (b) { b.click(); return true; }
  }
  const known = document.getElementById("W0wltc");
  if (known) { known.click(); return true; }
  return false;
}
