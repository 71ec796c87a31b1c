// "Zoom" on the chart: the same points drawn by ECharts, which is fetched when first asked for.
// The drawing that the server sent stays the instrument; its points are the data, nothing is sent twice.
(() => {
  "use strict";
  const library = document.currentScript.dataset.echarts;
  let chart = null;
  let loading = null;

  const load = () => (loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = library;
    script.onload = () => resolve(window.echarts);
    script.onerror = () => { loading = null; reject(new Error("the charting library could not be loaded")); };
    document.head.append(script);
  }));

  const SHAPES = [
    "circle", "path://M0-5 4.8 3.6h-9.6z", "rect", "diamond", "path://M0 5 4.8-3.6h-9.6z",
    "path://M-1.7-5h3.4v3.3H5v3.4H1.7V5h-3.4V1.7H-5v-3.4h3.3z", "path://M0-5 4.8-1.5 2.9 4H-2.9L-4.8-1.5z",
    "path://M-4.4-2.2-2.2-4.4 0-2.2 2.2-4.4 4.4-2.2 2.2 0 4.4 2.2 2.2 4.4 0 2.2-2.2 4.4-4.4 2.2-2.2 0z", "circle",
  ];
  const colour = (name) => {
    const probe = document.createElement("i");
    probe.className = "probe";
    probe.dataset.probe = name;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  function readPoints(field) {
    return [...field.querySelectorAll(".pt")].map((point) => {
      const [x, xLow, xHigh, y, yLow, yHigh] = point.dataset.v.split(" ").map((text) => (text === "-" ? null : Number(text)));
      return { key: point.dataset.key, name: point.getAttribute("aria-label"), short: point.getAttribute("aria-label").split(":")[0],
        slot: Number(/\bs(\d)\b/.exec(point.getAttribute("class"))[1]), front: point.classList.contains("on-front"), other: point.classList.contains("other"), x, xLow, xHigh, y, yLow, yHigh };
    });
  }

  function stairs(points) {
    const front = points.filter((point) => point.front).sort((a, b) => a.x - b.x);
    return front.flatMap((point, index) => (index + 1 < front.length ? [[point.x, point.y], [point.x, front[index + 1].y]] : [[point.x, point.y]]));
  }

  function option(field) {
    const points = readPoints(field);
    const ink = colour("ink"), muted = colour("muted"), line = colour("line"), ground = colour("ground");
    const slots = Array.from({ length: 9 }, (_, slot) => colour(`s${slot}`));
    const font = { color: muted, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11 };
    const axis = (name, low, high) => ({ type: "log", name, nameLocation: "end", nameTextStyle: font, min: Number(low), max: Number(high),
      axisLabel: { ...font, formatter: (value) => Number(value.toPrecision(3)).toLocaleString("en") },
      axisLine: { lineStyle: { color: muted } }, splitLine: { lineStyle: { color: line } }, minorSplitLine: { show: false } });
    const whiskers = (params, api) => {
      const point = points[params.dataIndex];
      const at = api.coord([point.x, point.y]);
      const stroke = { stroke: slots[point.slot], lineWidth: 1, opacity: point.front ? 0.5 : 0.2 };
      const ends = [[api.coord([point.xLow ?? point.x, point.y]), api.coord([point.xHigh ?? point.x, point.y])],
        [api.coord([point.x, point.yLow ?? point.y]), api.coord([point.x, point.yHigh ?? point.y])]];
      return { type: "group", silent: true, children: at.length ? ends.map(([a, b]) => ({ type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: stroke })) : [] };
    };
    return {
      animation: false, backgroundColor: "transparent", textStyle: { fontFamily: font.fontFamily },
      grid: { left: 56, right: 24, top: 26, bottom: 40 },
      xAxis: { ...axis("tokens/s per user", field.dataset.xLow, field.dataset.xHigh), nameLocation: "middle", nameGap: 24 },
      yAxis: axis("USD per Mtok output", field.dataset.yLow, field.dataset.yHigh),
      // Drawn on the canvas: a tooltip made of markup would need inline styles, which the page forbids.
      tooltip: { renderMode: "richText", trigger: "item", backgroundColor: ground, borderColor: muted, textStyle: { color: ink, fontSize: 12 },
        formatter: (params) => points[params.dataIndex].name.replace(": ", "\n") },
      dataZoom: [{ type: "inside", xAxisIndex: 0, filterMode: "none" }, { type: "inside", yAxisIndex: 0, filterMode: "none" }],
      series: [
        { type: "custom", renderItem: whiskers, data: points.map((point) => [point.x, point.y]), clip: true, silent: true, tooltip: { show: false }, z: 1 },
        { type: "line", data: stairs(points), symbol: "none", silent: true, lineStyle: { color: ink, width: 1.4 }, tooltip: { show: false }, z: 2 },
        { type: "scatter", z: 3, symbolSize: 11, clip: true,
          data: points.map((point) => ({ value: [point.x, point.y], symbol: SHAPES[point.slot], itemStyle: point.other ? { color: ground, borderColor: slots[point.slot], borderWidth: 1.4 } : { color: slots[point.slot], borderColor: ground, borderWidth: 0.8 } })),
          label: { show: true, position: "right", fontSize: 10.5, color: ink, formatter: (params) => points[params.dataIndex].short },
          labelLayout: { hideOverlap: true }, emphasis: { scale: 1.5, label: { fontWeight: "bold" } } },
      ],
    };
  }

  function draw() {
    const field = document.querySelector("#chart .field");
    const place = document.getElementById("zoomed");
    if (!field || !place || place.hidden) return;
    chart?.dispose();
    chart = window.echarts.init(place, null, { renderer: "canvas" });
    const points = readPoints(field);
    chart.setOption(option(field));
    chart.on("mouseover", { seriesIndex: 2 }, (event) => document.dispatchEvent(new CustomEvent("markpoint", { detail: points[event.dataIndex].key })));
    chart.on("click", { seriesIndex: 2 }, (event) => document.dispatchEvent(new CustomEvent("openpoint", { detail: points[event.dataIndex].key })));
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("#zoom");
    if (!button) return;
    const on = button.getAttribute("aria-pressed") !== "true";
    button.disabled = true;
    try {
      if (on) await load();
      button.setAttribute("aria-pressed", String(on));
      document.querySelector("#chart .field").classList.toggle("away", on);
      document.getElementById("zoomed").hidden = !on;
      if (on) draw();
      else { chart?.dispose(); chart = null; }
    } catch (error) {
      button.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
  document.addEventListener("mark", (event) => {
    if (!chart || chart.isDisposed()) return;
    chart.dispatchAction({ type: "downplay", seriesIndex: 2 });
    const index = readPoints(document.querySelector("#chart .field")).findIndex((point) => point.key === event.detail);
    if (index >= 0) chart.dispatchAction({ type: "highlight", seriesIndex: 2, dataIndex: index });
  });
  document.addEventListener("themechange", draw);
  document.addEventListener("htmx:after:swap", () => { if (chart && !chart.getDom().isConnected) { chart.dispose(); chart = null; } });
  addEventListener("resize", () => chart?.resize());
})();
