(function () {
  "use strict";
  var root = document.documentElement;
  function get(id) { return document.getElementById(id); }
  function all(selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); }

  var theme = get("theme");
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function isDark() {
    var set = root.getAttribute("data-theme");
    return set ? set === "dark" : dark.matches;
  }
  function nameTheme() { theme.textContent = isDark() ? "Light" : "Dark"; }
  theme.hidden = false;
  theme.addEventListener("click", function () {
    root.setAttribute("data-theme", isDark() ? "light" : "dark");
    nameTheme();
  });
  dark.addEventListener("change", nameTheme);
  nameTheme();

  var showAll = function () {};
  function reveal() {
    var target = location.hash.length > 1 && get(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") {
      if (target.hidden) { showAll(); }
      target.open = true;
      target.scrollIntoView();
    }
  }
  window.addEventListener("hashchange", reveal);

  var cards = all("details.card");
  function fold(open) { cards.forEach(function (card) { card.open = open; }); }
  if (get("folds")) {
    get("folds").hidden = false;
    get("open-all").addEventListener("click", function () { fold(true); });
    get("close-all").addEventListener("click", function () { fold(false); });
  }
  window.addEventListener("beforeprint", function () {
    showAll();
    all("details.plain:not(.twin)").forEach(function (part) { part.open = true; });
  });

  var filter = get("filter");
  if (!filter) { reveal(); return; }
  var rows = all("#table tbody tr");
  // Of a long list the first rows are shown, and all that are held back.
  var first = 30;
  var rest = get("rest");
  var whole = rows.length <= first + 5;
  function apply() {
    var text = get("find").value.trim().toLowerCase();
    var decision = get("by-decision").value;
    var kind = get("by-kind").value;
    var score = Number(get("by-score").value);
    var asked = text || decision || kind || score > 0;
    var shown = 0;
    var left = 0;
    rows.forEach(function (row) {
      var data = row.dataset;
      var fits = (!text || data.name.toLowerCase().indexOf(text) >= 0) &&
        (!decision || data.decision === decision) &&
        (!kind || data.kind === kind) && Number(data.score) >= score;
      if (fits) { shown += 1; }
      var later = fits && !whole && !asked && shown > first && data.decision === "pass";
      if (later) { left += 1; }
      row.hidden = !fits || later;
      var card = get(data.card);
      if (card) { card.hidden = row.hidden; }
    });
    rest.hidden = left === 0;
    rest.textContent = "Show the other " + left;
    get("shown").textContent = shown + " of " + rows.length;
  }
  showAll = function () { whole = true; filter.reset(); apply(); };
  rest.addEventListener("click", function () { whole = true; apply(); });
  filter.hidden = false;
  filter.addEventListener("input", apply);
  filter.addEventListener("submit", function (event) { event.preventDefault(); });
  apply();
  reveal();

  var order = ["pass", "canary", "incomplete", "block"];
  function value(row, by) {
    if (by === "score") { return Number(row.dataset.score); }
    if (by === "decision") { return order.indexOf(row.dataset.decision); }
    return row.dataset[by];
  }
  all("th[data-sort]").forEach(function (head) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var by = head.dataset.sort;
      var number = by === "score" || by === "decision";
      var was = head.getAttribute("aria-sort");
      var up = was ? was === "descending" : !number;
      all("th[aria-sort]").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      rows.sort(function (a, b) {
        var x = value(a, by), y = value(b, by);
        var compared = x < y ? -1 : x > y ? 1 : 0;
        return (up ? compared : -compared) || Number(a.dataset.rank) - Number(b.dataset.rank);
      });
      var body = document.querySelector("#table tbody");
      rows.forEach(function (row) { body.appendChild(row); });
      apply();
    });
  });
})();
