/** A page about a run of the benchmark that stands for itself: what it needs is in it, and it asks for nothing over the network. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { tableOf } from '../bed/bed-table.js';
import { BenchFailure } from '../bench-failure.js';
import type { Machine } from '../machine.js';
import type { ScenarioReport } from '../run-bench.js';
import { type Chart, chartsOf } from './chart-data.js';
import { PAGE_SCRIPT } from './page-script.js';
import { PAGE_STYLE } from './page-style.js';

export interface HtmlReport {
  readonly machine: Machine;
  /** Names and values of what the run was told. */
  readonly method: readonly (readonly [string, string])[];
  readonly reports: readonly ScenarioReport[];
}

/** What draws the charts, as text. */
export interface ChartLibrary {
  readonly script: string;
  readonly style: string;
}

/** @throws BenchFailure when uPlot is not installed */
export function readChartLibrary(): ChartLibrary {
  const directory = findLibraryDirectory();
  const read = (file: string): string => readFileSync(join(directory, file), 'utf8');
  return { script: read('uPlot.iife.min.js'), style: read('uPlot.min.css') };
}

function findLibraryDirectory(): string {
  try {
    const directory = dirname(createRequire(import.meta.url).resolve('uplot'));
    if (existsSync(directory)) return directory;
  } catch {
    // Said below.
  }
  throw new BenchFailure('--html needs uPlot: npm install');
}

export function htmlReport({ machine, method, reports }: HtmlReport, library: ChartLibrary): string {
  const charts: Chart[] = [];
  const sections = reports.map((report) => section(report, charts));
  const links = reports.map(({ scenario }) => `<a href="#${escaped(scenario.name)}">${escaped(scenario.name)}</a>`);
  const about: (readonly [string, string])[] = [
    ['processor', `${machine.cpuModel}, ${machine.cores} cores`],
    ['memory', `${Math.round(machine.memoryBytes / 2 ** 30)} GiB`],
    ['system', `${machine.system}, Node ${machine.node}`],
    ...method,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Millrace benchmark, ${escaped(machine.date.slice(0, 10))}</title>
<style>${library.style}${PAGE_STYLE}</style>
</head>
<body>
<h1>Millrace benchmark</h1>
<p class="quiet">${escaped(machine.date)}. Figures are medians over the rounds, counts of errors are sums. Lower is better where the unit is µs, ms or
bytes. What the columns mean, and what the figures do not say: docs/benchmarks.md.</p>
<nav>${links.join('\n')}</nav>
<section><h2>Machine and method</h2><dl>
${about.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('\n')}
</dl></section>
${sections.join('\n')}
<script type="application/json" id="charts">${JSON.stringify(charts).replaceAll('<', '\\u003c')}</script>
<script>${library.script}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

/** @param charts of the whole page; those of the section are added */
function section({ scenario, rows }: ScenarioReport, charts: Chart[]): string {
  const places = chartsOf(scenario, rows).map((chart) => `<div id="chart-${charts.push(chart) - 1}"></div>`);
  const table = tableOf(scenario, rows);
  // Its first column is the name of the scenario, which is the heading here.
  const columns = table.columns.slice(1);
  const cells = table.cells.map((row) => row.slice(1));
  const cell = (tag: 'th' | 'td') => (text: string, at: number) =>
    `<${tag}${columns[at]?.alignment === 'left' ? ' class="left"' : ''}>${escaped(text)}</${tag}>`;
  const head = columns.map(({ heading }, at) => cell('th')(heading, at)).join('');
  const body = cells.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`).join('\n');
  return `<section id="${escaped(scenario.name)}"><h2>${escaped(scenario.name)}</h2>
${scenario.method === undefined ? '' : `<p class="quiet">${escaped(scenario.method)}</p>`}
<div class="charts">${places.join('')}</div>
<div class="table"><table><thead><tr>${head}</tr></thead><tbody>
${body}
</tbody></table></div>
${table.warnings.map((warning) => `<p class="warning">${escaped(warning)}</p>`).join('\n')}
</section>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
