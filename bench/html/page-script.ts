/**
 * What runs in the page: draws the charts that stand in it as JSON, with uPlot, which stands in it, too. Colours come from the style sheet,
 * so that they follow light and dark; the page draws itself anew when that or its width changes.
 */
export const PAGE_SCRIPT = `
const charts = JSON.parse(document.getElementById('charts').textContent);
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const short = (value) => {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  if (size >= 1e6) return +(value / 1e6).toPrecision(3) + ' M';
  if (size >= 1e4) return +(value / 1e3).toPrecision(3) + ' k';
  return String(+value.toPrecision(3));
};

function draw(element, chart) {
  const text = style('--text');
  const grid = { stroke: style('--grid'), width: 1 };
  const colour = (number) => style('--series-' + (number % 8));
  const axis = { stroke: text, grid, ticks: grid, font: '12px system-ui' };
  const isBars = chart.kind === 'bars';
  const count = chart.series.length;
  const series = chart.series.map(({ label }, number) => ({
    label,
    stroke: colour(number),
    fill: isBars ? colour(number) : undefined,
    width: isBars ? 0 : 2,
    spanGaps: true,
    points: { show: !isBars, size: 6, fill: colour(number) },
    value: (_, value) => short(value),
    paths: isBars ? barPath(number, count) : undefined,
  }));
  const highest = Math.max(...chart.series.flatMap(({ values }) => values.filter((value) => value !== null)));
  const options = {
    width: element.clientWidth,
    height: 280,
    title: chart.title,
    legend: { show: true, live: true },
    cursor: { points: { show: !isBars }, drag: { x: false, y: false } },
    scales: {
      x: isBars ? { time: false, range: [-0.5, chart.x.length - 0.5] } : { time: false, distr: 3 },
      y: { range: [0, highest * 1.08 || 1] },
    },
    axes: [
      isBars
        ? { ...axis, grid: { show: false }, splits: () => chart.x, values: () => chart.labels }
        : { ...axis, label: chart.axis, labelSize: 22, labelFont: '12px system-ui', values: (_, splits) => splits.map((value) => (Number.isInteger(Math.log10(value)) ? short(value) : '')) },
      { ...axis, size: 62, values: (_, splits) => splits.map(short) },
    ],
    series: [{ label: isBars ? 'group' : chart.axis, value: (_, value) => (isBars ? chart.labels[value] ?? '–' : short(value)) }, ...series],
  };
  element.replaceChildren();
  new uPlot(options, [chart.x, ...chart.series.map(({ values }) => values)], element);
}

/** Bars of one series stand beside those of the others, and do not cover them. */
function barPath(number, count) {
  return (plot, at, from, to) => {
    const fill = new Path2D();
    const slot = (plot.valToPos(1, 'x', true) - plot.valToPos(0, 'x', true)) * 0.8 / count;
    const bottom = plot.valToPos(0, 'y', true);
    for (let index = from; index <= to; index++) {
      const value = plot.data[at][index];
      if (value === null || value === undefined) continue;
      const left = plot.valToPos(plot.data[0][index], 'x', true) + (number - count / 2) * slot;
      const top = plot.valToPos(value, 'y', true);
      fill.rect(left + slot * 0.05, top, slot * 0.9, bottom - top);
    }
    return { fill, stroke: null };
  };
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
