// The finder with a script: rows open in place, a row and its point mark each other. Everything works without.
(() => {
  "use strict";
  const byKey = (selector, key) => document.querySelectorAll(`${selector}[data-key="${CSS.escape(key)}"]`);

  // ---- A row opens in place; the address keeps which one ------------------------------------------------
  function setOpen(row, link, open) {
    row.classList.toggle("open", open);
    link.setAttribute("aria-expanded", String(open));
    const address = new URL(location.href);
    if (open) address.searchParams.set("open", row.dataset.key);
    else address.searchParams.delete("open");
    address.hash = "";
    history.replaceState(history.state, "", address);
  }

  function close(row) {
    const next = row.nextElementSibling;
    if (next?.classList.contains("detail")) next.remove();
    setOpen(row, row.querySelector("a.opens"), false);
  }

  async function open(row) {
    const link = row.querySelector("a.opens");
    for (const other of document.querySelectorAll("#ranking tr.open")) close(other);
    setOpen(row, link, true);
    const address = new URL(link.href);
    address.searchParams.delete("open");
    await htmx.ajax("GET", `/row/${encodeURIComponent(row.dataset.key)}${address.search}`, { source: row, target: row, swap: "afterend" });
  }

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest?.("a.opens");
    const row = link?.closest("tr") ?? (event.target.closest?.("a, button, input, select, label, summary, .dash") ? null : event.target.closest?.("#ranking tbody tr[data-key]"));
    if (!row || String(getSelection())) return;
    event.preventDefault();
    if (row.classList.contains("open")) close(row);
    else open(row);
  });

  // ---- A row and its point mark each other --------------------------------------------------------------
  let marked = "";
  function mark(key) {
    if (key === marked) return;
    for (const element of document.querySelectorAll(".marked")) element.classList.remove("marked");
    marked = key;
    if (key) for (const element of [...byKey("tr", key), ...byKey(".pt", key), ...byKey(".label", key)]) element.classList.add("marked");
    showReadout(key);
    document.dispatchEvent(new CustomEvent("mark", { detail: key }));
  }

  function showReadout(key) {
    const readout = document.getElementById("readout");
    if (!readout) return;
    const point = key && byKey(".pt", key)[0];
    readout.hidden = !point;
    if (point) readout.textContent = point.getAttribute("aria-label");
  }

  const keyOf = (target) => target.closest?.("[data-key]")?.dataset.key ?? "";
  document.addEventListener("pointerover", (event) => mark(keyOf(event.target)));
  document.addEventListener("focusin", (event) => mark(keyOf(event.target)));
  document.addEventListener("markpoint", (event) => mark(event.detail));

  // A point leads to its row, shown if it is below the short list.
  document.addEventListener("click", (event) => {
    const point = event.target.closest?.(".pt");
    if (!point) return;
    event.preventDefault();
    document.dispatchEvent(new CustomEvent("openpoint", { detail: point.dataset.key }));
  });
  document.addEventListener("openpoint", (event) => {
    const row = document.querySelector(`tr[data-key="${CSS.escape(event.detail)}"]`);
    if (!document.getElementById("ranking")) {
      const elsewhere = byKey("a.pt", event.detail)[0]?.getAttribute("href");
      if (!row && elsewhere?.startsWith("?")) location.href = elsewhere;
      row?.scrollIntoView({ block: "center" });
      row?.focus({ preventScroll: true });
      return;
    }
    if (!row) {
      const address = new URL(location.href);
      address.searchParams.set("rows", "all");
      address.searchParams.set("open", event.detail);
      address.hash = event.detail;
      location.href = address;
      return;
    }
    row.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    if (!row.classList.contains("open")) open(row);
    row.querySelector("a.opens").focus({ preventScroll: true });
  });

  // ---- The vendors' menu closes like one ----------------------------------------------------------------
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.pick[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.pick[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  document.addEventListener("change", (event) => {
    const menu = event.target.closest?.("details.pick");
    if (!menu) return;
    const names = [...menu.querySelectorAll("input:checked")].map((box) => box.parentNode.textContent.trim());
    const spans = (names.length ? names : ["any vendor"]).map((name) => { const span = document.createElement(names.length ? "span" : "i"); span.textContent = name; return span; });
    menu.querySelector("summary").replaceChildren(...spans);
  });
  // The load of a search is users or requests a second: one given clears the other.
  document.addEventListener("change", (event) => {
    const other = { users: "rate", rate: "users" }[event.target.name];
    const field = other && event.target.value.trim() && event.target.form?.elements[other];
    if (field) field.value = "";
  }, true);
  // Empty limits are the workload's own: the fields say which.
  document.addEventListener("change", (event) => {
    if (event.target.name !== "workload") return;
    const chosen = event.target.selectedOptions[0];
    for (const name of ["tpot", "ttft"]) event.target.form.elements[name].placeholder = chosen.dataset[name] || "any";
  });
  document.addEventListener("htmx:after:swap", () => { marked = ""; });
})();
