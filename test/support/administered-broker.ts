/** A whole broker in this process, as its configuration says, with files of users and roles, HTTP and MQTT. Stopped when the test ends. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { runAdminCommand } from '../../src/cli/admin-command.js';
import type { AdminMisuse } from '../../src/cli/admin-request.js';
import { parseCommandLine } from '../../src/cli/command-line.js';
import { type Configuration, loadConfiguration } from '../../src/cli/config-loader.js';
import { NoPassword } from '../../src/cli/password-input.js';
import type { RunningBroker } from '../../src/cli/running-broker.js';
import { startBroker } from '../../src/cli/start-broker.js';
import { TOKEN } from './http-world.js';
import { type ConnectFields, RawClient } from './raw-client.js';
import { createTemporaryDirectory } from './temporary-directory.js';

export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export class AdministeredBroker {
  readonly directory: string;
  /** What has been logged. */
  readonly lines: string[] = [];
  readonly #configuration: Configuration;
  #running: RunningBroker | null = null;

  private constructor(directory: string, configuration: Configuration) {
    this.directory = directory;
    this.#configuration = configuration;
  }

  /**
   * @param files by name: what they say
   * @param settings beside those that put it on free ports; FILE(name) stands for the path of a file
   */
  static async start(
    files: Readonly<Record<string, string>>,
    settings: (pathOf: (name: string) => string) => object,
  ): Promise<AdministeredBroker> {
    const directory = await createTemporaryDirectory();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const file = join(directory, 'millrace.yaml');
    const listeners = { tcp: { port: 0 }, ws: { enabled: false } };
    const base = {
      listeners,
      http: { port: 0, adminToken: TOKEN },
      sqs: { enabled: false },
      storage: { directory: join(directory, 'data') },
      log: { audit: 'all' },
    };
    writeFileSync(file, stringify({ ...base, ...settings((name) => join(directory, name)) }));
    const broker = new AdministeredBroker(directory, loadConfiguration({ file, environment: {}, flags: new Map() }));
    await broker.start();
    onTestFinished(() => broker.stop());
    return broker;
  }

  async start(): Promise<void> {
    const logger = pino({ level: 'trace' }, { write: (line) => void this.lines.push(line) });
    this.#running = await startBroker(this.#configuration, logger, () => {});
  }

  async stop(): Promise<void> {
    await this.#running?.stop(1000);
    this.#running = null;
  }

  get url(): string {
    return this.#running?.httpUrl ?? '';
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), 'utf8');
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text);
  }

  /** @param body sent as it is if it is a text, else as JSON */
  async call(method: string, path: string, body?: unknown): Promise<Reply> {
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) as Record<string, unknown> };
  }

  /** `millrace …` as the executable runs it. @param typed the password, and the answer to what is asked */
  async command(
    words: readonly string[],
    typed: { readonly password?: string; readonly answer?: boolean } = {},
  ): Promise<{ readonly outcome: boolean | AdminMisuse; readonly printed: string; readonly asked: readonly string[] }> {
    const request = parseCommandLine([...words, '--url', this.url]);
    if (request.kind !== 'run') throw new RangeError(`${words.join(' ')}: ${JSON.stringify(request)}`);
    const asked: string[] = [];
    let printed = '';
    const outcome = await runAdminCommand({ ...request, command: request.command.name }, this.#configuration.settings, {
      print: (text) => {
        printed += text;
      },
      confirm: (question) => {
        asked.push(question);
        return typed.answer === undefined ? null : Promise.resolve(typed.answer);
      },
      readPassword: async () => typed.password ?? new NoPassword('no password was given'),
      nowMs: () => 0,
      sleep: async () => {},
    });
    return { outcome, printed, asked };
  }

  async connect(fields: ConnectFields & { readonly passwordText?: string }): Promise<[RawClient, reasonCode: number]> {
    const { passwordText, ...rest } = fields;
    const port = this.#running?.listeners[0]?.port ?? 0;
    const client = await RawClient.openTcp(port, 5);
    const password = passwordText === undefined ? {} : { password: Buffer.from(passwordText) };
    const connack = await client.connect({ ...rest, ...password });
    return [client, connack.reasonCode ?? -1];
  }
}
