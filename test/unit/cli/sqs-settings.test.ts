/** Who is served by the SQS endpoint, as the configuration says it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Configuration, loadConfiguration } from '../../../src/cli/config-loader.js';
import { printConfiguration } from '../../../src/cli/config-printer.js';
import { isSigned } from '../../../src/cli/sqs-settings.js';

const directory = mkdtempSync(join(tmpdir(), 'millrace-sqs-settings-'));
afterAll(() => rmSync(directory, { recursive: true }));

const FILE = join(directory, 'config.yaml');
const SECRET = 'a-secret-that-nobody-may-see';

function load(yaml: string, environment: Record<string, string> = {}): Configuration {
  writeFileSync(FILE, yaml);
  return loadConfiguration({ file: FILE, environment, flags: new Map() });
}

function problemOf(yaml: string, environment: Record<string, string> = {}): string {
  try {
    load(yaml, environment);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

const keyIn = (source: string): string =>
  `{ accessKeys: [{ id: KEY, ${source}, permissions: [{ queues: 'a-*', allow: [send] }] }] }`;

describe('requests', () => {
  test.each([
    ['{}', false],
    ['{ host: localhost }', false],
    ['{ host: 0.0.0.0 }', true],
    ['{ auth: signed }', true],
    [keyIn('secretEnvironment: S'), true],
    ['{ auth: none, accessKeys: [{ id: KEY, secretEnvironment: S }] }', false],
  ])('with sqs: %s must be signed: %s', (sqs, mustBeSigned) => {
    expect(isSigned(load(`sqs: ${sqs}`, { S: SECRET }).settings.sqs)).toBe(mustBeSigned);
  });

  test('cannot be unsigned where others can reach the endpoint', () => {
    expect(problemOf('sqs: { auth: none, host: 0.0.0.0 }')).toContain('sqs.auth cannot be none on 0.0.0.0');
  });
});

describe('a secret', () => {
  test('is the first line of a file, or stands in the environment', () => {
    const file = join(directory, 'secret');
    writeFileSync(file, `${SECRET}\nsomething else\n`);
    const grants = [{ queues: ['a-*'], allow: ['send'] }];
    const key = { id: 'KEY', secret: SECRET, grants };
    expect(load(`sqs: ${keyIn(`secretFile: ${file}`)}`).accessKeys).toEqual([key]);
    expect(load(`sqs: ${keyIn('secretEnvironment: S')}`, { S: SECRET }).accessKeys).toEqual([key]);
  });

  test('is never printed', () => {
    const configuration = load(`sqs: ${keyIn('secretEnvironment: S')}`, { S: SECRET });
    expect(printConfiguration(configuration)).toContain('KEY');
    expect(printConfiguration(configuration)).not.toContain(SECRET);
  });

  test.each([
    ['secretFile: /nowhere/secret', {}, 'the secret of KEY: /nowhere/secret'],
    ['secretEnvironment: S', {}, 'the secret of KEY: the environment variable S is not set'],
    ['secretEnvironment: S', { S: 'short' }, 'holds no secret of at least 8 characters'],
    ['secretEnvironment: S, secretFile: x', { S: SECRET }, 'expected either secretFile or secretEnvironment'],
    ['permissions: []', {}, ''],
  ])('given as %s with %j is told of as a problem', (source, environment: Record<string, string>, problem) => {
    const told = problemOf(`sqs: ${keyIn(source)}`, environment);
    expect(told).toContain(problem);
    expect(told).not.toBe('');
    expect(told).not.toContain('short\n');
  });
});

test('a key cannot be there twice', () => {
  const keys = '[{ id: KEY, secretEnvironment: S }, { id: KEY, secretEnvironment: S }]';
  expect(problemOf(`sqs: { accessKeys: ${keys} }`, { S: SECRET })).toContain('cannot have the same id as');
});

test.each([
  ['sqs: { port: 1883 }', 'sqs (127.0.0.1:1883) and listener "tcp" (127.0.0.1:1883)'],
  ['sqs: { port: 8080 }', 'sqs (127.0.0.1:8080) and http (127.0.0.1:8080)'],
])('%s is refused: the port is taken', (yaml, doors) => {
  expect(problemOf(yaml)).toContain(`${doors} cannot have the same address`);
  expect(problemOf(yaml.replace('{', '{ enabled: false,'))).toBe('');
});
