/**
 * What runs in the page: draws the charts that stand in it as JSON, with uPlot, which stands in it, too. Colours come from the style sheet,
 * so that they follow light and dark; the page draws itself anew when that or its width changes.
 */
export const PAGE_SCRIPT = `
const charts = JSON.parse(document.getElementById('charts').textContent);
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const font = '12px system-ui, sans-serif';
/** Values this many times apart share an axis only if it is logarithmic. */
const APART = 20;
/** Pixels. */
const WIDEST_BAR = 64;
const LABEL_WIDTH = 44;

const short = (value) => {
  if (value === null || value === undefined) return '';
  const size = Math.abs(value);
  if (size >= 1e6) return +(value / 1e6).toPrecision(3) + ' M';
  if (size >= 1e4) return +(value / 1e3).toPrecision(3) + ' k';
  return String(+value.toPrecision(3));
};

/** Of a point that was chosen: 1,024 and not 1020. */
const exact = (value) => (value % 1000 === 0 ? short(value) : value.toLocaleString('en-US'));

function draw(element, chart) {
  const options = chart.kind === 'bars' ? barOptions(chart) : lineOptions(chart);
  const data = [chart.x, ...chart.series.map(({ values }) => values)];
  element.replaceChildren();
  const plot = new uPlot({ ...options, width: element.clientWidth, height: 280 }, data, element);
  plot.root.querySelector('.u-legend').classList.toggle('bars', chart.kind === 'bars');
}

function axisStyle() {
  const grid = { stroke: style('--grid'), width: 1 };
  return { stroke: style('--text'), grid, ticks: grid, font };
}

const colour = (number) => style('--series-' + (number % 8));
const known = (chart) => chart.series.flatMap(({ values }) => values.filter((value) => value !== null));

/** From zero, with their values above them: a bar that is a hundredth of its neighbour is hardly there. */
function barOptions(chart) {
  const axis = axisStyle();
  const highest = Math.max(...known(chart));
  const series = chart.series.map(({ label }, number) => ({
    label,
    stroke: colour(number),
    fill: colour(number),
    width: 0,
    points: { show: false },
    paths: barPath(number, chart.series.length),
  }));
  return {
    title: chart.title,
    legend: { show: true },
    cursor: { show: false },
    scales: { x: { time: false, range: [-0.5, chart.x.length - 0.5] }, y: { range: [0, highest * 1.12 || 1] } },
    axes: [
      { ...axis, size: 32, grid: { show: false }, ticks: { show: false }, splits: () => chart.x, values: () => chart.labels },
      { ...axis, size: 62, values: (_, splits) => splits.map(short) },
    ],
    series: [{}, ...series],
    hooks: { draw: [(plot) => writeValues(plot, chart.series.length)] },
  };
}

/** Logarithmic where values are far apart. */
function lineOptions(chart) {
  const axis = axisStyle();
  const values = known(chart);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const isLogarithmic = lowest > 0 && highest / lowest >= APART;
  const series = chart.series.map(({ label }, number) => ({
    label,
    stroke: colour(number),
    width: 2,
    spanGaps: true,
    points: { show: true, size: 6, fill: colour(number) },
    value: (_, value) => short(value),
  }));
  return {
    title: chart.title + (isLogarithmic ? ', logarithmic' : ''),
    legend: { show: true, live: true },
    cursor: { drag: { x: false, y: false } },
    scales: {
      x: { time: false, distr: 3, range: [chart.x[0] / 1.25, chart.x.at(-1) * 1.25] },
      y: isLogarithmic ? { distr: 3 } : { range: [0, highest * 1.08 || 1] },
    },
    axes: [
      { ...axis, label: chart.axis, labelSize: 22, labelFont: font, splits: () => chart.x, filter: (_, splits) => splits, values: spaced },
      {
        ...axis,
        size: 62,
        grid: { ...axis.grid, filter: (_, splits) => splits.map((value) => (isLogarithmic && !isRound(value) ? null : value)) },
        ticks: { show: false },
        values: (_, splits) => splits.map((value) => (isLogarithmic && !isRound(value) ? '' : short(value))),
      },
    ],
    series: [{ label: chart.axis, value: (_, value) => (value === null ? '' : 'at ' + exact(value)) }, ...series],
  };
}

const isRound = (value) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;

/** Labels that would cover the one before them are left out. */
function spaced(plot, splits) {
  let last = -Infinity;
  return splits.map((value) => {
    const at = plot.valToPos(value, 'x');
    if (at - last < LABEL_WIDTH) return '';
    last = at;
    return exact(value);
  });
}

/** Where the bar of a series stands in the group at index, in pixels of the canvas. */
function barAt(plot, number, count, index) {
  const group = plot.valToPos(1, 'x', true) - plot.valToPos(0, 'x', true);
  const slot = Math.min(group * 0.8 / count, WIDEST_BAR * devicePixelRatio);
  const left = plot.valToPos(plot.data[0][index], 'x', true) + (number - count / 2) * slot;
  return { left: left + slot * 0.05, width: slot * 0.9 };
}

/** Bars of one series stand beside those of the others, and do not cover them. */
function barPath(number, count) {
  return (plot, at, from, to) => {
    const fill = new Path2D();
    const bottom = plot.valToPos(0, 'y', true);
    for (let index = from; index <= to; index++) {
      const value = plot.data[at][index];
      if (value === null || value === undefined) continue;
      const { left, width } = barAt(plot, number, count, index);
      const top = plot.valToPos(value, 'y', true);
      fill.rect(left, top, width, bottom - top);
    }
    return { fill, stroke: null };
  };
}

/** All of them, or none where bars are narrow: the table has them. */
function writeValues(plot, count) {
  const { ctx } = plot;
  ctx.save();
  ctx.fillStyle = style('--text');
  ctx.font = 11 * devicePixelRatio + 'px system-ui, sans-serif';
  ctx.textAlign = 'center';
  ctx.textBaseline = 'alphabetic';
  const labels = [];
  for (let number = 0; number < count; number++) {
    if (!plot.series[number + 1].show) continue;
    for (const [index, value] of plot.data[number + 1].entries()) {
      if (value === null || value === undefined) continue;
      const { left, width } = barAt(plot, number, count, index);
      const above = plot.valToPos(value, 'y', true) - 4 * devicePixelRatio;
      labels.push({ text: short(value), at: left + width / 2, above, width });
    }
  }
  if (labels.every(({ text, width }) => ctx.measureText(text).width * 0.8 <= width)) {
    for (const { text, at, above } of labels) ctx.fillText(text, at, above);
  }
  ctx.restore();
}

function drawAll() {
  for (const [number, chart] of charts.entries()) draw(document.getElementById('chart-' + number), chart);
}

let pending;
addEventListener('resize', () => {
  clearTimeout(pending);
  pending = setTimeout(drawAll, 150);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
drawAll();
`;
