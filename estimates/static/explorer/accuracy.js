// The plot of the accuracy page with a pointer on it: the same points drawn by ECharts, which name themselves.
// The drawing that the server sent is complete; this takes its place once library and points have come.
(() => {
  "use strict";
  const library = document.currentScript.dataset.echarts;
  const MARKS = { measured: "circle", kin: "rect", none: "emptyCircle", "": "circle" };
  const NAMES = { measured: "group measured", kin: "kin measured", none: "nothing alike measured", "": "tier not stated" };
  let chart = null;
  let loading = null;
  let drawn = null;

  const load = () => (loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = library;
    script.onload = () => resolve(window.echarts);
    script.onerror = () => { loading = null; reject(new Error("the charting library could not be loaded")); };
    document.head.append(script);
  }));

  const colour = (name) => {
    const probe = document.createElement("i");
    probe.className = "probe";
    probe.dataset.probe = name;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
  const short = (value) => (value === null ? "?" : Number(value.toPrecision(3)).toLocaleString("en"));

  function name(points, at, unit) {
    const what = [points.software[at], points.weight_format[at], points.serving[at]].filter(Boolean).join(", ");
    const error = (points.predicted[at] / points.measured[at] - 1) * 100;
    return [`${points.model[at]} on ${points.accelerator[at]}`, what,
      `measured ${short(points.measured[at])} ${unit}, predicted ${short(points.predicted[at])}` +
        (points.low[at] === null ? "" : ` (${short(points.low[at])} to ${short(points.high[at])})`),
      `${error < 0 ? "−" : "+"}${Math.abs(error).toFixed(1)}%, ${NAMES[points.tier[at]] ?? points.tier[at]}`].join("\n");
  }

  function option(frame, points) {
    const low = Number(frame.dataset.low), high = Number(frame.dataset.high), unit = frame.dataset.unit;
    const ink = colour("ink"), muted = colour("muted"), line = colour("line"), ground = colour("ground"), band = colour("band");
    const font = { color: muted, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11 };
    const ticks = [...frame.querySelectorAll(".grid .x")].map((text) => Number(text.textContent.replaceAll(",", "")));
    const axis = { type: "log", min: low, max: high, nameTextStyle: font,
      axisLabel: { ...font, customValues: ticks, formatter: (value) => short(value) }, axisTick: { customValues: ticks }, axisLine: { lineStyle: { color: muted } },
      splitLine: { lineStyle: { color: line } }, minorSplitLine: { show: false } };
    const equal = (ratio, style) => ({ type: "line", symbol: "none", silent: true, clip: true, tooltip: { show: false }, lineStyle: style, z: 1,
      data: [[low, low * ratio], [high, high * ratio]] });
    const within = { type: "custom", silent: true, clip: true, tooltip: { show: false }, z: 0, data: [[low, low]],
      renderItem: (params, api) => ({ type: "polygon", style: { fill: band }, shape: { points:
        [[low, low * 0.8], [low, low * 1.2], [high, high * 1.2], [high, high * 0.8]].map((place) => api.coord(place)) } }) };
    const tiers = [...new Set(points.tier)].sort((a, b) => Object.keys(MARKS).indexOf(b) - Object.keys(MARKS).indexOf(a));
    const scatter = tiers.map((tier) => ({
      type: "scatter", name: NAMES[tier] ?? tier, symbol: MARKS[tier] ?? "circle", symbolSize: tier === "kin" ? 5 : 5.5, z: 3, large: false, clip: true, progressive: 0,
      itemStyle: { color: colour(`tier-${tier || "unknown"}`), opacity: tier === "none" ? 0.9 : 0.62, borderWidth: tier === "none" ? 1.6 : 0 },
      emphasis: { scale: 2, itemStyle: { opacity: 1, borderColor: ink, borderWidth: 1.4 } },
      data: points.tier.flatMap((of, at) => (of === tier ? [{ value: [points.measured[at], points.predicted[at]], at }] : [])),
    }));
    return {
      animation: false, backgroundColor: "transparent", textStyle: { fontFamily: font.fontFamily },
      grid: { left: 56, right: 24, top: 26, bottom: 40, show: true, borderColor: muted, borderWidth: 0 },
      xAxis: { ...axis, name: `measured, ${unit}`, nameLocation: "middle", nameGap: 24 },
      yAxis: { ...axis, name: `predicted, ${unit}` },
      // Drawn on the canvas: a tooltip made of markup would need inline styles, which the page forbids.
      tooltip: { renderMode: "richText", trigger: "item", confine: true, backgroundColor: ground, borderColor: muted, textStyle: { color: ink, fontSize: 12, lineHeight: 17 },
        formatter: (params) => name(points, params.data.at, unit) },
      dataZoom: [{ type: "inside", xAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl" }, { type: "inside", yAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl" }],
      series: [within, equal(1, { color: ink, width: 1.2 }), equal(2, { color: muted, width: 1, type: [2, 4] }), equal(0.5, { color: muted, width: 1, type: [2, 4] }), ...scatter],
    };
  }

  async function draw() {
    chart?.dispose();
    chart = null;
    const frame = document.querySelector("#plot .frame");
    if (!frame) return;
    try {
      if (drawn?.address !== frame.dataset.points) {
        const [response] = await Promise.all([fetch(frame.dataset.points, { headers: { Accept: "application/json" } }), load()]);
        if (!response.ok) return;
        drawn = { address: frame.dataset.points, points: await response.json() };
      }
    } catch { return; } // the drawing of the server stays
    if (!frame.isConnected) return;
    const place = frame.querySelector(".zoomed");
    place.hidden = false;
    chart = window.echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(option(frame, drawn.points));
    frame.querySelector(".field").classList.add("away");
    frame.dataset.drawn = String(drawn.points.measured.length);
  }

  document.addEventListener("themechange", draw);
  document.addEventListener("htmx:after:swap", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("resize", () => chart?.resize());
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", draw);
  else draw();
})();
