/**
 * Clients of the older Query protocol: boto3 and the command line as Debian has them, and the last AWS SDK for JavaScript that speaks it. That one
 * is installed where the test runs: beside the current one it would make the tree of every developer a third larger.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BrokerProgram, buildPrograms, startBroker } from './broker-program.js';
import { endPrograms, runProgram, startProgram } from './run-program.js';

const KEY = 'ROOT';
const SECRET = 'a-secret/of+the-test';
const CONFIGURATION = `
sqs:
  accessKeys:
    - { id: ${KEY}, secretEnvironment: SQS_SECRET, permissions: [{ queues: '*', allow: [receive, send, manage] }] }
    - { id: READER, secretEnvironment: SQS_SECRET, permissions: [{ queues: '*', allow: [receive] }] }
`;

const file = join(tmpdir(), `millrace-sqs-${process.pid}.yaml`);
let broker: BrokerProgram;

beforeAll(async () => {
  buildPrograms();
  writeFileSync(file, CONFIGURATION);
  process.env['SQS_SECRET'] = SECRET;
  broker = await startBroker('--config', file);
});

afterAll(async () => {
  endPrograms();
  await broker.stop();
  rmSync(file);
});

// The lines are counted: a script that ends early has not shown what it is for.
function expectChecks(output: string, count: number): void {
  expect(output).not.toContain('FAILED');
  expect(output.match(/^ok /gm)).toHaveLength(count);
}

it('boto3 is served', async () => {
  const script = fileURLToPath(new URL('sqs_boto3.py', import.meta.url));
  const args = ['-B', script, broker.sqsUrl, KEY, SECRET];
  const { output, errors, exitCode } = await runProgram('/usr/bin/python3', args, 55_000);
  expect(errors).toBe('');
  expectChecks(output, 40);
  expect(exitCode).toBe(0);
});

it('the AWS SDK for JavaScript of the Query protocol is served', async () => {
  writeFileSync(join(broker.folder, 'package.json'), '{ "private": true }');
  const old = 'aws-sdk-sqs-query@npm:@aws-sdk/client-sqs@3.398.0';
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', old], { cwd: broker.folder });
  const script = fileURLToPath(new URL('sqs_query_sdk.mjs', import.meta.url));
  const { output, exitCode, errors } = await runProgram(process.execPath, [
    script,
    broker.sqsUrl,
    KEY,
    SECRET,
    broker.folder,
  ]);
  expect([exitCode, errors]).toEqual([0, expect.not.stringContaining('Error')]);
  expectChecks(output, 9);
}, 120_000);

it('the command line is served', async () => {
  const aws = async (...args: string[]) => {
    const environment = {
      AWS_ACCESS_KEY_ID: KEY,
      AWS_SECRET_ACCESS_KEY: SECRET,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_PAGER: '',
      AWS_CONFIG_FILE: join(broker.folder, 'aws-config'),
      AWS_SHARED_CREDENTIALS_FILE: join(broker.folder, 'aws-credentials'),
    };
    const whole = ['--endpoint-url', broker.sqsUrl, '--output', 'json', ...args];
    const { exitCode, output, errors } = await startProgram('/usr/bin/aws', whole, 30_000, environment).finished;
    return { exitCode, errors, answer: output === '' ? {} : (JSON.parse(output) as Record<string, unknown>) };
  };
  const queueUrl = `${broker.sqsUrl}/000000000000/cli`;
  const made = await aws('sqs', 'create-queue', '--queue-name', 'cli');
  expect(made).toEqual({ exitCode: 0, errors: '', answer: { QueueUrl: queueUrl } });
  const queue = ['--queue-url', queueUrl];
  const attributes = '{"a":{"DataType":"String","StringValue":"b"}}';
  const body = ['--message-body', 'hello', '--message-attributes', attributes];
  expect((await aws('sqs', 'send-message', ...queue, ...body)).errors).toBe('');
  const received = await aws('sqs', 'receive-message', ...queue, '--message-attribute-names', 'All');
  const [message] = received.answer['Messages'] as { Body: string; ReceiptHandle: string }[];
  expect(message).toMatchObject({ Body: 'hello', MessageAttributes: { a: { StringValue: 'b' } } });
  const handle = ['--receipt-handle', message?.ReceiptHandle ?? ''];
  expect((await aws('sqs', 'delete-message', ...queue, ...handle)).exitCode).toBe(0);
  expect((await aws('sqs', 'delete-queue', ...queue)).exitCode).toBe(0);
  const refused = await aws('sqs', 'get-queue-url', '--queue-name', 'cli');
  expect([refused.exitCode, refused.errors]).toEqual([
    254,
    expect.stringContaining('(AWS.SimpleQueueService.NonExistentQueue)'),
  ]);
  expect((await aws('sts', 'get-caller-identity')).answer).toMatchObject({ UserId: KEY });
});
