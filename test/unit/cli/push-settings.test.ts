/** Webhooks in the configuration: what is taken, what is refused, and that no secret is ever shown. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Configuration, loadConfiguration } from '../../../src/cli/config-loader.js';
import { printConfiguration } from '../../../src/cli/config-printer.js';
import { ConfigurationError } from '../../../src/cli/configuration-error.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';
import { cert } from '../../support/test-certificate.js';

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(24, 6).toString('base64')}`;

interface World {
  readonly directory: string;
  load(push: string, options?: LoadOptions): Configuration;
  /** What is wrong. */
  problems(push: string, options?: LoadOptions): string;
}

interface LoadOptions {
  readonly rest?: string;
  readonly environment?: Record<string, string>;
}

async function world(): Promise<World> {
  const directory = await createTemporaryDirectory();
  const file = join(directory, 'config.yaml');
  const load = (push: string, { rest = '', environment = {} }: LoadOptions = {}): Configuration => {
    writeFileSync(file, `queues: { q: { push: ${push} } }\n${rest}\n`);
    return loadConfiguration({ file, environment, flags: new Map() });
  };
  const problems = (push: string, options?: LoadOptions): string => {
    try {
      load(push, options);
      return '';
    } catch (error) {
      if (error instanceof ConfigurationError) return error.message;
      throw error;
    }
  };
  return { directory, load, problems };
}

describe('a webhook of the configuration', () => {
  it('needs no more than a URL', async () => {
    const { load } = await world();
    const { pushTargets } = load('{ url: "https://hooks.example.com/a?b=c" }');
    expect(pushTargets.get('q')).toEqual({
      url: 'https://hooks.example.com/a?b=c',
      format: 'plain',
      secrets: [],
      headers: new Map(),
      certificateAuthorities: null,
      timeoutMs: 15_000,
      concurrency: 16,
      batch: null,
      longestPauseMs: 3_600_000,
      breaker: { failures: 10, firstWaitMs: 1000, longestWaitMs: 60_000 },
    });
  });

  it('may send several messages in a request', async () => {
    const { load, problems } = await world();
    const url = 'url: "https://hooks.example.com/"';
    const batchOf = (batch: string) => load(`{ ${url}, batch: ${batch} }`).pushTargets.get('q')?.batch;
    expect(batchOf('{ maxMessages: 50 }')).toEqual({ maxMessages: 50, maxBytes: 262_144 });
    expect(batchOf('{ maxMessages: 50, maxBytes: 1MiB }')).toEqual({ maxMessages: 50, maxBytes: 1_048_576 });
    // A list of one would be another form, and nobody has asked for it.
    expect(batchOf('{ maxMessages: 1 }')).toBeNull();
    expect(problems(`{ ${url}, batch: { maxMessages: 501 } }`)).toContain('batch.maxMessages');
  });

  it('takes secrets, headers and certificates, from the file, the environment and files of their own', async () => {
    const { load, directory } = await world();
    writeFileSync(join(directory, 'secrets'), `# the new one\n${OTHER}\n\n`);
    writeFileSync(join(directory, 'ca.pem'), cert);
    const { pushTargets } = load(
      `{ url: "https://a.example/", secretsFile: ${join(directory, 'secrets')}, ca: ${join(directory, 'ca.pem')}, headers: { X-One: "1" } }`,
      {
        environment: {
          MILLRACE__QUEUES__Q__PUSH__SECRETS: `["${SECRET}"]`,
          MILLRACE__QUEUES__Q__PUSH__HEADERS__AUTHORIZATION: 'Bearer abc',
        },
      },
    );
    expect(pushTargets.get('q')).toMatchObject({
      secrets: [Buffer.alloc(32, 5), Buffer.alloc(24, 6)],
      headers: new Map([
        ['x-one', '1'],
        ['authorization', 'Bearer abc'],
      ]),
      certificateAuthorities: cert,
    });
  });

  it('is printed without its secrets', async () => {
    const { load } = await world();
    const configuration = load(
      `{ url: "https://a.example/", secrets: [${SECRET}], headers: { authorization: Bearer abc } }`,
    );
    const printed = printConfiguration(configuration);
    expect(printed).toContain('url: https://a.example/');
    expect(printed).not.toContain(SECRET);
    expect(printed).not.toContain('abc');
  });

  it.each([
    ['{ url: "ftp://a.example/" }', 'queues.q.push.url: expected a URL'],
    ['{ url: "//a.example/" }', 'queues.q.push.url: expected a URL'],
    ['{ url: "http://" }', 'queues.q.push.url: expected a URL'],
    ['{ url: "https://user:hidden@a.example/" }', 'queues.q.push.url: expected a URL'],
    ['{ url: "https://a.example/#hidden" }', 'queues.q.push.url: expected a URL'],
    ['{ url: "https://a.example/", secrets: hidden }', 'expected a list of up to 10 secrets'],
    ['{ url: "https://a.example/", secrets: [whsec_hidden] }', 'expected a secret: whsec_ and the base64'],
    ['{ url: "https://a.example/", secrets: [17] }', 'expected a secret: whsec_ and the base64'],
    ['{ url: "https://a.example/", headers: { a: 4711 } }', 'expected the value of a header'],
    ['{ url: "https://a.example/", headers: { a: "hidden\\n" } }', 'expected the value of a header'],
    [
      '{ url: "https://a.example/", headers: { Host: hidden } }',
      'expected the name of a header that is not for the broker to set',
    ],
    [
      '{ url: "https://a.example/", headers: { webhook-id: hidden } }',
      'expected the name of a header that is not for the broker to set',
    ],
    [
      '{ url: "https://a.example/", headers: { "a b": hidden } }',
      'expected the name of a header that is not for the broker to set',
    ],
    ['{ url: "https://a.example/", headers: hidden }', 'expected a map of header names and values'],
    ['{ url: "https://a.example/", timeout: 0 }', 'expected a duration'],
    [
      '{ url: "https://a.example/", breaker: { firstWait: 2m } }',
      'breaker.longestWait must be at least breaker.firstWait',
    ],
    ['{ url: "http://a.example/", ca: /dev/null }', 'ca has no effect: its url is not https'],
    ['{ url: "https://a.example/", ca: /dev/null }', 'there is no certificate in it'],
    ['{ url: "https://a.example/", secretsFile: /dev/null }', 'there is no secret in it'],
    ['{ url: "https://a.example/", secretsFile: /nowhere/at/all }', '/nowhere/at/all: there is no such file'],
    [`{ secrets: [${SECRET}] }`, 'push.secrets has no effect without queues.q.push.url'],
    ['{ headers: { a: hidden } }', 'push.headers has no effect without queues.q.push.url'],
  ])('is refused: %s', async (push, message) => {
    const { problems } = await world();
    const found = problems(push);
    expect(found).toContain(message);
    expect(found).not.toMatch(/hidden|4711/);
    expect(found).not.toContain(SECRET);
  });

  it('is refused for what stands in its file, by the line', async () => {
    const { problems, directory } = await world();
    const secrets = join(directory, 'secrets');
    writeFileSync(secrets, `${SECRET}\nwhsec_hidden\n`);
    const found = problems(`{ url: "https://a.example/", secretsFile: ${secrets} }`);
    expect(found).toContain(`${secrets}:2:1: queues.q.push.secretsFile: expected a secret`);
    expect(found).not.toContain('hidden');
  });

  it.each([
    ['http://127.0.0.1:3000/', '[]', false],
    ['http://2130706433/', '[]', false],
    ['http://[::ffff:10.0.0.1]/', '[]', false],
    ['http://169.254.169.254/', '["*.example.com"]', false],
    ['http://127.0.0.1:3000/', '[127.0.0.0/8]', true],
    ['https://a.example.com/', '["*.example.com"]', true],
    ['https://a.example.net/', '["*.example.com"]', false],
    ['https://a.example.net/', '["*.example.com", 10.0.0.0/8]', true],
    ['http://localhost:3000/', '[]', false],
    ['http://localhost:3000/', '[127.0.0.1]', true],
    ['http://workers.internal:3000/', '[]', true],
  ])('%s is right with push.allow %s: %s', async (url, allow, isRight) => {
    const { problems } = await world();
    const found = problems(`{ url: "${url}" }`, { rest: `push: { allow: ${allow} }` });
    if (isRight) expect(found).toBe('');
    else expect(found).toMatch(/queues\.q\.push\.url: \S+ is not in push\.allow/);
  });

  it('does not go with groups that are pipelined', async () => {
    const { directory } = await world();
    const file = join(directory, 'config.yaml');
    writeFileSync(file, 'queues: { q: { type: fifo, ordering: pipelined, push: { url: "https://a.example/" } } }');
    expect(() => loadConfiguration({ file, environment: {}, flags: new Map() })).toThrow(
      'queues.q.ordering cannot be pipelined if the queue is pushed',
    );
  });

  it('is refused for an entry of the list that is none', async () => {
    const { problems } = await world();
    expect(problems('{}', { rest: 'push: { allow: [http://a.example] }' })).toContain(
      'push.allow[0]: expected a host name such as hooks.example.com',
    );
  });
});
