"use strict";
/* The explorer of latent space: one canvas, no library. Data: `index.js` and one file a set, written and described by
   `python -m dcbook.book.explorer` (dcbook/book/explorer/data_file.py). The controls stand in pages/explore/latent_space.md. */
(() => {
  const ROOT = document.getElementById("latent-space");
  const FOLDER = new URL(".", document.currentScript.src);
  const part = (name) => ROOT.querySelector(`[data-part="${name}"]`);
  const canvas = part("canvas"), pen = canvas.getContext("2d");
  const MARGIN = 0.04;                        // an empty border, as a share of the map's side
  const THUMBNAILS_FROM = 6, ZOOM_MOST = 24;  // times the whole map
  const REACH = { mouse: 14, touch: 28 };     // pixels within which a point is met
  const TWEEN = 450;                          // milliseconds of a move between two frames
  const PLAY = { all: 20000, least: 300, most: 1100 };  // milliseconds: of a whole play, and of one frame in it
  const WRONG = 3;                            // which color of the palette says "wrong"
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  let set = null;                             // the data of the set shown, decoded
  const chosen = { set: null, method: null, map: "pca", color: "class", step: null, cell: null };
  const view = { zoom: 1, x: 0.5, y: 0.5 };   // the middle of what is shown, as shares of the map's side
  let places = null;                          // x, y of all points as they are drawn now, as shares
  let hovered = -1, asking = null, tween = null, playing = 0, report = { drawMilliseconds: 0, thumbnails: 0 };

  // --- data ---------------------------------------------------------------------------------------------------------

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  async function unpacked({ packed, before }) {
    // The arrays of `packing.py`, one a frame: inflated, unfolded, added up.
    const stream = new Blob([bytes(packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
    const both = new Uint8Array(await new Response(stream).arrayBuffer()), half = both.length / 2, size = half / before.length;
    const arrays = [];
    before.forEach((old, number) => {
      const array = old < 0 ? new Uint16Array(size) : arrays[old].slice();
      for (let i = 0, at = number * size; i < size; i++, at++) {
        const folded = both[at] | both[half + at] << 8;
        array[i] += (folded >> 1) ^ -(folded & 1);
      }
      arrays.push(array);
    });
    return arrays;
  }

  async function decoded(raw) {
    const [clusters, pca, tsne] = await Promise.all([raw.clusters, raw.maps.pca, raw.maps.tsne].map(unpacked));
    const atlas = new Image(), maps = { pca, tsne };
    atlas.onload = draw;
    atlas.src = raw.atlas;
    return {
      ...raw, atlas, classes: bytes(raw.classes),
      placesOf: (kind, i) => maps[kind][i],
      clustersOf: (frame) => clusters[frame],
    };
  }

  const kept = {};                            // sets by name, decoded once
  function load(name) {
    kept[name] ??= new Promise((arrive, fail) => {
      const script = document.createElement("script");
      script.src = new URL(`${name}.js`, FOLDER);
      script.onload = () => arrive(decoded(dcbookExplorer.sets[name]));
      script.onerror = () => {
        delete kept[name];                    // choosing it again tries again
        fail(new Error(`The file ${name}.js did not load. Choose the set again to retry.`));
      };
      document.head.append(script);
    });
    return kept[name];
  }

  const route = () => set.routes.find((each) => each.name === chosen.method);
  const steps = () => route().steps.filter((each) => chosen.map in each);  // those that have a map of this kind
  const step = () => route().steps[chosen.step];
  const frame = () => set.frames[step().frame];
  const renamed = (i) => frame().match[set.clustersOf(step().frame)[i]];  // the class that a point's cluster is matched to
  const nameOf = (k) => (k < 0 ? "no class" : set.class_names[k]);
  const percent = (share) => `${(100 * share).toFixed(1)} %`;

  // --- drawing ------------------------------------------------------------------------------------------------------

  function target() {
    const whole = set.placesOf(chosen.map, step()[chosen.map]);
    return Float32Array.from(whole, (at) => MARGIN + (1 - 2 * MARGIN) * at / set.grid);
  }

  let width = 0;                               // of the canvas, in pixels of the page; asking for it takes long
  const toScreen = (share, middle) => (share - middle) * view.zoom * width + width / 2;
  const toShare = (pixel, middle) => (pixel - width / 2) / (view.zoom * width) + middle;

  function groups() {
    // Points by color, the dimmed ones apart: a canvas draws fast where its color changes rarely. Wrong ones come last, on top.
    const clusters = set.clustersOf(step().frame), match = frame().match;
    const group = () => new Map(chosen.color === "error" ? [["right", []], ["wrong", []]] : []), found = { dim: group(), lit: group() };
    for (let i = 0; i < set.n; i++) {
      const truth = set.classes[i], named = match[clusters[i]];
      const color = chosen.color === "error" ? (named === truth ? "right" : "wrong") : chosen.color === "class" ? truth : named;
      const layer = isChosen(i, clusters) ? found.lit : found.dim;
      if (!layer.has(color)) layer.set(color, []);
      layer.get(color).push(i);
    }
    return found;
  }

  const isChosen = (i, clusters) => !chosen.cell || (chosen.cell.class === set.classes[i] && chosen.cell.cluster === clusters[i]);

  function shade(color) {
    if (color === "wrong") return dcbookExplorer.colors[WRONG];
    if (color === "right" || color < 0) return style("--quiet");
    return dcbookExplorer.colors[color % dcbookExplorer.colors.length];
  }

  const style = (name) => getComputedStyle(ROOT).getPropertyValue(name).trim();

  function draw() {
    if (!set || !places) return;
    const began = performance.now(), ratio = devicePixelRatio || 1;
    width = canvas.clientWidth;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = canvas.height = Math.round(width * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, width);
    const pictures = view.zoom >= THUMBNAILS_FROM && set.atlas.complete;
    const size = pictures ? 18 : Math.min(6, width * Math.sqrt(view.zoom) / (3 * Math.sqrt(set.n)));
    report.thumbnails = 0;
    const { dim, lit } = groups(), layers = [[dim, 0.07], [lit, 1]];
    if (pictures) {
      for (const [layer, opacity] of layers) {
        pen.globalAlpha = opacity;
        visible(layer, size, (i, x, y, color) => thumbnail(i, x, y, size, color));
      }
      pen.globalAlpha = 1;
    } else {
      dots(layers, size, ratio);
    }
    if (!pictures && chosen.color !== "error" && !tween) labels();
    if (chosen.map === "pca" && !tween) scaleBar();
    if (hovered >= 0) ring(hovered);
    report.drawMilliseconds = performance.now() - began;
  }

  function visible(layer, size, then) {
    const end = width + size;
    for (const [color, points] of layer) {
      const named = shade(color);
      for (const i of points) {
        const x = toScreen(places[2 * i], view.x), y = toScreen(places[2 * i + 1], view.y);
        if (x > -size && y > -size && x < end && y < end) then(i, x, y, named);
      }
    }
  }

  function dots(layers, size, ratio) {
    // Written pixel by pixel: ten times as fast as 10,000 rectangles. Corners are left out, so that large dots look round.
    const across = canvas.width, image = pen.createImageData(across, across), pixels = new Uint32Array(image.data.buffer);
    const edge = Math.max(1, Math.round(size * ratio)), corner = edge > 3;
    let color = null, value = 0;
    for (const [layer, opacity] of layers) {
      color = null;
      visible(layer, size, (i, x, y, named) => {
        if (named !== color) [color, value] = [named, packed(named, opacity)];
        const left = Math.round(x * ratio - edge / 2), top = Math.round(y * ratio - edge / 2);
        for (let v = Math.max(0, -top); v < edge && top + v < across; v++) {
          const cut = corner && (v === 0 || v === edge - 1) ? 1 : 0;
          for (let u = Math.max(cut, -left); u < edge - cut && left + u < across; u++) pixels[(top + v) * across + left + u] = value;
        }
      });
    }
    pen.putImageData(image, 0, 0);
  }

  function packed(color, opacity) {            // "#rrggbb" as the bytes of a pixel
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    return (Math.round(255 * opacity) << 24 | b << 16 | g << 8 | r) >>> 0;
  }

  function thumbnail(i, x, y, size, color) {
    pen.fillStyle = color;
    pen.fillRect(x - size / 2, y - size / 2, size, size);
    picture(pen, i, x - size / 2 + 1.5, y - size / 2 + 1.5, size - 3);
    report.thumbnails += 1;
  }

  function picture(on, i, x, y, size) {
    const t = set.tile;
    on.drawImage(set.atlas, (i % set.columns) * t, Math.floor(i / set.columns) * t, t, t, x, y, size, size);
  }

  function labels() {
    // The name of a class, or of the class that a cluster is matched to, at its point nearest to the median of all.
    pen.font = `600 ${width < 450 ? 12 : 14}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineWidth = 4;
    pen.lineJoin = "round";
    pen.strokeStyle = style("--ground");
    pen.fillStyle = style("--ink");
    for (const [k, i] of medians()) {
      const x = toScreen(places[2 * i], view.x), y = toScreen(places[2 * i + 1], view.y);
      pen.strokeText(nameOf(k), x, y);
      pen.fillText(nameOf(k), x, y);
    }
  }

  let known = { key: null, value: [] };        // the medians of one frame, which do not change with the zoom
  function medians() {
    const key = [chosen.set, chosen.method, chosen.map, chosen.color, chosen.step].join();
    if (known.key !== key) {
      const members = new Map();
      for (let i = 0; i < set.n; i++) {
        const k = chosen.color === "class" ? set.classes[i] : renamed(i);
        if (k >= 0) (members.get(k) || members.set(k, []).get(k)).push(i);
      }
      known = { key, value: [...members].map(([k, points]) => [k, middle(points)]) };
    }
    return known.value;
  }

  function middle(points) {
    const median = (axis) => Float32Array.from(points, (i) => places[2 * i + axis]).sort()[points.length >> 1];
    const x = median(0), y = median(1);
    return points.reduce((best, i) => (far(i, x, y) < far(best, x, y) ? i : best));
  }

  const far = (i, x, y) => (places[2 * i] - x) ** 2 + (places[2 * i + 1] - y) ** 2;

  function scaleBar() {
    const span = set.maps.pca.span[step().pca] / (1 - 2 * MARGIN);     // of the space, over the map's whole side
    const most = span / view.zoom / 4, ten = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].map((k) => k * ten).find((each) => each <= most);
    const pixels = length / span * view.zoom * width, x = 12, y = width - 12;
    const text = `${Number(length.toPrecision(2))} ${length === 1 ? "unit" : "units"}`;
    pen.fillStyle = style("--ground");
    pen.fillRect(x - 6, y - 22, Math.max(pixels, 60) + 12, 30);
    pen.fillStyle = style("--ink");
    pen.fillRect(x, y, pixels, 2);
    pen.font = "12px system-ui, sans-serif";
    pen.textAlign = "left";
    pen.textBaseline = "bottom";
    pen.fillText(text, x, y - 3);
  }

  function ring(i) {
    pen.lineWidth = 2.5;
    pen.strokeStyle = style("--ink");
    pen.beginPath();
    pen.arc(toScreen(places[2 * i], view.x), toScreen(places[2 * i + 1], view.y), view.zoom >= THUMBNAILS_FROM ? 14 : 6, 0, 7);
    pen.stroke();
  }

  // --- frames -------------------------------------------------------------------------------------------------------

  function show(moving) {
    // What the choices say; from the places that are drawn now, the points move to the new ones.
    const asked = chosen.step ?? Infinity, all = route().steps;
    chosen.step = all.indexOf(steps().findLast((each) => all.indexOf(each) <= asked));
    const from = places, to = target();
    cancelAnimationFrame(tween);
    tween = null;
    if (moving && from && from.length === to.length && !still.matches) {
      places = Float32Array.from(from);
      const began = performance.now();
      const move = (now) => {
        const t = Math.min(1, Math.max(0, (now - began) / TWEEN)), eased = t * t * (3 - 2 * t);
        for (let i = 0; i < to.length; i++) places[i] = from[i] + (to[i] - from[i]) * eased;
        tween = t < 1 ? requestAnimationFrame(move) : null;
        if (!tween) places = to;
        draw();
      };
      tween = requestAnimationFrame(move);
    } else {
      places = to;
    }
    tell();
    matrix();
    card(-1);
    draw();
    if (!playing) remember();
  }

  let written = 0;
  function remember() {
    // The choices go into the address, a moment later: browsers count how often an address changes.
    clearTimeout(written);
    written = setTimeout(() => history.replaceState(null, "", "#" + new URLSearchParams(
      { set: chosen.set, method: chosen.method, map: chosen.map, color: chosen.color, step: chosen.step })), 200);
  }

  function tell() {
    const now = frame(), slider = part("step"), all = steps().length, number = steps().indexOf(step());
    slider.max = all - 1;
    slider.value = number;
    slider.setAttribute("aria-valuetext", `${now.name}, ACC ${percent(now.acc)}`);
    part("frame").textContent = now.name;
    part("acc").textContent = `ACC ${percent(now.acc)}`;
    part("space").textContent = `${now.space}, ${now.dimensions} dimensions · frame ${number + 1} of ${all}`;
    part("about").textContent = `${chosen.method}. ${route().about}`;
    part("start").textContent = set.start;
    part("settings").replaceChildren(...route().settings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    part("map-note").textContent = chosen.map === "pca"
      ? `PCA map. A flat view: the plane of the two largest principal components of this method's last frame, the same for all frames of one space, which holds ${percent(set.maps.pca.held[step().pca])} of this frame's variance. Distances in the plane are real, and the bar gives their scale in units of the space; distances across the plane are not seen, so that clusters that overlap here may lie apart.`
      : `t-SNE map. A map of neighborhoods: samples that are near in the space are near here. Distances between islands, their sizes and their densities mean nothing. Each map begins from that of the frame before and is rotated onto it, and all have the same spread; pixels and the codes after pretraining are the same map for every method. The islands show even where clusters mix the classes: compare the matrix and ACC. Such a map takes long to make, so that not every epoch has one.`;
    part("epochs").textContent = `Frames with a map of this kind: pixels, after pretraining, ${epochs()}.`;
    part("made").textContent = `${set.title}: all ${set.n.toLocaleString("en-US")} images, K = ${set.k}, seed ${set.seed} (one run), settings of the scale "${set.scale}". ACC: each cluster is matched to one class by the Hungarian method; labels serve this number and the colors alone, the last frame is the end of the training and not the best epoch.`;
    legend();
  }

  function epochs() {
    // "phase 1, epochs 1 to 6; phase 2, epochs 1, 4, 16, 49", from the names of the frames.
    const found = new Map();
    for (const { frame } of steps()) {
      const [, phase, epoch] = set.frames[frame].name.match(/^(.+), epoch (\d+)/) || [];
      if (phase) (found.get(phase) || found.set(phase, []).get(phase)).push(Number(epoch));
    }
    return [...found].map(([phase, ours]) => {
      const whole = ours.length > 2 && ours.at(-1) - ours[0] === ours.length - 1;
      return `${phase}, epoch${ours.length > 1 ? "s" : ""} ${whole ? `${ours[0]} to ${ours.at(-1)}` : ours.join(", ")}`;
    }).join("; ");
  }

  function legend() {
    const entry = (color, text) => {
      const item = document.createElement("li"), chip = document.createElement("span");
      chip.className = "chip";
      chip.style.background = shade(color);
      item.append(chip, text);
      return item;
    };
    const names = set.class_names.map((name, k) => entry(k, name));
    const items = chosen.color === "error" ? [entry("right", "cluster's class is the true one"), entry("wrong", "another class")] : names;
    part("legend").replaceChildren(...items);
    part("legend-name").textContent = { class: "True class", cluster: "Class that the cluster is matched to", error: "Cluster and class" }[chosen.color];
  }

  // --- the confusion matrix -----------------------------------------------------------------------------------------

  function matrix() {
    const { k } = set, clusters = set.clustersOf(step().frame), match = frame().match, classes = set.class_names.length;
    const counts = Array.from({ length: classes }, () => new Array(k).fill(0));
    clusters.forEach((cluster, i) => { counts[set.classes[i]][cluster] += 1; });
    const columns = [...Array(k).keys()].sort((a, b) => (match[a] < 0) - (match[b] < 0) || match[a] - match[b] || a - b);
    const head = document.createElement("tr"), body = document.createElement("tbody");
    const cell = (tag, text, scope) => Object.assign(document.createElement(tag), { textContent: text, ...(scope ? { scope } : {}) });
    head.append(cell("th", "class", "col"), ...columns.map((cluster) => cell("th", match[cluster] < 0 ? "–" : nameOf(match[cluster]), "col")));
    counts.forEach((row, truth) => {
      const line = document.createElement("tr"), size = row.reduce((a, b) => a + b);
      line.append(cell("th", nameOf(truth), "row"), ...columns.map((cluster) => {
        const box = document.createElement("td"), button = document.createElement("button"), count = row[cluster], share = size ? count / size : 0;
        button.type = "button";
        button.dataset.class = truth;
        button.dataset.cluster = cluster;
        button.textContent = count || "";
        button.tabIndex = -1;
        button.setAttribute("aria-label", `class ${nameOf(truth)}, cluster of ${nameOf(match[cluster])}: ${count} of ${size} images`);
        button.setAttribute("aria-pressed", String(chosen.cell?.class === truth && chosen.cell?.cluster === cluster));
        [button.style.background, button.style.color] = ink(share);
        box.append(button);
        return box;
      }));
      body.append(line);
    });
    const table = part("matrix"), top = document.createElement("thead");
    table.classList.toggle("long", set.class_names.some((name) => name.length > 3));
    top.append(head);
    table.replaceChildren(cell("caption", "Images by class (rows) and cluster (columns, named by the class that they are matched to). Choose a cell to see its images alone; arrow keys move between cells."), top, body);
    (table.querySelector('[aria-pressed="true"]') || table.querySelector("button")).tabIndex = 0;
  }

  function ink(share) {
    // A shade from the page's ground to blue, and black or white on it, whichever is easier to read.
    const ground = style("--ground-rgb").split(",").map(Number), blue = [1, 115, 178];
    const mixed = ground.map((value, i) => Math.round(value + (blue[i] - value) * Math.sqrt(share)));
    const [r, g, b] = mixed.map((value) => (value / 255 <= 0.04045 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return [`rgb(${mixed})`, 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff"];
  }

  function press(button) {
    const one = { class: Number(button.dataset.class), cluster: Number(button.dataset.cluster) };
    const same = chosen.cell && chosen.cell.class === one.class && chosen.cell.cluster === one.cluster;
    chosen.cell = same ? null : one;
    for (const each of part("matrix").querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === button && !same));
    part("everything").hidden = same;
    draw();
  }

  function walk(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step || !event.target.matches("button")) return;
    const row = event.target.closest("tr"), column = event.target.closest("td").cellIndex + step[1];
    const next = row.parentElement.rows[row.sectionRowIndex + step[0]]?.cells[column]?.querySelector("button");
    event.preventDefault();
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  // --- one point ----------------------------------------------------------------------------------------------------

  function nearest(x, y, reach) {
    let best = -1, least = (reach / (view.zoom * width)) ** 2;
    const at = [toShare(x, view.x), toShare(y, view.y)];
    const clusters = set.clustersOf(step().frame);
    for (let i = 0; i < set.n; i++) {
      const distance = far(i, at[0], at[1]);
      if (distance < least && isChosen(i, clusters)) [best, least] = [i, distance];
    }
    return best;
  }

  function card(i) {
    hovered = i;
    const box = part("card");
    for (const lit of part("matrix").querySelectorAll(".here")) lit.classList.remove("here");
    box.hidden = i < 0;
    if (i < 0) return;
    const cluster = set.clustersOf(step().frame)[i], truth = set.classes[i], named = renamed(i);
    part("card-class").textContent = nameOf(truth);
    part("card-cluster").textContent = named < 0 ? "matched to no class" : `that of ${nameOf(named)}`;
    part("card-verdict").textContent = named === truth ? "right" : "wrong";
    part("card-number").textContent = `image ${i}`;
    const small = part("card-picture").getContext("2d");
    small.imageSmoothingEnabled = false;
    small.clearRect(0, 0, 64, 64);
    picture(small, i, 0, 0, 64);
    const x = toScreen(places[2 * i], view.x), y = toScreen(places[2 * i + 1], view.y);
    box.style.left = `${Math.max(0, Math.min(width - box.offsetWidth, x + (x > width / 2 ? -box.offsetWidth - 16 : 16)))}px`;
    box.style.top = `${Math.max(0, Math.min(width - box.offsetHeight, y - box.offsetHeight / 2))}px`;
    part("matrix").querySelector(`[data-class="${truth}"][data-cluster="${cluster}"]`)?.classList.add("here");
  }

  // --- mouse, fingers, keys -----------------------------------------------------------------------------------------

  function zoomBy(factor, x = width / 2, y = width / 2) {
    const at = [toShare(x, view.x), toShare(y, view.y)];
    view.zoom = Math.max(1, Math.min(ZOOM_MOST, view.zoom * factor));
    view.x = at[0] - (x - width / 2) / (view.zoom * width);
    view.y = at[1] - (y - width / 2) / (view.zoom * width);
    keepInside();
  }

  function keepInside() {
    const half = 0.5 / view.zoom;
    view.x = Math.max(half, Math.min(1 - half, view.x));
    view.y = Math.max(half, Math.min(1 - half, view.y));
    canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-y";  // at full size a finger scrolls the page
    card(-1);
    draw();
  }

  const fingers = new Map();                   // pointers that are down, and where
  let moved = 0;
  const spot = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, spot(event));
    moved = fingers.size > 1 ? Infinity : 0;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!set) return;
    const now = spot(event), before = fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "touch") return;
      const i = nearest(...now, REACH.mouse);
      if (i !== hovered) { card(i); draw(); }
      return;
    }
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (fingers.size === 2) {
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
      const gap = (at) => Math.hypot(at[0] - other[0], at[1] - other[1]);
      zoomBy(gap(now) / Math.max(1, gap(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (moved > 4 && view.zoom > 1) {
      view.x -= (now[0] - before[0]) / (view.zoom * width);
      view.y -= (now[1] - before[1]) / (view.zoom * width);
      keepInside();
    }
    fingers.set(event.pointerId, now);
  });
  for (const kind of ["touchstart", "touchmove"]) {   // two fingers are for the map, not for the browser's own zoom
    canvas.addEventListener(kind, (event) => { if (event.touches.length > 1) event.preventDefault(); }, { passive: false });
  }
  const lift = (event) => {
    if (fingers.delete(event.pointerId) && event.type === "pointerup" && moved < 6 && set) {
      card(nearest(...spot(event), event.pointerType === "touch" ? REACH.touch : REACH.mouse));
      draw();
    }
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch" && !fingers.size && set) { card(-1); draw(); }
  });
  canvas.addEventListener("wheel", (event) => {
    if (!set || (view.zoom === 1 && event.deltaY > 0)) return;      // nothing to leave: the page scrolls
    event.preventDefault();
    zoomBy(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 300), ...spot(event));
  }, { passive: false });

  function play(on) {
    clearInterval(playing);
    playing = 0;
    part("now").setAttribute("aria-live", on ? "off" : "polite");
    part("play").textContent = on ? "Pause" : "Play";
    if (!on) return remember();
    const ids = steps().map((each) => route().steps.indexOf(each)), last = ids.at(-1);
    const next = () => {
      if (chosen.step >= last) return play(false);
      chosen.step = ids.find((id) => id > chosen.step);
      show(true);
    };
    playing = setInterval(next, Math.max(PLAY.least, Math.min(PLAY.most, PLAY.all / ids.length)));
    if (chosen.step >= last) { chosen.step = ids[0]; show(true); }
  }

  // --- choices ------------------------------------------------------------------------------------------------------

  function options(select, pairs, value) {
    select.replaceChildren(...pairs.map(([key, text]) => new Option(text, key, key === value, key === value)));
  }

  function use(name) {
    part("status").textContent = "Loading …";
    asking = name;
    load(name).then((found) => {
      if (asking !== name) return;              // another one was chosen meanwhile
      set = found;
      places = null;
      chosen.set = name;
      chosen.cell = null;
      if (!set.routes.some((each) => each.name === chosen.method)) chosen.method = set.routes[0].name;
      options(part("method"), set.routes.map((each) => [each.name, each.name]), chosen.method);
      part("status").textContent = "";
      part("everything").hidden = true;
      show(false);
    }).catch((error) => {
      if (asking !== name) return;
      part("status").textContent = error.message;
      if (set) part("set").value = chosen.set;  // the one that is still shown
    });
  }

  function changed(key, value) {
    const early = chosen.step <= 1;             // pixels and the start stand in every method at the same place
    play(false);
    chosen[key] = value;
    if (key === "method") { chosen.cell = null; part("everything").hidden = true; if (!early) chosen.step = null; }
    show(key === "method" || key === "map");
  }

  part("set").addEventListener("change", (event) => { play(false); use(event.target.value); });
  for (const key of ["method", "map", "color"]) part(key).addEventListener("change", (event) => changed(key, event.target.value));
  part("step").addEventListener("input", (event) => { play(false); chosen.step = route().steps.indexOf(steps()[event.target.value]); show(true); });
  part("play").addEventListener("click", () => play(!playing));
  part("closer").addEventListener("click", () => zoomBy(1.6));
  part("farther").addEventListener("click", () => zoomBy(1 / 1.6));
  part("whole").addEventListener("click", () => { view.zoom = 1; keepInside(); });
  part("everything").addEventListener("click", () => press(part("matrix").querySelector('[aria-pressed="true"]')));
  part("matrix").addEventListener("click", (event) => { const button = event.target.closest("button"); if (button) press(button); });
  part("matrix").addEventListener("keydown", walk);
  new ResizeObserver(draw).observe(canvas);
  const repaint = () => { if (set) { matrix(); draw(); } };
  new MutationObserver(repaint).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

  // What a test asks for: the state in words, and where on the screen a point is.
  dcbookExplorer.report = () => ({
    ...report, ...chosen, zoom: view.zoom, hovered, moving: tween !== null,
    frame: frame().name, acc: frame().acc, steps: steps().length,
  });
  dcbookExplorer.point = (i) => {
    const box = canvas.getBoundingClientRect();
    return {
      x: box.left + toScreen(places[2 * i], view.x), y: box.top + toScreen(places[2 * i + 1], view.y),
      class: nameOf(set.classes[i]), cluster: nameOf(renamed(i)), right: renamed(i) === set.classes[i],
    };
  };

  const asked = new URLSearchParams(location.hash.slice(1)), names = dcbookExplorer.index.map((each) => each.name);
  const one = (key, known) => (known.includes(asked.get(key)) ? asked.get(key) : known[0]);
  chosen.method = asked.get("method");
  chosen.map = one("map", ["pca", "tsne"]);
  chosen.color = one("color", ["class", "cluster", "error"]);
  chosen.step = /^\d+$/.test(asked.get("step") ?? "") ? Number(asked.get("step")) : null;
  part("map").value = chosen.map;
  part("color").value = chosen.color;
  options(part("set"), dcbookExplorer.index.map((each) => [each.name, each.title]), one("set", names));
  use(one("set", names));
})();
