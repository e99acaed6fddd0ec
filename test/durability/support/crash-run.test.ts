/** The fleet and its books against a broker that never dies: connections break, and nothing may be found wrong. */
import { expect, it } from 'vitest';
import { BrokerProcess } from './broker-process.js';
import { runCrashes } from './crash-run.js';
import { figure, roundsOf, SEED } from './settings.js';
import { TemporaryDirectory } from './temporary-directory.js';

it('finds nothing wrong with a broker that only loses its connections', { timeout: 120_000 }, async () => {
  using directory = new TemporaryDirectory('fleet');
  const broker = await BrokerProcess.start({ cwd: directory.path });
  try {
    const result = await runCrashes({
      rounds: roundsOf(3, 10),
      seed: SEED,
      start: async () => broker,
      cut: async (_, sever) => sever(),
      onRound: (round, totals) => figure('round', round, JSON.stringify(totals)),
    });
    figure('fleet', JSON.stringify(result.totals), 'acceptances', result.acceptances);
    expect(result.violations.slice(0, 30).join('\n'), `MILLRACE_SEED=${SEED}`).toBe('');
    expect(result.totals).toMatchObject({ missing: 0, refused: 0 });
    expect(result.totals.acknowledged).toBeGreaterThan(300);
  } finally {
    await broker.kill();
  }
});
