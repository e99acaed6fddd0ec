import { describe, expect, it } from 'vitest';
import type { BedRun } from '../../../bench/bed/bed-benchmark.js';
import { bedRows } from '../../../bench/bed/bed-rows.js';
import { type BedScenario, decimals, errors, type Figures, kilobytes, share } from '../../../bench/bed/bed-scenario.js';
import { printed, tableOf } from '../../../bench/bed/bed-table.js';
import { chartsOf } from '../../../bench/html/chart-data.js';
import { htmlReport } from '../../../bench/html/html-report.js';
import type { Variant } from '../../../bench/variant.js';

const tcp: Variant = { protocol: 4, transport: 'tcp', userProperties: 0, payloadBytes: 100 };
const tls: Variant = { ...tcp, transport: 'tls' };

const scenario: BedScenario = {
  name: 'trial',
  peers: 'volatile',
  qos: [0, 1],
  saturates: true,
  method: 'a <method> & more',
  cost: 'cpuMicroseconds',
  columns: [decimals('CPU µs/msg', 'cpuMicroseconds'), errors('lost', 'lost'), share('broker busy', 'brokerBusy')],
  connections: () => 1,
  run: async () => ({}),
};

const growth: BedScenario = { ...scenario, name: 'grows', axis: { heading: 'clients', points: () => [1, 10] } };

function run(peer: string, figures: Figures | undefined, changes: Partial<BedRun> = {}): BedRun {
  const failure = figures === undefined ? 'it broke' : undefined;
  const trial = { scenario: 'trial', qos: 0, at: undefined, variant: tcp, round: 1 } as const;
  return { ...trial, peer, figures, failure, ...changes };
}

describe('rows', () => {
  it('are medians over the rounds, and sums of what went wrong', () => {
    const figures = [3, 1, 2].map((cpuMicroseconds) => ({ cpuMicroseconds, lost: 1, brokerBusy: 1 }));
    const rows = bedRows(scenario, [...figures.map((each) => run('millrace', each)), run('millrace', undefined)]);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.figures).toEqual({ cpuMicroseconds: 2, lost: 3, brokerBusy: 1 });
    expect(rows[0]?.failures).toEqual(['round 1: it broke']);
  });
});

describe('a table', () => {
  const rows = bedRows(scenario, [
    run('millrace', { cpuMicroseconds: 2, lost: 0, brokerBusy: 1 }),
    run('millrace', { cpuMicroseconds: 3, lost: 0, brokerBusy: 1 }, { variant: tls }),
    run('peer', { cpuMicroseconds: 20, lost: 4, brokerBusy: 0.5 }),
    run('peer', undefined, { variant: tls }),
  ]);
  const { columns, cells, warnings } = tableOf(scenario, rows);
  const column = (heading: string): (string | undefined)[] =>
    cells.map((row) => row[columns.findIndex((each) => each.heading === heading)]);

  it('compares peers in the same variant, and variants of the same peer', () => {
    expect(column('× millrace')).toEqual(['1.00 ×', '1.00 ×', '10.00 ×', '–']);
    expect(column('× first variant')).toEqual(['1.00 ×', '1.50 ×', '1.00 ×', '–']);
    expect(column('lost')).toEqual(['0', '0', '4', '0']);
  });

  it('warns of failures, and of a broker that was not at its limit', () => {
    expect(warnings).toEqual([
      'peer, QoS 0: round 1: it broke',
      'peer, QoS 0: the broker was only 50 % busy: a busy machine, a disk, or a small window?',
    ]);
  });

  it('warns once of what many rows have in common', () => {
    const many = [0.4, 0.6, 0.5, 0.89, 1].map((brokerBusy, at) => run('millrace', { brokerBusy }, { at }));
    expect(tableOf(growth, bedRows(growth, many)).warnings).toEqual([
      'in 4 of 5 rows the broker was only 40 to 89 % busy: a busy machine, a disk, or a small window?',
    ]);
  });

  it('is printed with all columns below each other', () => {
    const lines = printed({ columns, cells, warnings: [] }).split('\n');
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });
});

describe('charts', () => {
  it('are bars for each QoS, beside each other for each peer', () => {
    const rows = bedRows(scenario, [
      run('millrace', { cpuMicroseconds: 2 }),
      run('peer', { cpuMicroseconds: 20 }),
      run('millrace', { cpuMicroseconds: 4 }, { qos: 1 }),
    ]);
    expect(chartsOf(scenario, rows)).toEqual([
      {
        kind: 'bars',
        title: 'CPU µs/msg',
        axis: '',
        x: [0, 1],
        labels: ['QoS 0', 'QoS 1'],
        series: [
          { label: 'millrace', values: [2, 4] },
          { label: 'peer', values: [20, null] },
        ],
      },
    ]);
  });

  it('are lines along the axis, for each peer and QoS', () => {
    const rows = bedRows(growth, [
      run('millrace', { cpuMicroseconds: 5 }, { at: 10 }),
      run('millrace', { cpuMicroseconds: 2 }, { at: 1 }),
      run('millrace', { cpuMicroseconds: 9 }, { at: 1, qos: 1 }),
    ]);
    const [chart] = chartsOf(growth, rows);
    expect(chart).toMatchObject({ kind: 'lines', axis: 'clients', x: [1, 10] });
    expect(chart?.series).toEqual([
      { label: 'millrace, QoS 0', values: [2, 5] },
      { label: 'millrace, QoS 1', values: [9, null] },
    ]);
  });

  it('are drawn in the unit that their title names', () => {
    const sized = { ...scenario, cost: 'bytesEach', columns: [kilobytes('KB each', 'bytesEach')] };
    const [chart] = chartsOf(sized, bedRows(sized, [run('millrace', { bytesEach: 4096 })]));
    expect(chart).toMatchObject({ title: 'KB each', series: [{ label: 'millrace', values: [4] }] });
  });

  it('are none when nothing is known', () => {
    expect(chartsOf(scenario, bedRows(scenario, [run('external', { lost: 0 })]))).toEqual([]);
  });
});

describe('the page', () => {
  const machine = {
    cpuModel: 'A <CPU>',
    cores: 2,
    memoryBytes: 2 ** 30,
    system: 'Linux',
    node: 'v20',
    date: '2026-01-01',
  };
  const rows = bedRows(scenario, [run('millrace', { cpuMicroseconds: 2 }, { failure: '</script><b>' })]);
  const library = { script: '/* the library */', style: '/* its style */' };
  const page = htmlReport({ machine, method: [['rounds', '3']], reports: [{ scenario, rows }] }, library);

  it('asks for nothing over the network', () => {
    expect(page).not.toMatch(/\b(?:src|href)="(?!#)/);
    expect(page).not.toMatch(/https?:|@import|url\(/);
    expect(page).toContain('/* the library */');
  });

  it('holds the figures, and what went wrong, as text', () => {
    expect(page).toContain('<td>2.00</td>');
    expect(page).toContain('A &lt;CPU&gt;');
    expect(page).toContain('a &lt;method&gt; &amp; more');
    expect(page).toContain('&lt;/script&gt;&lt;b&gt;');
    expect(page.match(/<\/script>/g)).toHaveLength(3);
  });

  it('has the charts in it', () => {
    const json = /<script type="application\/json" id="charts">(.*?)<\/script>/s.exec(page)?.[1] ?? '';
    expect(JSON.parse(json)).toEqual(chartsOf(scenario, rows));
    expect(page).toContain('<div id="chart-0"></div>');
  });
});
