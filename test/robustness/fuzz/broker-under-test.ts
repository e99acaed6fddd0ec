/**
 * The built broker in its default configuration, but for free ports, a data directory of its own and `$SYS` every second;
 * and an eye on its log. A broker that still runs when this process ends is killed with it.
 */
import { readFileSync } from 'node:fs';
import { type BrokerExit, BrokerProcess } from '../../durability/support/broker-process.js';
import { HeapMeter } from './heap-meter.js';
import type { Ports } from './link.js';

/** pino writes levels as numbers or as names: error and fatal. */
const ERROR_LINE = /"level":\s*("error"|"fatal"|50|60)/;

/** What Node says of its inspector, on standard error. */
const INSPECTOR_LINE = /^(Debugger |For help, see: |Waiting for the debugger )/;
const INSPECTOR_URL = /^Debugger listening on (ws:\S+)/;

const running = new Set<number>();
process.once('exit', () => {
  for (const pid of running) process.kill(pid, 'SIGKILL');
});

export interface BrokerSettings {
  readonly dataDirectory: string;
  /** The built command line. */
  readonly main: string;
  /** Where the process leaves its coverage when it ends. */
  readonly coverageDirectory?: string | undefined;
  /** Whether it can be asked for what it holds. */
  readonly isMeasured?: boolean;
}

export class BrokerUnderTest {
  readonly #process: BrokerProcess;
  readonly #errors: string[];
  readonly #meter: HeapMeter | undefined;

  private constructor(started: BrokerProcess, errors: string[], meter: HeapMeter | undefined) {
    this.#process = started;
    this.#errors = errors;
    this.#meter = meter;
  }

  static async start(settings: BrokerSettings): Promise<BrokerUnderTest> {
    const { dataDirectory, main, coverageDirectory, isMeasured = false } = settings;
    const errors: string[] = [];
    let meter: HeapMeter | undefined;
    const started = await BrokerProcess.start({
      dataDirectory,
      main,
      onLine: (line) => {
        const url = INSPECTOR_URL.exec(line)?.[1];
        if (url !== undefined) meter = new HeapMeter(url);
        if (isMeasured && INSPECTOR_LINE.test(line)) return;
        if (ERROR_LINE.test(line) || !line.startsWith('{')) errors.push(line);
      },
      environment: {
        // Its figures are what a run ends with: it need not wait for them.
        MILLRACE__SYS__INTERVAL: '1s',
        // The same client ids come again and again.
        MILLRACE__DEFENCE__TAKEOVERS__LIMIT: '0',
        ...(isMeasured ? { NODE_OPTIONS: '--inspect=127.0.0.1:0' } : {}),
        ...(coverageDirectory === undefined ? {} : { NODE_V8_COVERAGE: coverageDirectory }),
      },
    });
    running.add(started.pid);
    void started.exited.then(() => running.delete(started.pid));
    return new BrokerUnderTest(started, errors, meter);
  }

  get ports(): Ports {
    return { tcp: this.#process.port, ws: this.#process.webSocketPort };
  }

  get hasExited(): boolean {
    return this.#process.hasExited;
  }

  /** Lines of level error and fatal, and whatever else is no line of the log: a stack on standard error. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** Resident memory in bytes; 0 where the system does not tell. */
  residentBytes(): number {
    try {
      const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
      return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
    } catch {
      return 0;
    }
  }

  /** Bytes that it holds on to, after a collection of what it does not; undefined without an answer. */
  async usedBytes(): Promise<number | undefined> {
    return this.#meter?.usedBytes();
  }

  stop(): Promise<BrokerExit> {
    return this.#process.stop();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }
}
