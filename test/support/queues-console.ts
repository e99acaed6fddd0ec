/** `millrace queues …` as the executable runs it, against the HTTP side of a test, with somebody at the terminal or nobody. */

import { runAdminCommand } from '../../src/cli/admin-command.js';
import type { AdminMisuse } from '../../src/cli/admin-request.js';
import { parseCommandLine } from '../../src/cli/command-line.js';
import { settingsSchema } from '../../src/cli/config-schema.js';
import { NoPassword } from '../../src/cli/password-input.js';
import type { QueueRegistry } from '../../src/queues/queue-registry.js';
import { type HttpWorld, TOKEN } from './http-world.js';
import type { ManualClock } from './manual-clock.js';

const settings = settingsSchema.parse({ http: { adminToken: TOKEN }, storage: { durability: 'memory' } });

export interface Attendance {
  /** Of whoever is asked; null if there is nobody. */
  readonly answer: boolean | null;
  /** Called again and again while the command runs. */
  readonly commit: () => void | Promise<void>;
}

export interface QueuesOutcome {
  readonly outcome: boolean | AdminMisuse;
  readonly printed: string;
  readonly asked: readonly string[];
}

/** @param line behind `millrace queues`; words between single quotes are one */
export async function runQueues(
  world: HttpWorld<{ readonly registry: QueueRegistry; readonly clock: ManualClock }>,
  line: string,
  { answer, commit }: Attendance,
): Promise<QueuesOutcome> {
  const words = [...line.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
  const request = parseCommandLine(['queues', ...words, '--url', world.service.url]);
  if (request.kind !== 'run') throw new RangeError(`millrace queues ${line}: ${JSON.stringify(request)}`);
  const asked: string[] = [];
  let printed = '';
  let isEnded = false;
  const running = runAdminCommand({ ...request, command: request.command.name }, settings, {
    print: (text) => {
      printed += text;
    },
    confirm: (question) => {
      asked.push(question);
      return answer === null ? null : Promise.resolve(answer);
    },
    readPassword: async () => new NoPassword('nobody is there'),
    nowMs: () => world.queues.clock.now(),
    sleep: async () => world.queues.clock.advance(100),
  }).finally(() => {
    isEnded = true;
  });
  // Whoever waits for the outcome gets the error.
  running.catch(() => {});
  while (!isEnded) {
    await commit();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { outcome: await running, printed, asked };
}
