/** What became of messages, and what became of damage, as somebody finds out on the command line of a broker that runs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { describe, expect, test, vi } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { queues, type Started, startIn, stop } from '../support/executable-broker.js';
import { createTemporaryDirectory } from '../support/temporary-directory.js';

// Each command is a process of its own, and the machine may have others to run.
vi.setConfig({ testTimeout: 60_000 });

const CONFIGURATION = ['--config', 'millrace.yaml'];

async function startWithHistory(directory: string): Promise<Started> {
  writeFileSync(join(directory, 'millrace.yaml'), 'queues: { telemetry: { history: 1h } }\n');
  return await startIn(directory, {}, CONFIGURATION);
}

/** A device publishes a reading, and a worker is done with it. */
async function workOn({ mqtt }: Started, payload: string): Promise<void> {
  const worker = await connectAsync(mqtt, { clientId: 'worker-1', protocolVersion: 5 });
  const received = new Promise((resolve) => worker.once('message', resolve));
  await worker.subscribeAsync('$queue/telemetry', { qos: 1 });
  const device = await connectAsync(mqtt, { clientId: 'station-7', protocolVersion: 5 });
  await device.publishAsync('devices/7/telemetry', payload, { qos: 1 });
  await received;
  await device.endAsync();
  await worker.endAsync();
}

describe('millrace queues search', () => {
  test('tells what happened to a message, also after the broker was killed', async () => {
    const directory = await createTemporaryDirectory();
    let started = await startWithHistory(directory);
    await workOn(started, '{"celsius": 21.5}');
    const topic = 'search telemetry --topic devices/7/telemetry --from 1h';
    let found = await queues(directory, topic);
    // The PUBACK of the worker is on its way.
    while (!found.stdout.includes('acknowledged')) found = await queues(directory, topic);
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z';
    const lines = [
      '^(\\S{24}) in telemetry: done',
      `  ${time}  published to devices/7/telemetry by station-7: {"celsius": 21.5}`,
      `  ${time}  enqueued`,
      `  ${time}  delivered to worker-1, attempt 1`,
      `  ${time}  acknowledged by worker-1`,
      '\nnot searched, since they keep no history \\(queues.NAME.history\\): telemetry-dlq\n$',
    ];
    expect(found).toMatchObject({ code: 0, stderr: '' });
    expect(found.stdout).toMatch(new RegExp(lines.slice(0, -1).join('\n')));

    await stop(started, 'SIGKILL');
    started = await startWithHistory(directory);
    const id = found.stdout.slice(0, 24);
    const all = await queues(directory, `search --id ${id}`);
    expect(all.stdout).toMatch(new RegExp(lines.join('\n')));
    const answer = JSON.parse((await queues(directory, `search --json --id ${id}`)).stdout);
    expect(answer).toMatchObject({ messages: [{ id, state: 'done', publisher: 'station-7' }], cursor: null });
    expect((await queues(directory, 'show telemetry')).stdout).toMatch(
      /\n {2}history of messages that have left\n {5}messages +1\n/,
    );
  });

  test('says what is wrong, and what to do', async () => {
    const directory = await createTemporaryDirectory();
    await startWithHistory(directory);
    expect(await queues(directory, 'search telemetry-dlq')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'millrace: The queue telemetry-dlq keeps no history: set queues.telemetry-dlq.history, such as 3d\n',
    });
    expect(await queues(directory, 'search telemtry')).toMatchObject({
      code: 1,
      stderr: 'millrace: There is no queue telemtry - did you mean "telemetry"?\n',
    });
    expect(await queues(directory, 'search --from yesterday')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^millrace: flag --from: expected a time such as .*, found "yesterday"\n$/),
    });
    expect(await queues(directory, 'search --topic a/#/b')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^millrace: topic: /),
    });
    expect(await queues(directory, 'search --topik a')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown flag --topik - did you mean "--topic"?'),
    });
    expect(await queues(directory, 'search telemetry --id nothing')).toMatchObject({
      code: 0,
      stdout: 'no messages found\n',
    });
  });
});

describe('a queue whose definition is damaged', () => {
  /** As if the disk had lost the end of it. @returns its number */
  async function damageOneQueue(directory: string): Promise<number> {
    const store = await openStore({ directory: join(directory, 'data') });
    let number = 0;
    await store.load({
      onSession() {},
      onState() {},
      onSubscription() {},
      onWill() {},
      onRetained() {},
      onQueue(found, bytes) {
        if (bytes.includes('"name":"telemetry"')) number = found;
      },
    });
    store.journal.queueSaved(number, Buffer.from('{"version":1,"name":"tele'));
    await store.close();
    return number;
  }

  test('is told of at the start, listed, and given up when somebody says so', async () => {
    const directory = await createTemporaryDirectory();
    const first = await startIn(directory);
    const device = await connectAsync(first.mqtt);
    for (const payload of ['1', '2']) await device.publishAsync('devices/7/telemetry', payload, { qos: 1 });
    await device.endAsync();
    expect(await stop(first)).toBe(0);
    const number = await damageOneQueue(directory);

    const second = await startIn(directory);
    const sentence = `the definition of queue number ${number} is damaged: nobody can use it, and its 2 messages are kept. Start with a copy of the data directory in which it is whole, or give it up: millrace queues give-up ${number}`;
    expect(second.broker.records()).toContainEqual(expect.objectContaining({ level: 40, msg: sentence }));
    // There is a new one of the name, since the configuration wants it.
    const list = await queues(directory, 'ls');
    expect(list.stdout).toMatch(/\ntelemetry +0 /);
    expect(list.stdout.endsWith(`\n${sentence}\n`)).toBe(true);
    expect(await queues(directory, `give-up ${number}`)).toMatchObject({
      code: 2,
      stderr: 'millrace: queues give-up asks on a terminal only: say --yes\n',
    });
    expect(await queues(directory, 'give-up telemetry --yes')).toMatchObject({
      code: 1,
      stderr: 'millrace: There is no damaged queue with the number telemetry\n',
    });
    expect(await queues(directory, `give-up ${number} --yes`)).toMatchObject({
      code: 0,
      stdout: `the damaged queue ${number} is gone, with 2 messages\n`,
    });

    // What was answered is on the disk.
    await stop(second, 'SIGKILL');
    const third = await startIn(directory);
    expect(third.broker.stdout).not.toContain('is damaged');
    expect(JSON.parse((await queues(directory, 'ls --json')).stdout)).toMatchObject({ damaged: [] });
  });
});
