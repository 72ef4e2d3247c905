"use strict";
/* DEC on four arcs in the plane, computed in the page: an autoencoder, k-means, then DEC's loss.
   The numbers are those of dcbook (dcbook/losses/dec.py, dcbook/training/self_training.py); a test compares both. The
   points are those of dcbook.data.load("arcs"), in `arcs.js`. Arrays are flat: row i of an (n, d) matrix begins at i * d. */
const dcbookArcs = (() => {
  // --- random numbers -----------------------------------------------------------------------------------------------

  function random(seed) {                      // mulberry32: uniform in [0, 1), the same in every browser
    let state = (seed + 1) * 0x9e3779b9 | 0;
    return () => {
      state = state + 0x6d2b79f5 | 0;
      let t = Math.imul(state ^ state >>> 15, 1 | state);
      t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
      return ((t ^ t >>> 14) >>> 0) / 4294967296;
    };
  }

  // --- networks: lists of linear layers with ReLU between them ------------------------------------------------------

  function layer(inputs, outputs, draw) {      // torch's default start: uniform in ±1/sqrt(inputs)
    const from = () => (2 * draw() - 1) / Math.sqrt(inputs);
    return { inputs, outputs, weights: Float64Array.from({ length: inputs * outputs }, from), bias: Float64Array.from({ length: outputs }, from) };
  }

  const network = (sizes, draw) => sizes.slice(1).map((size, i) => layer(sizes[i], size, draw));
  const parameters = (layers) => layers.flatMap(({ weights, bias }) => [weights, bias]);

  function forward(layers, x) {                // the outputs of all layers, x first
    const outputs = [x];
    layers.forEach(({ inputs, outputs: width, weights, bias }, depth) => {
      const from = outputs[depth], n = from.length / inputs, to = new Float64Array(n * width), last = depth === layers.length - 1;
      for (let i = 0; i < n; i++) for (let o = 0; o < width; o++) {
        let sum = bias[o];
        for (let j = 0; j < inputs; j++) sum += weights[o * inputs + j] * from[i * inputs + j];
        to[i * width + o] = last || sum > 0 ? sum : 0;
      }
      outputs.push(to);
    });
    return outputs;
  }

  function backward(layers, outputs, gradient) {  // of a loss, from that of the last output: of all parameters, and of x
    const found = [];
    for (let depth = layers.length - 1; depth >= 0; depth--) {
      const { inputs, outputs: width, weights } = layers[depth], from = outputs[depth], n = from.length / inputs;
      const ofWeights = new Float64Array(weights.length), ofBias = new Float64Array(width), below = new Float64Array(from.length);
      for (let i = 0; i < n; i++) for (let o = 0; o < width; o++) {
        const g = gradient[i * width + o];
        if (g === 0) continue;
        ofBias[o] += g;
        for (let j = 0; j < inputs; j++) {
          ofWeights[o * inputs + j] += g * from[i * inputs + j];
          below[i * inputs + j] += g * weights[o * inputs + j];
        }
      }
      if (depth > 0) for (let i = 0; i < below.length; i++) if (from[i] <= 0) below[i] = 0;  // through the ReLU
      found.unshift(ofWeights, ofBias);
      gradient = below;
    }
    return { parameters: found, x: gradient };
  }

  // --- DEC ----------------------------------------------------------------------------------------------------------

  function kernel(u, centers, d) {             // 1 / (1 + ||z_i - mu_k||^2), (n, K)
    const n = u.length / d, k = centers.length / d, t = new Float64Array(n * k);
    for (let i = 0; i < n; i++) for (let c = 0; c < k; c++) {
      let square = 0;
      for (let j = 0; j < d; j++) square += (u[i * d + j] - centers[c * d + j]) ** 2;
      t[i * k + c] = 1 / (1 + square);
    }
    return t;
  }

  function rowsToOne(matrix, k) {
    const to = Float64Array.from(matrix);
    for (let i = 0; i < to.length; i += k) {
      let sum = 0;
      for (let c = 0; c < k; c++) sum += to[i + c];
      for (let c = 0; c < k; c++) to[i + c] /= sum;
    }
    return to;
  }

  const softAssignments = (u, centers, d) => rowsToOne(kernel(u, centers, d), centers.length / d);  // DEC Eq. (1)

  function targetDistribution(q, k) {          // DEC Eq. (3)
    const mass = new Float64Array(k);
    q.forEach((value, i) => { mass[i % k] += value; });
    return rowsToOne(q.map((value, i) => value * value / mass[i % k]), k);
  }

  function clusteringLoss(u, centers, p, d) {  // KL(P || Q) per sample, DEC Eq. (2), and its gradients, Eqs. (4) and (5)
    const n = u.length / d, k = centers.length / d, t = kernel(u, centers, d), q = rowsToOne(t, k);
    const ofCodes = new Float64Array(u.length), ofCenters = new Float64Array(centers.length);
    let loss = 0;
    for (let i = 0; i < n; i++) for (let c = 0; c < k; c++) {
      const at = i * k + c;
      if (p[at] > 0) loss += p[at] * Math.log(p[at] / Math.max(q[at], 1e-12)) / n;
      const pull = 2 * t[at] * (p[at] - q[at]) / n;
      for (let j = 0; j < d; j++) {
        const g = pull * (u[i * d + j] - centers[c * d + j]);
        ofCodes[i * d + j] += g;
        ofCenters[c * d + j] -= g;
      }
    }
    return { loss, ofCodes, ofCenters };
  }

  const largest = (q, k) => Array.from({ length: q.length / k }, (_, i) => {
    let best = 0;
    for (let c = 1; c < k; c++) if (q[i * k + c] > q[i * k + best]) best = c;
    return best;
  });

  class DEC {                                  // full batches; SGD with momentum on the encoder and the centers
    constructor(encoder, centers, x, { lr, momentum = 0.9, interval = 20 }) {
      Object.assign(this, { encoder, centers, x, lr, momentum, interval, updates: 0 });
      this.d = encoder.at(-1).outputs;
      this.k = centers.length / this.d;
      this.velocities = [...parameters(encoder), centers].map((values) => new Float64Array(values.length));
    }

    look() {                                   // codes, their clusters, and the loss towards a target taken now
      const codes = forward(this.encoder, this.x).at(-1), q = softAssignments(codes, this.centers, this.d);
      const { loss } = clusteringLoss(codes, this.centers, targetDistribution(q, this.k), this.d);
      return { codes, clusters: largest(q, this.k), loss };
    }

    update() {
      const outputs = forward(this.encoder, this.x), u = outputs.at(-1);
      if (this.updates % this.interval === 0) this.target = targetDistribution(softAssignments(u, this.centers, this.d), this.k);
      const { ofCodes, ofCenters } = clusteringLoss(u, this.centers, this.target, this.d);
      const gradients = [...backward(this.encoder, outputs, ofCodes).parameters, ofCenters];
      [...parameters(this.encoder), this.centers].forEach((values, which) => {
        const velocity = this.velocities[which];
        for (let i = 0; i < values.length; i++) {
          velocity[i] = this.momentum * velocity[i] + gradients[which][i];
          values[i] -= this.lr * velocity[i];
        }
      });
      this.updates += 1;
    }
  }

  // --- what comes before DEC ----------------------------------------------------------------------------------------

  function pretrain(encoder, decoder, x, { epochs = 200, lr = 0.01 } = {}) {  // Adam on the mean squared error
    const values = parameters([...encoder, ...decoder]);
    const means = values.map((v) => new Float64Array(v.length)), squares = values.map((v) => new Float64Array(v.length));
    for (let t = 1; t <= epochs; t++) {
      const coded = forward(encoder, x), decoded = forward(decoder, coded.at(-1));
      const gradient = decoded.at(-1).map((value, i) => 2 * (value - x[i]) / x.length);
      const above = backward(decoder, decoded, gradient), gradients = [...backward(encoder, coded, above.x).parameters, ...above.parameters];
      values.forEach((v, which) => {
        const m = means[which], s = squares[which], g = gradients[which];
        for (let i = 0; i < v.length; i++) {
          m[i] = 0.9 * m[i] + 0.1 * g[i];
          s[i] = 0.999 * s[i] + 0.001 * g[i] * g[i];
          v[i] -= lr * (m[i] / (1 - 0.9 ** t)) / (Math.sqrt(s[i] / (1 - 0.999 ** t)) + 1e-8);
        }
      });
    }
  }

  function kmeans(u, k, d, draw, restarts = 20) {  // centers (K, d) of the start with the least inertia
    const n = u.length / d;
    let best = { inertia: Infinity };
    for (let trial = 0; trial < restarts; trial++) {
      const rows = new Set();
      while (rows.size < k) rows.add(Math.floor(draw() * n));
      const centers = Float64Array.from([...rows].flatMap((i) => Array.from(u.subarray(i * d, (i + 1) * d))));
      let inertia = Infinity;
      for (let round = 0; round < 100; round++) {
        const t = kernel(u, centers, d), nearest = largest(t, k), sums = new Float64Array(k * d), sizes = new Float64Array(k);
        const now = nearest.reduce((sum, c, i) => sum + 1 / t[i * k + c] - 1, 0);
        nearest.forEach((c, i) => { sizes[c] += 1; for (let j = 0; j < d; j++) sums[c * d + j] += u[i * d + j]; });
        for (let c = 0; c < k; c++) if (sizes[c]) for (let j = 0; j < d; j++) centers[c * d + j] = sums[c * d + j] / sizes[c];
        if (now >= inertia * (1 - 1e-9)) break;
        inertia = now;
      }
      if (inertia < best.inertia) best = { inertia, centers };
    }
    return best.centers;
  }

  function begin(x, { lr, k, seed, hidden }) {   // a DEC after pretraining and k-means
    const draw = random(seed), sizes = hidden ? [2, hidden, 2] : [2, 2];
    const encoder = network(sizes, draw), decoder = network([...sizes].reverse(), draw);
    pretrain(encoder, decoder, x);
    return new DEC(encoder, kmeans(forward(encoder, x).at(-1), k, 2, draw), x, { lr });
  }

  // --- numbers about codes in the plane -----------------------------------------------------------------------------

  function variances(u) {                      // along the two principal axes, the larger one first
    const n = u.length / 2;
    let mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (let i = 0; i < n; i++) { mx += u[2 * i] / n; my += u[2 * i + 1] / n; }
    for (let i = 0; i < n; i++) {
      const a = u[2 * i] - mx, b = u[2 * i + 1] - my;
      xx += a * a / (n - 1); yy += b * b / (n - 1); xy += a * b / (n - 1);
    }
    const half = (xx + yy) / 2, apart = Math.hypot((xx - yy) / 2, xy);
    return [half + apart, Math.max(0, half - apart)];
  }

  function straightness(u, labels) {           // share of a class's variance along one line, mean over the classes
    const kinds = [...new Set(labels)];
    const shares = kinds.map((kind) => {
      const [first, second] = variances(Float64Array.from([...labels].flatMap((label, i) => (label === kind ? [u[2 * i], u[2 * i + 1]] : []))));
      return first / (first + second);
    });
    return shares.reduce((a, b) => a + b) / kinds.length;
  }

  function effectiveRank(u) {                  // exp of the entropy of the normalized singular values: 1, a line, to 2
    const values = variances(u).map(Math.sqrt), sum = values[0] + values[1];
    return Math.exp(-values.reduce((total, s) => total + (s > 0 ? s / sum * Math.log(s / sum) : 0), 0));
  }

  function accuracy(labels, clusters, k) {     // the best one-to-one map of the few classes to clusters, tried out
    const classes = Math.max(...labels) + 1, counts = Array.from({ length: classes }, () => new Array(k).fill(0));
    labels.forEach((label, i) => { counts[label][clusters[i]] += 1; });
    const best = (label, free) => (label === classes ? 0 : Math.max(
      ...free.map((c) => counts[label][c] + best(label + 1, free.filter((other) => other !== c))),
      k < classes ? best(label + 1, free) : 0));
    return best(0, [...Array(k).keys()]) / labels.length;
  }

  return { DEC, begin, forward, backward, softAssignments, targetDistribution, clusteringLoss, kmeans, pretrain, straightness, effectiveRank, accuracy };
})();

// --- the page ---------------------------------------------------------------------------------------------------------

(() => {
  const ROOT = document.getElementById("toy-arcs");
  if (!ROOT) return;
  const part = (name) => ROOT.querySelector(`[data-part="${name}"]`);
  const UPDATES = 1000, EVERY = 20;            // in all, and between two snapshots
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const { labels, colors } = dcbookArcsData, x = Float64Array.from(dcbookArcsData.points, (place) => place / dcbookArcsData.grid);
  let model = null, snapshots = [], running = 0, color = "class";

  const style = (name) => getComputedStyle(ROOT).getPropertyValue(name).trim();
  const settings = () => ({
    lr: Number((10 ** Number(part("lr").value)).toPrecision(2)), k: Number(part("k").value),
    seed: Number(part("seed").value), hidden: Number(part("network").value),
  });

  function snapshot() {
    const { codes: u, clusters, loss } = model.look();
    if (!u.every(Number.isFinite)) return false;
    snapshots.push({
      u, clusters, loss, centers: Float64Array.from(model.centers), updates: model.updates,
      straightness: dcbookArcs.straightness(u, labels), rank: dcbookArcs.effectiveRank(u), acc: dcbookArcs.accuracy(labels, clusters, model.k),
      used: new Set(clusters).size,
    });
    return true;
  }

  function restart() {
    pause();
    const given = settings();
    part("lr-value").textContent = given.lr;
    part("k-value").textContent = given.k;
    part("seed-value").textContent = given.seed;
    model = dcbookArcs.begin(x, given);
    snapshots = [];
    part("status").textContent = "";
    snapshot();
    see(0);
  }

  function advance() {                         // to the next snapshot; whether there is more to come
    for (let i = 0; i < EVERY; i++) model.update();
    if (!snapshot()) {
      part("status").textContent = `The codes are no longer finite after ${model.updates} updates: this step size is too large.`;
      return false;
    }
    return model.updates < UPDATES;
  }

  function run() {
    if (model.updates >= UPDATES || part("status").textContent) restart();
    part("run").textContent = "Pause";
    if (still.matches) {                       // no motion is wanted: the end at once
      while (advance());
      see(snapshots.length - 1);
      return pause();
    }
    const next = () => {
      const more = advance();
      see(snapshots.length - 1);
      running = more ? requestAnimationFrame(next) : 0;
      if (!more) pause();
    };
    running = requestAnimationFrame(next);
  }

  function pause() {
    cancelAnimationFrame(running);
    running = 0;
    part("run").textContent = "Run";
  }

  let seen = 0;
  function see(number) {
    seen = Math.max(0, Math.min(number, snapshots.length - 1));
    const now = snapshots[seen], first = snapshots[0], slider = part("updates");
    slider.max = snapshots.length - 1;
    slider.value = seen;
    slider.setAttribute("aria-valuetext", `after ${now.updates} updates`);
    part("now").textContent = `after ${now.updates} of ${UPDATES} updates`;
    for (const [name, digits, unit, times] of [["straightness", 1, " %", 100], ["rank", 2, "", 1], ["acc", 1, " %", 100], ["used", 0, "", 1], ["loss", 4, "", 1]]) {
      for (const [when, entry] of [["before", first], ["now", now]]) {
        part(`${name}-${when}`).textContent = (times * entry[name]).toFixed(digits) + unit;
      }
    }
    draw();
  }

  const shade = (k) => colors[k % colors.length];

  function plane(canvas, u, centers) {
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, pen = canvas.getContext("2d");
    canvas.width = canvas.height = Math.round(width * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    let low = [Infinity, Infinity], high = [-Infinity, -Infinity];
    for (let i = 0; i < u.length; i++) { low[i % 2] = Math.min(low[i % 2], u[i]); high[i % 2] = Math.max(high[i % 2], u[i]); }
    const span = Math.max(high[0] - low[0], high[1] - low[1], 1e-9), size = 0.9 * width / span;
    const at = (a, b) => [width / 2 + (a - (low[0] + high[0]) / 2) * size, width / 2 - (b - (low[1] + high[1]) / 2) * size];
    const clusters = snapshots[seen].clusters;
    pen.globalAlpha = 0.8;
    labels.forEach((label, i) => {
      pen.fillStyle = shade(color === "class" ? label : clusters[i]);
      const [a, b] = at(u[2 * i], u[2 * i + 1]), kind = color === "class" ? label : clusters[i];
      if (kind % 2) pen.fillRect(a - 2, b - 2, 4, 4);
      else { pen.beginPath(); pen.arc(a, b, 2.4, 0, 7); pen.fill(); }
    });
    pen.globalAlpha = 1;
    pen.lineWidth = 2.5;
    for (let c = 0; c < (centers?.length ?? 0) / 2; c++) {
      const [a, b] = at(centers[2 * c], centers[2 * c + 1]);
      for (const [line, tint] of [[6, style("--ground")], [2.5, style("--ink")]]) {
        pen.lineWidth = line;
        pen.strokeStyle = tint;
        pen.beginPath();
        pen.moveTo(a - 7, b); pen.lineTo(a + 7, b); pen.moveTo(a, b - 7); pen.lineTo(a, b + 7);
        pen.stroke();
      }
    }
    return span;
  }

  function draw() {
    if (!snapshots.length) return;
    plane(part("points"), x);
    const span = plane(part("codes"), snapshots[seen].u, snapshots[seen].centers);
    part("span").textContent = `${span.toPrecision(3)} wide`;
  }

  for (const name of ["lr", "k", "seed", "network"]) part(name).addEventListener("input", restart);
  part("color").addEventListener("change", (event) => { color = event.target.value; draw(); });
  part("run").addEventListener("click", () => (running ? pause() : run()));
  part("restart").addEventListener("click", restart);
  part("updates").addEventListener("input", (event) => { pause(); see(Number(event.target.value)); });
  new ResizeObserver(draw).observe(part("codes"));
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  dcbookArcs.report = () => ({ ...settings(), running: running !== 0, updates: model.updates, ...snapshots[seen] });
  restart();
})();
