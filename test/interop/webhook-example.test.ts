/** The webhook of `examples`, as its readers run it, and the code by which docs/webhooks.md checks signatures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebhookSigner } from '../../src/bridge/push/webhook-signature.js';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { type BrokerProgram, buildPrograms, ROOT, startBroker } from './broker-program.js';
import { until } from './interop-broker.js';
import { endPrograms, type Program, runProgram, startProgram } from './run-program.js';

const RECEIVER = join(ROOT, 'build', 'examples', 'webhook-receiver.js');
const URL_VARIABLE = 'MILLRACE__QUEUES__TELEMETRY__PUSH__URL';

async function seen(program: Program, text: string): Promise<void> {
  const isSeen = until(`"${text}"`, () => `${program.output}${program.errors}`.includes(text), 10_000);
  await Promise.race([isSeen, program.endsTooEarly]);
}

describe('webhook-receiver.ts', () => {
  let broker: BrokerProgram | undefined;
  let file: string;

  beforeAll(() => buildPrograms());

  beforeEach(() => {
    broker = undefined;
  });

  afterEach(async () => {
    delete process.env[URL_VARIABLE];
    endPrograms();
    await broker?.stop();
  });

  async function startBoth(environment: Record<string, string> = {}): Promise<Program> {
    file = join(await createTemporaryDirectory(), 'readings.ndjson');
    const receiver = startProgram(process.execPath, [RECEIVER, file], 60_000, { PORT: '0', ...environment });
    await seen(receiver, 'listening on ');
    process.env[URL_VARIABLE] = /http:\S+/.exec(receiver.output)?.[0] ?? '';
    broker = await startBroker('--config', join(ROOT, 'examples', 'webhook.yaml'));
    return receiver;
  }

  async function publish(payload: string): Promise<void> {
    const { port = '' } = broker ?? {};
    const { exitCode } = await runProgram('mosquitto_pub', [
      '-p',
      port,
      '-t',
      'devices/7/telemetry',
      '-q',
      '1',
      '-m',
      payload,
    ]);
    expect(exitCode).toBe(0);
  }

  it('takes what devices publish, and lets the broker send again what is no reading', async () => {
    const receiver = await startBoth();
    await publish('{"celsius": 21.5}');
    await seen(receiver, 'done: devices/7/telemetry, attempt 1');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ topic: 'devices/7/telemetry', celsius: 21.5 });
    await publish('rubbish');
    await seen(receiver, 'refused: devices/7/telemetry, attempt 2: no reading');
    receiver.end('SIGTERM');
    expect((await receiver.finished).exitCode).toBe(0);
  });

  it('refuses what is signed with another secret', async () => {
    const receiver = await startBoth({ WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}` });
    await publish('{"celsius": 21.5}');
    await seen(receiver, 'refused: no signature of ours');
  });
});

describe('docs/webhooks.md', () => {
  const document = readFileSync(join(ROOT, 'docs', 'webhooks.md'), 'utf8');
  const key = Buffer.alloc(24, 3);
  const secret = `whsec_${key.toString('base64')}`;
  const now = Math.floor(Date.now() / 1000);
  const body = 'a "body" ü';

  const cases = [
    ['is genuine', now, body, true],
    ['is another body', now, `${body} `, false],
    ['is old', now - 400, body, false],
    ['is from the future', now + 400, body, false],
  ] as const;

  function headersFor(time: number): Record<string, string> {
    const other = new WebhookSigner([Buffer.alloc(32, 9), key]).sign('id-1', time, Buffer.from(body));
    return { 'webhook-id': 'id-1', 'webhook-timestamp': String(time), 'webhook-signature': other };
  }

  it.each(cases)('knows in JavaScript what %s', async (_what, time, received, expected) => {
    const code = /```js\n(.*?)```/s.exec(document)?.[1] ?? '';
    const module = await import(`data:text/javascript,${encodeURIComponent(`${code}\nexport { isGenuine };`)}`);
    expect(module.isGenuine(secret, headersFor(time), Buffer.from(received))).toBe(expected);
    expect(module.isGenuine(secret, { ...headersFor(time), 'webhook-signature': 'v1,' }, Buffer.from(received))).toBe(
      false,
    );
  });

  it.each(cases)('knows in Python what %s', async (_what, time, received, expected) => {
    const code = /```python\n(.*?)```/s.exec(document)?.[1] ?? '';
    const call = `import json, sys\nprint(is_genuine(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3].encode()))`;
    const args = ['-c', `${code}\n${call}`, secret, JSON.stringify(headersFor(time)), received];
    const { output, errors } = await runProgram('/usr/bin/python3', args);
    expect([output.trim(), errors]).toEqual([expected ? 'True' : 'False', '']);
  });
});
