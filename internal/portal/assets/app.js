// What pages do beyond HTML. Each works without: this makes it quicker or friendlier.
"use strict";

(() => {
  // Which time zone and theme the viewer has, so that the server writes times and colours
  // right from the start and nothing jumps.
  const embedded = window.self !== window.top;
  const remember = (name, value) => {
    const sameSite = embedded ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax";
    document.cookie = `${name}=${value}; Path=/portal; Max-Age=31536000; ${sameSite}`;
  };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) remember("aftercall_zone", zone);

  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };

  // The token of a link is taken out of the address before anything else happens.
  const boot = document.querySelector("form[data-boot]");
  if (boot) {
    const given = new URLSearchParams(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
    const token = given.get("token") || given.get("key");
    if (token) {
      boot.elements.key.value = token;
      boot.submit();
    } else {
      location.replace("/portal");
    }
  }

  // Charts.
  const tones = { good: "--good", warn: "--warn", bad: "--bad", other: "--other", "": "--quiet" };
  const colour = (name) => { // a canvas knows no light-dark(): ask what it comes to
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = `var(${name})`;
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
  const drawn = new WeakMap();
  function draw(plot) {
    const key = plot.dataset.chart + dark() + plot.clientWidth;
    if (drawn.get(plot)?.key === key || !window.uPlot || !plot.clientWidth) return;
    drawn.get(plot)?.chart.destroy();
    const { times, series, zone } = JSON.parse(plot.dataset.chart);
    // Stacked: each series is drawn with those before it below, the highest first.
    const sums = times.map(() => 0);
    const stacked = series.map((s) => ({ ...s, sum: s.values.map((n, i) => (sums[i] += n)) })).reverse();
    const step = times.length > 1 ? times[1] - times[0] : 3600;
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const at = new Intl.DateTimeFormat(undefined,
      { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
    const tick = new Intl.DateTimeFormat(undefined, step >= 21600
      ? { day: "numeric", month: "short", timeZone: zone } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
    const chart = new uPlot({
      width: plot.clientWidth, height: 180,
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), zone),
      legend: { show: false },
      hooks: { setCursor: [(u) => {
        const i = u.cursor.idx, note = plot.parentElement.querySelector("[data-readout]");
        note.textContent = i == null ? "" : at.format(new Date(times[i] * 1e3)) + ": " +
          series.filter((s) => s.values[i]).map((s) => `${s.values[i]} ${s.label.toLowerCase()}`).join(", ");
      }] },
      cursor: { y: false },
      scales: { x: { time: true, range: (u, lo, hi) => [lo - step / 2, hi + step / 2] }, y: { range: (u, lo, hi) => [0, Math.max(hi, 4)] } },
      axes: [{ ...axis, values: (u, list) => list.map((v) => tick.format(new Date(v * 1e3))), space: 70 },
        { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6] }],
      series: [{}, ...stacked.map((s) => ({
        label: s.label, fill: colour(tones[s.tone]), stroke: colour(tones[s.tone]), width: 0, points: { show: false },
        paths: uPlot.paths.bars({ size: [0.75, 40] }),
      }))],
    }, [times, ...stacked.map((s) => s.sum)], plot);
    drawn.set(plot, { key, chart });
  }
  const resized = new ResizeObserver((entries) => entries.forEach((e) => draw(e.target)));

  // Copying.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      await navigator.clipboard.writeText(button.closest(".copyable").querySelector("pre").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    }
    if (event.target.closest("[data-theme-switch]")) {
      const next = dark() ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      remember("aftercall_theme", next);
      ready();
    }
    // A question that was opened is closed by a click beside it.
    document.querySelectorAll("details.confirm[open]").forEach((d) => { if (!d.contains(event.target)) d.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      document.querySelectorAll("details.confirm[open]").forEach((d) => { d.open = false; d.querySelector("summary").focus(); });
    }
  });

  document.addEventListener("change", (event) => {
    const input = event.target;
    // Filters answer at once; the button is for those without a script.
    if (input.closest("form[data-live-filter]") && input.matches("select")) input.form.requestSubmit();
    // All events, or some.
    if (input.matches("[data-all]") && input.checked) {
      input.form.querySelectorAll("[name=eventTypes]").forEach((box) => { box.checked = false; });
    } else if (input.name === "eventTypes" && input.checked) {
      const all = input.form.querySelector("[data-all]");
      if (all) all.checked = false;
    }
  });

  // Empty fields make no part of an address that is shared.
  document.addEventListener("formdata", (event) => {
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  // Live: the server says that something changed, and the page is fetched again and
  // morphed, so that what is open, focused or typed stays.
  let source, again, reconnect;
  function live() {
    const path = document.querySelector("main[data-live]")?.dataset.live;
    if (source && source.readyState !== EventSource.CLOSED && path && source.path.split("?")[0] === path.split("?")[0]) return; // it knows newer things already
    source?.close();
    source = null;
    clearTimeout(reconnect);
    if (!path || document.hidden) return; // browsers allow few connections, and nobody looks
    source = new EventSource(path);
    source.path = path;
    // What the browser gives up: a 502 while the server restarts, or the 204 that who was
    // signed out meanwhile is answered with. Which it is, the page finds out by asking.
    source.addEventListener("error", () => {
      clearTimeout(reconnect);
      if (source?.readyState === EventSource.CLOSED) reconnect = setTimeout(() => { live(); refresh(); }, 5000);
    });
    source.addEventListener("changed", () => {
      clearTimeout(again);
      again = setTimeout(refresh, 200);
    });
  }
  async function refresh() {
    const busy = document.activeElement?.closest?.("main form") || document.querySelector("details.confirm[open]");
    if (busy || document.hidden) {
      clearTimeout(again);
      again = setTimeout(refresh, 2000);
      return;
    }
    // Whoever clicks meanwhile goes on: #live gives way (hx-sync), so that no page is
    // overwritten by what was fetched for the one before it.
    await htmx.ajax("GET", location.pathname + location.search, { source: "#live", target: "#live", select: "#live", swap: "outerMorph", push: "false" });
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) source?.close();
    live();
  });
  // A refresh that is answered by anything but the page leaves the page as it is; who is
  // signed out meanwhile is told so.
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement?.id !== "live") return;
    const response = ctx.response.raw;
    if (response.ok && !response.redirected) return;
    event.preventDefault();
    if (response.redirected) location.reload();
  });

  function ready() {
    document.querySelectorAll("[data-copy], [data-theme-switch]").forEach((b) => { b.hidden = false; });
    document.querySelectorAll("[data-chart]").forEach((plot) => { resized.observe(plot); draw(plot); });
    live();
  }
  document.addEventListener("htmx:after:swap", ready);
  document.addEventListener("htmx:after:history:update", () => {
    const main = document.getElementById("main");
    if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ready);
  ready();
})();
