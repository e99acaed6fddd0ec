/** kill -9 at random moments under load: nothing acknowledged is lost, nothing at QoS 2 comes twice. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { runCrashes } from './support/crash-run.js';
import { figure, roundsOf, SEED } from './support/settings.js';
import { TemporaryDirectory } from './support/temporary-directory.js';

const ROUNDS = roundsOf(3, 25);

it(`keeps its word over ${ROUNDS} kills`, { timeout: 60_000 + ROUNDS * 30_000 }, async () => {
  using directory = new TemporaryDirectory('kill');
  const result = await runCrashes({
    rounds: ROUNDS,
    seed: SEED,
    start: () => BrokerProcess.start({ dataDirectory: join(directory.path, 'data'), cwd: directory.path }),
    cut: (broker) => broker.kill(),
    onRound: (round, totals) => figure('round', round, JSON.stringify(totals)),
  });
  figure('kill', JSON.stringify(result.totals), 'acceptances', result.acceptances);
  const report = result.violations.slice(0, 30).join('\n');
  expect(report, `MILLRACE_SEED=${SEED}; ${result.violations.length} violations; log:\n${result.log.join('\n')}`).toBe(
    '',
  );
  expect(result.totals.missing).toBe(0);
  expect(result.totals.refused).toBe(0);
});
